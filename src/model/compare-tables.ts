/** Two tables compared row by row and cell by cell. Pure. */
import { BatutaError } from '../base/errors.ts';

/** A row of a table, by column. */
export type Row = Readonly<Record<string, unknown>>;

export interface CellChange {
  readonly column: string;
  readonly before: unknown;
  readonly after: unknown;
}

export interface RowChange {
  /** Identifies both rows: value of the column, or place, from 1. */
  readonly row: unknown;
  readonly cells: readonly CellChange[];
}

export interface TableComparison {
  readonly isSame: boolean;
  /** The column rows were matched by; null: by place. */
  readonly by: string | null;
  readonly addedColumns: readonly string[];
  readonly removedColumns: readonly string[];
  readonly added: readonly Row[];
  readonly removed: readonly Row[];
  readonly changed: readonly RowChange[];
  /** Rows equal in both. */
  readonly same: number;
}

/**
 * Rows are matched by a column, in any order. A column that only one table has is named once, and counts for no row.
 *
 * @param by default: the first column whose values are unique in both tables; null, or if there is none: rows are matched by place
 * @throws BatutaError ARTIFACT_INVALID if the values of `by` are not unique
 */
export function compareTables(before: readonly Row[], after: readonly Row[], by?: string | null): TableComparison {
  const [columnsBefore, columnsAfter] = [columnsOf(before), columnsOf(after)];
  // An empty table has no columns; the other's are not reported as a change.
  const isComparable = before.length > 0 && after.length > 0;
  const addedColumns = isComparable ? [...columnsAfter].filter((column) => !columnsBefore.has(column)) : [];
  const removedColumns = isComparable ? [...columnsBefore].filter((column) => !columnsAfter.has(column)) : [];
  const shared = new Set([...columnsAfter].filter((column) => columnsBefore.has(column)));
  const isKey = (one: string): boolean => isTelling(before, one) && isTelling(after, one);
  const column = by === undefined ? ([...shared].find(isKey) ?? null) : by;
  if (typeof by === 'string' && !isKey(by))
    throw new BatutaError('ARTIFACT_INVALID', `The column '${by}' does not tell the rows of both tables apart.`, {
      details: { column: by },
    });
  const keyOf = (row: Row, at: number): string => (column === null ? String(at) : JSON.stringify(row[column]));
  const rest = new Map(before.map((row, at) => [keyOf(row, at), row]));
  const added: Row[] = [];
  const changed: RowChange[] = [];
  let same = 0;
  for (const [at, row] of after.entries()) {
    const key = keyOf(row, at);
    const old = rest.get(key);
    rest.delete(key);
    if (old === undefined) added.push(row);
    else {
      const cells = changesOf(old, row, shared);
      if (cells.length === 0) same++;
      else changed.push({ row: column === null ? at + 1 : row[column], cells });
    }
  }
  const removed = [...rest.values()];
  const isSame = added.length + removed.length + changed.length + addedColumns.length + removedColumns.length === 0;
  return { isSame, by: column, addedColumns, removedColumns, added, removed, changed, same };
}

function columnsOf(rows: readonly Row[]): Set<string> {
  return new Set(rows.flatMap((row) => Object.keys(row)));
}

/** Whether every row has a unique text or number. */
export function isTelling(rows: readonly Row[], column: string): boolean {
  const values = new Set<unknown>();
  for (const row of rows) {
    const value = row[column];
    if ((typeof value !== 'string' && typeof value !== 'number') || values.has(value)) return false;
    values.add(value);
  }
  return true;
}

/** Over columns that either row has: there may be very many that neither does. */
function changesOf(before: Row, after: Row, shared: ReadonlySet<string>): CellChange[] {
  const gone = Object.keys(before).filter((column) => !Object.hasOwn(after, column));
  return [...Object.keys(after), ...gone].flatMap((column) => {
    if (!shared.has(column)) return [];
    const [a, b] = [ownValue(before, column), ownValue(after, column)];
    return a === b || JSON.stringify(a) === JSON.stringify(b) ? [] : [{ column, before: a, after: b }];
  });
}

function ownValue(row: Row, column: string): unknown {
  return Object.hasOwn(row, column) ? (row[column] ?? null) : null;
}
