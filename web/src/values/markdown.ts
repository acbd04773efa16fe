/**
 * Markdown as a tree of plain data, drawn as elements; HTML markup in it stays text. Pure.
 *
 * Parsed by markdown-it, whose time grows with the text. A text longer than people read is cut.
 */
import MarkdownIt from 'markdown-it';
import { cutText } from '../../../src/base/cut-text.ts';

export type Inline =
  | { readonly kind: 'text' | 'code'; readonly text: string }
  | { readonly kind: 'strong' | 'em' | 'del'; readonly inlines: readonly Inline[] }
  | { readonly kind: 'link'; readonly href: string; readonly inlines: readonly Inline[] }
  | { readonly kind: 'break' };

type Alignment = 'left' | 'center' | 'right';

export type Block =
  | { readonly kind: 'heading'; readonly level: number; readonly inlines: readonly Inline[] }
  | { readonly kind: 'paragraph'; readonly inlines: readonly Inline[] }
  | { readonly kind: 'code'; readonly text: string; readonly language: string | null }
  | { readonly kind: 'list'; readonly ordered: boolean; readonly start: number; readonly items: readonly (readonly Block[])[] }
  | { readonly kind: 'quote'; readonly blocks: readonly Block[] }
  | {
      readonly kind: 'table';
      readonly head: readonly (readonly Inline[])[];
      readonly rows: readonly (readonly (readonly Inline[])[])[];
      /** By column. */
      readonly align: readonly (Alignment | null)[];
    }
  | { readonly kind: 'rule' };

/** Most characters drawn of a text. */
export const maxChars = 100_000;
/** Blocks and emphasis nested deeper are not drawn. */
const deepest = 24;
/** A longer line is not meant for people; it is drawn without marks. */
const maxLineChars = 10_000;

type Token = ReturnType<MarkdownIt['parse']>[number];
/** A token with those between it and its closing token. */
interface Node {
  readonly token: Token;
  readonly inner: readonly Node[];
}

const reader = new MarkdownIt('default', { html: false, linkify: true });
Object.assign(reader.options, { maxNesting: deepest });
reader.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false });
// Links are checked where they are drawn; refused ones show their address as text.
reader.validateLink = () => true;
reader.normalizeLink = (href) => href;
reader.normalizeLinkText = (text) => text;

/** The blocks of a text. */
export function readMarkdown(text: string): readonly Block[] {
  const cut = cutText(text, maxChars);
  const rest = text.length - cut.length;
  const blocks = blocksOf(nodesOf(reader.parse(withoutLongLines(cut), {})));
  const told = `… and ${rest.toLocaleString('en')} more characters.`;
  return rest === 0 ? blocks : [...blocks, { kind: 'paragraph', inlines: [{ kind: 'em', inlines: [{ kind: 'text', text: told }] }] }];
}

/** Long lines as code: parsing their marks would be wasted. */
function withoutLongLines(text: string): string {
  if (text.length <= maxLineChars) return text;
  const long = (line: string): string => `    ${line.trimStart()}`;
  return text
    .split('\n')
    .map((line) => (line.length > maxLineChars ? `\n${long(line)}\n` : line))
    .join('\n');
}

function nodesOf(tokens: readonly Token[]): readonly Node[] {
  const root: Node[] = [];
  const open: Node[][] = [root];
  for (const token of tokens) {
    if (token.nesting < 0) {
      if (open.length > 1) open.pop();
      continue;
    }
    const inner: Node[] = [];
    open.at(-1)?.push({ token, inner });
    if (token.nesting > 0) open.push(inner);
  }
  return root;
}

function blocksOf(nodes: readonly Node[]): readonly Block[] {
  return nodes.flatMap((node) => blockOf(node) ?? []);
}

function blockOf({ token, inner }: Node): Block | null {
  switch (token.type) {
    case 'heading_open':
      return { kind: 'heading', level: Number(token.tag.slice(1)), inlines: inlinesWithin(inner) };
    case 'paragraph_open':
      return { kind: 'paragraph', inlines: inlinesWithin(inner) };
    case 'fence':
    case 'code_block': {
      const [language = ''] = token.info.trim().split(/\s/, 1);
      return { kind: 'code', text: token.content.replace(/\n$/, ''), language: language === '' ? null : language };
    }
    case 'bullet_list_open':
    case 'ordered_list_open':
      return {
        kind: 'list',
        ordered: token.type === 'ordered_list_open',
        start: Number(token.attrGet('start') ?? 1),
        items: inner.map((item) => withBox(blocksOf(item.inner))),
      };
    case 'blockquote_open':
      return { kind: 'quote', blocks: blocksOf(inner) };
    case 'table_open': {
      const lines = inner.flatMap((part) => part.inner);
      const [head = [], ...rows] = lines.map((row) => row.inner.map((cell) => inlinesWithin(cell.inner)));
      return { kind: 'table', head, rows, align: (lines[0]?.inner ?? []).map(alignOf) };
    }
    case 'hr':
      return { kind: 'rule' };
    default:
      return null;
  }
}

/** An item of a task list: `[x] done` begins with a box. */
function withBox(blocks: readonly Block[]): readonly Block[] {
  const [first, ...others] = blocks;
  if (first?.kind !== 'paragraph') return blocks;
  const [text, ...rest] = first.inlines;
  const mark = text?.kind === 'text' ? /^\[([ xX])\] /.exec(text.text) : null;
  if (text?.kind !== 'text' || mark === null) return blocks;
  const boxed = { kind: 'text', text: `${mark[1] === ' ' ? '☐' : '☑'} ${text.text.slice(mark[0].length)}` } as const;
  return [{ kind: 'paragraph', inlines: [boxed, ...rest] }, ...others];
}

const alignments: readonly string[] = ['left', 'center', 'right'];

function alignOf({ token }: Node): Alignment | null {
  const found = String(token.attrGet('style') ?? '').replace('text-align:', '');
  return alignments.includes(found) ? (found as Alignment) : null;
}

function inlinesWithin(nodes: readonly Node[]): readonly Inline[] {
  return nodes.flatMap(({ token }) => inlinesOf(nodesOf(token.children ?? [])));
}

function inlinesOf(nodes: readonly Node[]): readonly Inline[] {
  const inlines: Inline[] = [];
  for (const node of nodes) {
    const inline = inlineOf(node);
    const before = inlines.at(-1);
    // Text that looks like the start of a mark arrives in pieces.
    if (inline.kind === 'text' && before?.kind === 'text') inlines[inlines.length - 1] = { kind: 'text', text: before.text + inline.text };
    else if (inline.kind !== 'text' || inline.text !== '') inlines.push(inline);
  }
  return inlines;
}

function inlineOf({ token, inner }: Node): Inline {
  switch (token.type) {
    case 'code_inline':
      return { kind: 'code', text: token.content };
    case 'strong_open':
      return { kind: 'strong', inlines: inlinesOf(inner) };
    case 'em_open':
      return { kind: 'em', inlines: inlinesOf(inner) };
    case 's_open':
      return { kind: 'del', inlines: inlinesOf(inner) };
    case 'link_open':
      return { kind: 'link', href: token.attrGet('href') ?? '', inlines: inlinesOf(inner) };
    case 'image': {
      // An image is drawn as a link: the page makes no requests to other origins.
      const href = token.attrGet('src') ?? '';
      return { kind: 'link', href, inlines: [{ kind: 'text', text: token.content === '' ? href : token.content }] };
    }
    case 'softbreak':
      return { kind: 'text', text: ' ' };
    case 'hardbreak':
      return { kind: 'break' };
    default:
      return { kind: 'text', text: token.content };
  }
}
