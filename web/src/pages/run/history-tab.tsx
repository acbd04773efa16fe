/** The history of the run by transition: states, attempts and owners. */
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { durationText } from '../../parts/format.ts';
import { Failed, LoadingRows } from '../../parts/notices.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import table from '../../parts/table.module.css';
import { Time } from '../../parts/time.tsx';
import { transitionsQuery } from './run-data.ts';
import type { TabProps } from './tab-props.ts';
import { WorkerName } from './worker-name.tsx';

/** The history of the run itself; that of its tasks is with each. */
export function HistoryTab({ detail: { run } }: TabProps) {
  const { data, error, refetch } = useQuery(transitionsQuery(run.id, 'none'));
  useEffect(() => void refetch(), [run.state.name, run.attempt, run.epoch, refetch]);
  if (data === undefined)
    return error === null ? <LoadingRows /> : <Failed what="The history" error={error} retry={() => void refetch()} />;
  return (
    <table className={table.table}>
      <thead>
        <tr>
          <th>At</th>
          <th>State</th>
          <th>After</th>
          <th>Attempt</th>
          <th>Owner</th>
          <th>Why</th>
        </tr>
      </thead>
      <tbody>
        {data.map((change, at) => (
          // oxlint-disable-next-line react/no-array-index-key -- the history only grows at its end.
          <tr key={at}>
            <td>
              <Time at={change.at} as="exact" />
            </td>
            <td>
              <StateBadge name={change.name} />
            </td>
            <td data-label="after">{at === 0 ? '–' : `+${durationText(change.at - (data[at - 1]?.at ?? change.at))}`}</td>
            <td data-label="attempt">{change.attempt}</td>
            <td data-label="owner">{change.owner === null ? '–' : <WorkerName id={change.owner} />}</td>
            <td className={`${table.whole} ${table.soft}`}>{change.message ?? ''}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
