/**
 * Artifacts in a terminal: tables as tables, Markdown as plain text (headings bold, tables aligned, emphasis without its marks).
 *
 * Texts come from flows and may be hostile: input size and the width and length of tables are bounded, as every row is as wide as the
 * widest.
 */
import type { Artifact } from '../../model/run.ts';
import { cutText } from '../../base/cut-text.ts';
import { byteSize } from '../../base/byte-size.ts';
import { type ArtifactFile, artifactFileOf, type ArtifactProgress } from '../../model/artifact.ts';
import { type ChartData, isChartData } from '../../model/chart.ts';
import { barOf, countOf, percentOf } from './bar.ts';
import type { Paint } from './shapes.ts';
import { type Column, tableLines } from './table.ts';
import { valueLine, valueLines } from './value.ts';
import { cut, oneLine } from './width.ts';

const maxShownRows = 50;

/** Lines of one artifact. */
export function artifactLines(
  { kind, data }: Pick<Artifact, 'kind' | 'data'>,
  options: { readonly paint: Paint; readonly width: number },
): string[] {
  const { paint, width } = options;
  if (kind === 'markdown') return markdownLines(String(data), paint);
  if (kind === 'link') return [paint.cyan(valueLine(data, 500))];
  const file = artifactFileOf({ kind, data });
  if (file !== null) return fileLines(file, paint);
  if (kind === 'progress') return [progressLine(data, paint)];
  if (kind === 'chart' && isChartData(data)) return chartLines(data, paint);
  if ((kind === 'table' || kind === 'rejects') && Array.isArray(data)) return rowLines(data, paint);
  return valueLines(data, { color: paint.isColorSupported, width });
}

function fileLines({ fileName, type, bytes, sha256, width, height }: ArtifactFile, paint: Paint): string[] {
  const size = width === undefined || height === undefined ? '' : `, ${width} × ${height}`;
  return [`${oneLine(fileName)}  ${oneLine(type)}, ${byteSize(bytes)}${size}`, paint.dim(`sha256 ${oneLine(sha256)}`)];
}

function progressLine(data: unknown, paint: Paint): string {
  const { value = 0, label = null } = (typeof data === 'object' && data !== null ? data : {}) as Partial<ArtifactProgress>;
  const text = label === null ? '' : `  ${cut(oneLine(String(label)), maxCell)}`;
  return `${barOf(value, 20, paint)} ${percentOf(value, 1)}${text}`;
}

/** The values, one line per x; the dashboard draws them. */
function chartLines({ type, axis, x, series, unit }: ChartData, paint: Paint): string[] {
  const rows = x.map((place, at) => ({
    [axis]: axis === 'time' && Number.isFinite(Number(place)) ? new Date(Number(place)).toISOString() : place,
    ...Object.fromEntries(series.map(({ name, values }) => [name, values[at] ?? null])),
  }));
  return [paint.dim(`${oneLine(type)} chart${unit === null ? '' : `, ${oneLine(String(unit))}`}`), ...rowLines(rows, paint)];
}

function rowLines(data: readonly unknown[], paint: Paint): string[] {
  const rows = data.slice(0, maxShownRows).filter((row): row is Record<string, unknown> => typeof row === 'object' && row !== null);
  const heads = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  if (heads.length === 0) return [paint.dim('empty')];
  const columns = heads.map((head) => ({
    head,
    max: 60,
    align: rows.every((row) => typeof row[head] === 'number') ? ('right' as const) : ('left' as const),
  }));
  const lines = tableLines(
    columns,
    rows.map((row) => heads.map((head) => (row[head] === undefined ? '' : valueLine(row[head], 200)))),
    paint,
  );
  const rest = data.length - rows.length;
  return rest > 0 ? [...lines, paint.dim(`… and ${countOf(rest)} more rows (--json shows all)`)] : lines;
}

const ruleCell = /^\s*:?-+:?\s*$/;
/** Most characters shown of a text. */
const maxChars = 100_000;
/** A longer line is not meant for people; its marks stay. */
const maxLineChars = 10_000;
const maxRows = 1_000;
/** With more columns it is not a table. */
const maxColumns = 50;
/** Maximum column width, cells. */
const maxCell = 200;

/** Lines of a Markdown text. */
export function markdownLines(text: string, paint: Paint): string[] {
  const shown = cutText(text, maxChars);
  const source = shown.split(/\r?\n/);
  const lines: string[] = [];
  for (let at = 0; at < source.length; ) {
    const table = tableAt(source, at);
    if (table) {
      lines.push(
        ...tableLines(
          table.columns,
          table.rows.slice(0, maxRows).map((row) => row.map((cell) => plain(cell, paint))),
          paint,
        ),
      );
      const more = table.rows.length - maxRows;
      if (more > 0) lines.push(paint.dim(`… and ${countOf(more)} more rows (--json shows all)`));
      at += table.rows.length + 2;
    } else lines.push(lineOf(source[at++] ?? '', paint));
  }
  while (lines.at(-1) === '') lines.pop();
  const rest = text.length - shown.length;
  if (rest > 0) lines.push(paint.dim(`… and ${countOf(rest)} more characters (--json shows all)`));
  return lines;
}

function tableAt(source: readonly string[], at: number): { readonly columns: Column[]; readonly rows: string[][] } | null {
  const head = cellsOf(source[at]);
  const rule = cellsOf(source[at + 1]);
  if (!head || !rule || head.length > maxColumns || !rule.every((cell) => ruleCell.test(cell))) return null;
  const columns = head.map((cell, column) => ({
    head: cut(oneLine(cell), maxCell),
    max: maxCell,
    align: rule[column]?.trim().endsWith(':') ? ('right' as const) : ('left' as const),
  }));
  const rows: string[][] = [];
  for (let next = at + 2, cells = cellsOf(source[next]); cells; cells = cellsOf(source[++next])) rows.push(cells.slice(0, head.length));
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
  if (text.length > maxLineChars) return oneLine(text);
  const clean = oneLine(text)
    .replace(/\*\*(.+?)\*\*|__(.+?)__/g, (_, a?: string, b?: string) => paint.bold(a ?? b ?? ''))
    .replace(/`([^`]+)`/g, (_, code: string) => paint.cyan(code))
    .replace(/^[-*]\s+/, '• ');
  return indent + clean;
}
