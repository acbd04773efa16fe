/** Records as a table, drawn in portions. */
import { Button } from '@mantine/core';
import { useState } from 'react';
import style from './artifact-view.module.css';
import { describeValue } from './value-tree.ts';

/** Rows drawn at once. */
const stretch = 100;
/** Most columns; further keys are not shown. */
const mostColumns = 40;

/** A column for each key of the first thousand rows. */
export function TableView({ rows, name }: { readonly rows: readonly Readonly<Record<string, unknown>>[]; readonly name: string }) {
  const [shown, setShown] = useState(stretch);
  const columns = [...new Set(rows.slice(0, 1000).flatMap((row) => Object.keys(row)))].slice(0, mostColumns);
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
    </>
  );
}

/** Button for more of a list; nothing if all of it is shown. */
export function More({ shown, of, onMore }: { readonly shown: number; readonly of: number; readonly onMore: () => void }) {
  if (shown >= of) return null;
  return (
    <Button variant="subtle" size="compact-xs" onClick={onMore}>
      {`Show more of ${(of - shown).toLocaleString('en')}`}
    </Button>
  );
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'object') return JSON.stringify(value);
  return describeValue(value).text;
}
