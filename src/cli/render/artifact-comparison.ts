/** Differences of two artifacts, in a terminal. */
import type { ArtifactComparison } from '../../model/compare-artifacts.ts';
import type { TableComparison } from '../../model/compare-tables.ts';
import type { TextComparison } from '../../model/compare-texts.ts';
import { countOf } from './bar.ts';
import type { Paint } from './shapes.ts';
import { tableLines } from './table.ts';
import { valueLine } from './value.ts';
import { cut, oneLine } from './width.ts';

/** Most rows of each kind, and most unchanged lines next to differing ones. */
const maxRows = 50;
const contextLines = 3;
const maxLines = 2_000;
const maxChars = 500;

/** Lines listing what was added, removed and changed. */
export function comparisonLines(comparison: ArtifactComparison, paint: Paint): string[] {
  if (comparison.isSame) return ['No differences.'];
  switch (comparison.as) {
    case 'text':
      return textLines(comparison.text, paint);
    case 'table':
      return tableChanges(comparison.table, paint);
    case 'facts':
      return tableLines(
        [{ head: '' }, { head: 'before', max: 70 }, { head: 'after', max: 70 }],
        comparison.facts.map(({ fact, before, after }) => [fact, shown(before), shown(after)]),
        paint,
      );
  }
}

function textLines({ parts, added, removed, isWhole }: TextComparison, paint: Paint): string[] {
  const lines: string[] = [];
  for (const [at, { is, lines: own }] of parts.entries()) {
    if (is === 'same') lines.push(...around(own, at === 0, at === parts.length - 1, paint));
    else for (const line of own) lines.push(is === 'added' ? paint.green(`+ ${textOf(line)}`) : paint.red(`- ${textOf(line)}`));
  }
  const rest = lines.length - maxLines;
  const note = isWhole ? ' They have too little in common to be compared line by line.' : '';
  return [
    `${countOf(added)} ${added === 1 ? 'line' : 'lines'} added, ${countOf(removed)} removed.${note}`,
    ...lines.slice(0, maxLines),
    ...(rest > 0 ? [paint.dim(`… and ${countOf(rest)} more lines (--json shows all)`)] : []),
  ];
}

/** The lines around a difference. */
function around(lines: readonly string[], isFirst: boolean, isLast: boolean, paint: Paint): string[] {
  const head = isFirst ? 0 : contextLines;
  const tail = isLast ? 0 : contextLines;
  if (lines.length <= head + tail) return lines.map((line) => `  ${textOf(line)}`);
  const left = lines.length - head - tail;
  return [
    ...lines.slice(0, head).map((line) => `  ${textOf(line)}`),
    paint.dim(`  … ${countOf(left)} ${left === 1 ? 'unchanged line' : 'unchanged lines'}`),
    ...lines.slice(lines.length - tail).map((line) => `  ${textOf(line)}`),
  ];
}

function tableChanges({ by, addedColumns, removedColumns, added, removed, changed, same }: TableComparison, paint: Paint): string[] {
  const known = by === null ? 'position' : oneLine(by);
  const row = (one: object): string => cut(valueLine(one, maxChars), maxChars);
  return [
    `${countOf(added.length)} ${added.length === 1 ? 'row' : 'rows'} added, ${countOf(removed.length)} removed, ${countOf(changed.length)} changed, ${countOf(same)} unchanged; matched by ${known}.`,
    ...addedColumns.map((column) => paint.green(`+ column ${oneLine(column)}`)),
    ...removedColumns.map((column) => paint.red(`- column ${oneLine(column)}`)),
    ...bounded(removed, (one) => paint.red(`- ${row(one)}`), paint),
    ...bounded(added, (one) => paint.green(`+ ${row(one)}`), paint),
    ...bounded(
      changed,
      ({ row: place, cells }) =>
        `~ ${shown(place)}: ${cells.map(({ column, before, after }) => `${oneLine(column)} ${paint.red(shown(before))} → ${paint.green(shown(after))}`).join(', ')}`,
      paint,
    ),
  ];
}

function bounded<T>(list: readonly T[], lineOf: (item: T) => string, paint: Paint): string[] {
  const rest = list.length - maxRows;
  return [...list.slice(0, maxRows).map(lineOf), ...(rest > 0 ? [paint.dim(`… and ${countOf(rest)} more (--json shows all)`)] : [])];
}

function shown(value: unknown): string {
  return value === null || value === undefined ? '' : valueLine(value, 200);
}

function textOf(line: string): string {
  return cut(oneLine(line.replaceAll('\t', '    ')), maxChars);
}
