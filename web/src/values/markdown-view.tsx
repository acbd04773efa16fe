/** Markdown drawn as elements, never as HTML. */
import { type Block, type Inline, readMarkdown } from './markdown.ts';
import { OutwardLink } from './outward-link.tsx';
import style from './markdown-view.module.css';

/** The text, drawn. */
export function MarkdownView({ text }: { readonly text: string }) {
  return (
    <div className={style.view}>
      <Blocks blocks={readMarkdown(text)} />
    </div>
  );
}

function Blocks({ blocks }: { readonly blocks: readonly Block[] }) {
  return blocks.map((block, at) => <BlockView key={at} block={block} />);
}

function BlockView({ block }: { readonly block: Block }) {
  switch (block.kind) {
    case 'heading': {
      // Headings of a text begin below those of the page.
      const Heading = block.level <= 1 ? 'h3' : block.level === 2 ? 'h4' : 'h5';
      return (
        <Heading className={style.heading}>
          <Inlines inlines={block.inlines} />
        </Heading>
      );
    }
    case 'paragraph':
      return (
        <p>
          <Inlines inlines={block.inlines} />
        </p>
      );
    case 'code':
      return (
        <pre className={style.code} tabIndex={0}>
          {block.text}
        </pre>
      );
    case 'list': {
      const items = block.items.map((item, at) => (
        <li key={at}>
          <Blocks blocks={item} />
        </li>
      ));
      return block.ordered ? <ol start={block.start}>{items}</ol> : <ul>{items}</ul>;
    }
    case 'quote':
      return (
        <blockquote className={style.quote}>
          <Blocks blocks={block.blocks} />
        </blockquote>
      );
    case 'table':
      return (
        <div className={style.scroll}>
          <table className={style.table}>
            <thead>
              <tr>
                {block.head.map((cell, at) => (
                  <th key={at} data-align={block.align[at] ?? undefined}>
                    <Inlines inlines={cell} />
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {block.rows.map((row, line) => (
                <tr key={line}>
                  {row.map((cell, at) => (
                    <td key={at} data-align={block.align[at] ?? undefined}>
                      <Inlines inlines={cell} />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      );
    case 'rule':
      return <hr className={style.rule} />;
  }
}

function Inlines({ inlines }: { readonly inlines: readonly Inline[] }) {
  return inlines.map((inline, at) => <InlineView key={at} inline={inline} />);
}

function InlineView({ inline }: { readonly inline: Inline }) {
  switch (inline.kind) {
    case 'text':
      return inline.text;
    case 'code':
      return <code>{inline.text}</code>;
    case 'strong':
      return (
        <strong>
          <Inlines inlines={inline.inlines} />
        </strong>
      );
    case 'em':
      return (
        <em>
          <Inlines inlines={inline.inlines} />
        </em>
      );
    case 'del':
      return (
        <del>
          <Inlines inlines={inline.inlines} />
        </del>
      );
    case 'link':
      return (
        <OutwardLink href={inline.href}>
          <Inlines inlines={inline.inlines} />
        </OutwardLink>
      );
    case 'break':
      return <br />;
  }
}
