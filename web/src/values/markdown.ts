/** Markdown as a tree of plain data, which is drawn as elements; markup of HTML in it stays text. Pure. */

export type Inline =
  | { readonly kind: 'text' | 'code'; readonly text: string }
  | { readonly kind: 'strong' | 'em' | 'del'; readonly inlines: readonly Inline[] }
  | { readonly kind: 'link'; readonly href: string; readonly inlines: readonly Inline[] }
  | { readonly kind: 'break' };

export type Block =
  | { readonly kind: 'heading'; readonly level: number; readonly inlines: readonly Inline[] }
  | { readonly kind: 'paragraph'; readonly inlines: readonly Inline[] }
  | { readonly kind: 'code'; readonly text: string; readonly language: string | null }
  | { readonly kind: 'list'; readonly ordered: boolean; readonly start: number; readonly items: readonly (readonly Block[])[] }
  | { readonly kind: 'quote'; readonly blocks: readonly Block[] }
  | { readonly kind: 'table'; readonly head: readonly (readonly Inline[])[]; readonly rows: readonly (readonly (readonly Inline[])[])[] }
  | { readonly kind: 'rule' };

/** Lists and quotes inside each other past this are drawn as text. */
const deepest = 12;

const fence = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)/;
const bullet = /^( {0,3})([-*+]|\d{1,9}[.)])( +|$)(.*)$/;
const tableRule = /^ *\|? *:?-{1,}:? *(\| *:?-{1,}:? *)*\|? *$/;

/** The blocks of a text. */
export function readMarkdown(text: string, depth = 0): readonly Block[] {
  const lines = text.replaceAll('\r\n', '\n').replaceAll('\t', '    ').split('\n');
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at] ?? '';
    const opened = fence.exec(line);
    if (line.trim() === '') at += 1;
    else if (opened) at = readCode(lines, at, opened, blocks);
    else if (/^ {0,3}([-*_])( *\1){2,} *$/.test(line)) {
      blocks.push({ kind: 'rule' });
      at += 1;
    } else if (/^ {0,3}#{1,6}( |$)/.test(line)) {
      const [, marks = '#', rest = ''] = /^ {0,3}(#{1,6}) *(.*?)(?: +#+)? *$/.exec(line) ?? [];
      blocks.push({ kind: 'heading', level: marks.length, inlines: readInlines(rest) });
      at += 1;
    } else if (/^ {0,3}>/.test(line) && depth < deepest) at = readQuote(lines, at, blocks, depth);
    else if (bullet.test(line) && depth < deepest) at = readList(lines, at, blocks, depth);
    else if (line.includes('|') && tableRule.test(lines[at + 1] ?? '') && (lines[at + 1] ?? '').includes('-'))
      at = readTable(lines, at, blocks);
    else at = readParagraph(lines, at, blocks, depth);
  }
  return blocks;
}

/** The pieces of one stretch of text. */
export function readInlines(text: string, depth = 0): readonly Inline[] {
  const inlines: Inline[] = [];
  let plain = '';
  const flush = (): void => {
    if (plain !== '') inlines.push({ kind: 'text', text: plain });
    plain = '';
  };
  for (let at = 0; at < text.length; ) {
    const found = depth < deepest ? inlineAt(text, at, depth) : null;
    if (found === null) {
      plain += text[at] ?? '';
      at += 1;
      continue;
    }
    if (typeof found.inline === 'string') plain += found.inline;
    else {
      flush();
      inlines.push(found.inline);
    }
    at += found.length;
  }
  flush();
  return inlines;
}

function inlineAt(text: string, at: number, depth: number): { readonly inline: Inline | string; readonly length: number } | null {
  const rest = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  switch (text[at]) {
    case '\\': {
      const found = rest(/\\([!-/:-@[-`{-~])/y);
      return found ? { inline: found[1] ?? '', length: 2 } : null;
    }
    case '`': {
      const found = rest(/(`{1,10})([^`](?:[^`]{0,5000}[^`])?)\1(?!`)/y);
      return found ? { inline: { kind: 'code', text: (found[2] ?? '').trim() }, length: found[0].length } : null;
    }
    case '*':
    case '_':
    case '~': {
      const found = rest(/(\*\*|__|~~|\*|_)(?=\S)((?:(?!\1)[^\n]){1,5000}?)(?<=\S)\1/y);
      if (!found) return null;
      const [whole, mark = '', inner = ''] = found;
      if (mark.startsWith('_') && (/\w/.test(text[at - 1] ?? '') || /\w/.test(text[at + whole.length] ?? ''))) return null;
      const kind = mark === '~~' ? 'del' : mark.length === 2 ? 'strong' : 'em';
      return { inline: { kind, inlines: readInlines(inner, depth + 1) }, length: whole.length };
    }
    case '!':
    case '[': {
      // A picture is drawn as a link to it: the page asks no other origin for anything.
      const found = rest(/!?\[([^[\]]{0,2000})\]\(<?([^\s()<>]{1,2000}(?:\([^\s()]{0,200}\)[^\s()<>]{0,500})?)>?(?: +"[^"]{0,500}")?\)/y);
      if (!found) return null;
      const [whole, label = '', href = ''] = found;
      return { inline: { kind: 'link', href, inlines: readInlines(label === '' ? href : label, depth + 1) }, length: whole.length };
    }
    case '<': {
      const found = rest(/<(https?:\/\/[^\s<>]{1,2000}|mailto:[^\s<>]{1,500})>/y);
      return found
        ? { inline: { kind: 'link', href: found[1] ?? '', inlines: [{ kind: 'text', text: found[1] ?? '' }] }, length: found[0].length }
        : null;
    }
    case 'h': {
      if (/\w/.test(text[at - 1] ?? '')) return null;
      const found = rest(/https?:\/\/[^\s<>"'`|]{1,2000}/y);
      if (!found) return null;
      const href = found[0].replace(/[.,;:!?)\]]+$/, '');
      return { inline: { kind: 'link', href, inlines: [{ kind: 'text', text: href }] }, length: href.length };
    }
    case '\n':
      return text.slice(0, at).endsWith('  ') || text[at - 1] === '\\'
        ? { inline: { kind: 'break' }, length: 1 }
        : { inline: ' ', length: 1 };
    default:
      return null;
  }
}

function readCode(lines: readonly string[], from: number, [, marks = '```', language = '']: RegExpExecArray, blocks: Block[]): number {
  let at = from + 1;
  const closes = (line: string): boolean => line.trim().startsWith(marks) && line.trim().replaceAll(marks[0] ?? '`', '') === '';
  while (at < lines.length && !closes(lines[at] ?? '')) at += 1;
  blocks.push({ kind: 'code', text: lines.slice(from + 1, at).join('\n'), language: language === '' ? null : language });
  return at + 1;
}

function readQuote(lines: readonly string[], from: number, blocks: Block[], depth: number): number {
  let at = from;
  while (at < lines.length && /^ {0,3}>/.test(lines[at] ?? '')) at += 1;
  const inner = lines.slice(from, at).map((line) => line.replace(/^ {0,3}> ?/, ''));
  blocks.push({ kind: 'quote', blocks: readMarkdown(inner.join('\n'), depth + 1) });
  return at;
}

function readList(lines: readonly string[], from: number, blocks: Block[], depth: number): number {
  const ordered = /\d/.test(bullet.exec(lines[from] ?? '')?.[2] ?? '');
  const items: string[][] = [];
  let at = from;
  let indent = 2;
  for (; at < lines.length; at++) {
    const line = lines[at] ?? '';
    const found = bullet.exec(line);
    const isNested = items.length > 0 && (found?.[1] ?? '').length >= indent;
    if (found && !isNested && /\d/.test(found[2] ?? '') === ordered) {
      indent = (found[1] ?? '').length + (found[2] ?? '').length + 1;
      items.push([found[4] ?? '']);
    } else if (line.trim() === '') {
      const next = lines[at + 1] ?? '';
      if (!bullet.test(next) && !next.startsWith(' '.repeat(indent))) break;
      items.at(-1)?.push('');
    } else if (line.startsWith('  ')) items.at(-1)?.push(line.slice(Math.min(indent, line.length - line.trimStart().length)));
    else break;
  }
  const start = Number.parseInt(bullet.exec(lines[from] ?? '')?.[2] ?? '1', 10);
  blocks.push({
    kind: 'list',
    ordered,
    start: Number.isNaN(start) ? 1 : start,
    items: items.map((item) => readMarkdown(item.join('\n'), depth + 1)),
  });
  return at;
}

function readTable(lines: readonly string[], from: number, blocks: Block[]): number {
  const head = cellsOf(lines[from] ?? '');
  const rows: (readonly Inline[])[][] = [];
  let at = from + 2;
  for (; at < lines.length && (lines[at] ?? '').includes('|'); at++) {
    const cells = cellsOf(lines[at] ?? '');
    rows.push(head.map((_, column) => readInlines(cells[column] ?? '')));
  }
  blocks.push({ kind: 'table', head: head.map((cell) => readInlines(cell)), rows });
  return at;
}

function cellsOf(line: string): string[] {
  return line
    .trim()
    .replace(/^\||\|$/g, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}

function readParagraph(lines: readonly string[], from: number, blocks: Block[], depth: number): number {
  let at = from + 1;
  const interrupts = (line: string): boolean =>
    line.trim() === '' ||
    fence.test(line) ||
    /^ {0,3}#{1,6}( |$)/.test(line) ||
    (depth < deepest && (/^ {0,3}>/.test(line) || bullet.test(line)));
  while (at < lines.length && !interrupts(lines[at] ?? '')) at += 1;
  blocks.push({
    kind: 'paragraph',
    inlines: readInlines(
      lines
        .slice(from, at)
        .map((line) => line.trimStart())
        .join('\n')
        .trimEnd(),
    ),
  });
  return at;
}
