/** Markdown plainly: headings bold, tables lined up, emphasis without its marks; everything else stays as it was written. */
import type { Paint } from './paint.ts';
import { type Column, tableLines } from './table.ts';
import { oneLine } from './width.ts';

const ruleCell = /^\s*:?-+:?\s*$/;

/** Lines of a Markdown text. */
export function markdownLines(text: string, paint: Paint): string[] {
  const source = text.split(/\r?\n/);
  const lines: string[] = [];
  for (let at = 0; at < source.length; ) {
    const table = tableAt(source, at);
    if (table) {
      lines.push(
        ...tableLines(
          table.columns,
          table.rows.map((row) => row.map((cell) => plain(cell, paint))),
          paint,
        ),
      );
      at += table.rows.length + 2;
    } else lines.push(lineOf(source[at++] ?? '', paint));
  }
  while (lines.at(-1) === '') lines.pop();
  return lines;
}

function tableAt(source: readonly string[], at: number): { readonly columns: Column[]; readonly rows: string[][] } | null {
  const head = cellsOf(source[at]);
  const rule = cellsOf(source[at + 1]);
  if (!head || !rule || !rule.every((cell) => ruleCell.test(cell))) return null;
  const columns = head.map((cell, column) => ({
    head: oneLine(cell),
    align: rule[column]?.trim().endsWith(':') ? ('right' as const) : ('left' as const),
  }));
  const rows: string[][] = [];
  for (let next = at + 2, cells = cellsOf(source[next]); cells; cells = cellsOf(source[++next])) rows.push(cells);
  return { columns, rows };
}

function cellsOf(line: string | undefined): string[] | null {
  const trimmed = line?.trim() ?? '';
  if (!trimmed.includes('|')) return null;
  return trimmed
    .replace(/^\||\|$/g, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}

function lineOf(line: string, paint: Paint): string {
  const heading = /^#{1,6}\s+(.*)$/.exec(line.trim());
  return heading ? paint.bold(plain(heading[1] ?? '', paint)) : plain(line.trimEnd(), paint);
}

function plain(text: string, paint: Paint): string {
  const indent = /^ */.exec(text)?.[0] ?? '';
  const clean = oneLine(text)
    .replace(/\*\*(.+?)\*\*|__(.+?)__/g, (_, a?: string, b?: string) => paint.bold(a ?? b ?? ''))
    .replace(/`([^`]+)`/g, (_, code: string) => paint.cyan(code))
    .replace(/^[-*]\s+/, '• ');
  return indent + clean;
}
