/** Artifacts in a terminal: tables as tables, Markdown plainly. */
import type { Artifact } from '../../model/run.ts';
import { countOf } from './bar.ts';
import { markdownLines } from './markdown.ts';
import type { Paint } from './paint.ts';
import { tableLines } from './table.ts';
import { valueLine, valueLines } from './value.ts';

const maxRows = 50;

/** Lines of one artifact. */
export function artifactLines(
  { kind, data }: Pick<Artifact, 'kind' | 'data'>,
  options: { readonly paint: Paint; readonly width: number },
): string[] {
  const { paint, width } = options;
  if (kind === 'markdown') return markdownLines(String(data), paint);
  if (kind === 'link') return [paint.cyan(valueLine(data, 500))];
  if ((kind === 'table' || kind === 'rejects') && Array.isArray(data)) return rowLines(data, paint);
  return valueLines(data, { color: paint.isColorSupported, width });
}

function rowLines(data: readonly unknown[], paint: Paint): string[] {
  const rows = data.slice(0, maxRows).filter((row): row is Record<string, unknown> => typeof row === 'object' && row !== null);
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
