/** Plain-text tables: a head, columns as wide as needed, no borders. */
import type { Paint } from './shapes.ts';
import { cut, padEnd, padStart, widthOf } from './width.ts';

/** One column of a table. */
export interface Column {
  readonly head: string;
  /** Right for numbers and durations. Default left. */
  readonly align?: 'left' | 'right';
  /** Maximum width in cells; longer cells are cut. Default: as wide as its widest cell. */
  readonly max?: number;
  /** Columns with the highest number are dropped first if the terminal is too narrow; without one a column is never dropped. */
  readonly drop?: number;
  /** Cells needed by a last column that may be cut at the edge of the terminal. */
  readonly least?: number;
}

const gap = '  ';

/**
 * Lines of a table, head first. Cells may be painted. If `width` is given, droppable columns are left out until it fits, and
 * what is still too wide is cut.
 */
export function tableLines(columns: readonly Column[], rows: readonly (readonly string[])[], paint: Paint, width?: number): string[] {
  const widths = columns.map((column, at) => widthOfColumn(column, at, rows));
  const shown = width === undefined ? columns.map((_, at) => at) : columnsThatFit(columns, widths, width);
  const line = (cells: readonly string[]): string =>
    shown.map((at, place) => cellOf(cells[at] ?? '', columns[at], widths[at] ?? 0, place === shown.length - 1)).join(gap);
  const head = line(columns.map((column) => paint.dim(column.head)));
  const lines = [head, ...rows.map(line)];
  return width === undefined ? lines : lines.map((text) => cut(text, width));
}

/** Facts one below the other, names dim and padded to the widest; those without text are left out. @param least minimum cells of a name */
export function factLines(facts: readonly (readonly [name: string, text: string | null])[], paint: Paint, least = 0): string[] {
  const known = facts.filter(([, text]) => text !== null);
  const cells = Math.max(least, ...known.map(([name]) => name.length));
  return known.map(([name, text]) => `  ${paint.dim(name.padEnd(cells))}  ${text}`);
}

function widthOfColumn(column: Column, at: number, rows: readonly (readonly string[])[]): number {
  const widest = rows.reduce((most, row) => Math.max(most, widthOf(row[at] ?? '')), widthOf(column.head));
  return Math.min(widest, column.max ?? widest);
}

function columnsThatFit(columns: readonly Column[], widths: readonly number[], width: number): number[] {
  const shown = columns.map((_, at) => at);
  const leaving = shown.filter((at) => columns[at]?.drop !== undefined).sort((a, b) => (columns[b]?.drop ?? 0) - (columns[a]?.drop ?? 0));
  const needed = (at: number): number => Math.min(widths[at] ?? 0, columns[at]?.least ?? widths[at] ?? 0);
  const total = (): number => shown.reduce((sum, at) => sum + needed(at) + gap.length, -gap.length);
  for (const at of leaving) {
    if (total() <= width) break;
    shown.splice(shown.indexOf(at), 1);
  }
  return shown;
}

function cellOf(text: string, column: Column | undefined, width: number, last: boolean): string {
  const fitted = cut(text, width);
  if (column?.align === 'right') return padStart(fitted, width);
  return last ? fitted : padEnd(fitted, width);
}
