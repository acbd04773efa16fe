/** Entries of the cache, last used first. */
import { Link } from '@tanstack/react-router';
import { shortId } from '../../../../src/model/ids.ts';
import type { CacheRow } from '../../api/wire-types.ts';
import { Action } from '../../parts/action.tsx';
import { countText } from '../../parts/format.ts';
import table from '../../parts/table.module.css';
import { Time } from '../../parts/time.tsx';

interface CacheTableProps {
  readonly entries: readonly CacheRow[];
  /** Why nothing may be cleared; null if it may. */
  readonly notAllowed: string | null;
  readonly onClear: (entry: CacheRow) => void;
}

/** The table. */
export function CacheTable({ entries, notAllowed, onClear }: CacheTableProps) {
  return (
    <table className={table.table}>
      <thead>
        <tr>
          <th>Task</th>
          <th>Made of</th>
          <th>Hits</th>
          <th>Misses</th>
          <th>Waits</th>
          <th>Made</th>
          <th>Ends</th>
          <th aria-label="Actions" />
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => (
          <tr key={entry.id}>
            <td className={table.strong}>
              <Link to="/flows/$name" params={{ name: entry.flow }}>
                {entry.flow}
              </Link>
              .{entry.task}
            </td>
            <td className={table.wide}>
              <code title={entry.shown}>{entry.shown}</code>
            </td>
            <td data-label="Hits">{countText(entry.hits)}</td>
            <td data-label="Misses">{countText(entry.misses)}</td>
            <td data-label="Waits">{countText(entry.waits)}</td>
            <td data-label="Made">
              <Made entry={entry} />
            </td>
            <td data-label="Ends">{entry.expiresAt === null ? 'never' : <Time at={entry.expiresAt} />}</td>
            <td>
              <Action size="compact-xs" disabledReason={notAllowed} onClick={() => onClear(entry)}>
                Clear
              </Action>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** When and by which run; a run computing it now is named instead. */
function Made({ entry: { madeAt, runId, taskRunId, makingRunId } }: { readonly entry: CacheRow }) {
  const run = madeAt === null ? makingRunId : runId;
  if (run === null) return null;
  return (
    <>
      {madeAt === null ? 'being made by ' : <Time at={madeAt} />}{' '}
      <Link to="/runs/$id" params={{ id: run }} search={madeAt === null || taskRunId === null ? {} : { task: taskRunId }}>
        {shortId(run)}
      </Link>
    </>
  );
}
