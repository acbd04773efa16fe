/** Records as a table, drawn in portions. */
import { Button } from '@mantine/core';
import { useMemo, useState } from 'react';
import style from './artifact-view.module.css';
import { describeValue } from './value-tree.ts';

/** Rows drawn at once. */
const stretch = 100;
/** Columns drawn at once. */
const columnStretch = 40;

/** A column for each key of any row. */
export function TableView({ rows, name }: { readonly rows: readonly Readonly<Record<string, unknown>>[]; readonly name: string }) {
  const [shown, setShown] = useState(stretch);
  const [shownColumns, setShownColumns] = useState(columnStretch);
  const allColumns = useMemo(() => keysOf(rows), [rows]);
  const columns = allColumns.slice(0, shownColumns);
  if (rows.length === 0) return <p className={style.soft}>The table has no rows.</p>;
  return (
    <>
      <div className={style.scroll} tabIndex={0} role="region" aria-label={name}>
        <table className={style.table}>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column}>{column}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, shown).map((row, at) => (
              // oxlint-disable-next-line react/no-array-index-key -- the rows never change.
              <tr key={at}>
                {columns.map((column) => (
                  <td key={column} data-number={typeof row[column] === 'number' || undefined}>
                    {cellText(row[column])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <More shown={shown} of={rows.length} onMore={() => setShown(shown + stretch * 5)} />
      <More what="columns" shown={shownColumns} of={allColumns.length} onMore={() => setShownColumns(shownColumns + columnStretch)} />
    </>
  );
}

interface MoreProps {
  readonly shown: number;
  readonly of: number;
  readonly onMore: () => void;
  /** Default: rows. */
  readonly what?: string;
}

/** Button for more of a list; nothing if all of it is shown. */
export function More({ shown, of, onMore, what }: MoreProps) {
  if (shown >= of) return null;
  return (
    <Button variant="subtle" size="compact-xs" onClick={onMore}>
      {`Show more of ${(of - shown).toLocaleString('en')}${what === undefined ? '' : ` ${what}`}`}
    </Button>
  );
}

function keysOf(rows: readonly object[]): string[] {
  const keys = new Set<string>();
  for (const row of rows) for (const key of Object.keys(row)) keys.add(key);
  return [...keys];
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'object') return JSON.stringify(value);
  return describeValue(value).text;
}
