/** The newest runs of a flow or deployment. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { get } from '../../api/http.ts';
import { queryClient } from '../../api/query-client.ts';
import { useThrottledLive } from '../../api/refresh.ts';
import type { ListPage, RunEvent, RunRow } from '../../api/wire-types.ts';
import { Empty, Failed, LoadingRows } from '../../parts/notices.tsx';
import { RunDuration } from '../../parts/run-duration.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import table from '../../parts/table.module.css';
import { Time } from '../../parts/time.tsx';
import style from './flow-page.module.css';

/** Runs listed; the list of runs has them all. */
const listed = 10;
/** Refresh interval while events arrive, ms. */
const refreshMs = 1_000;

/** Live rows; the last line links to all runs. */
export function LastRuns({ query }: { readonly query: { readonly flow?: string; readonly deployment?: string } }) {
  const queryKey = ['runs', 'last', query];
  const { data, error, refetch } = useQuery({
    queryKey,
    queryFn: ({ signal }) => get<ListPage<RunRow>>('/runs', { ...query, limit: listed }, signal),
    refetchInterval: 15_000,
  });
  useThrottledLive<RunEvent | null>(
    'run',
    refreshMs,
    (event) => event !== null && (event.flow === query.flow || (event.deployment !== null && event.deployment === query.deployment)),
    () => void queryClient.invalidateQueries({ queryKey }),
  );
  if (data === undefined)
    return error === null ? <LoadingRows rows={4} /> : <Failed what="The last runs" error={error} retry={() => void refetch()} />;
  if (data.items.length === 0) return <Empty title="It has not run yet">Its runs appear here, the newest first.</Empty>;
  return (
    <>
      <table className={table.table}>
        <thead>
          <tr>
            <th>State</th>
            <th>Run</th>
            <th>Created</th>
            <th className={table.number}>Duration</th>
            <th>Why</th>
          </tr>
        </thead>
        <tbody>
          {data.items.map((run) => (
            <tr key={run.id}>
              <td>
                <StateBadge name={run.state.name} message={run.state.message} />
              </td>
              <td className={table.strong}>
                <Link to="/runs/$id" params={{ id: run.id }}>
                  {run.name}
                </Link>
              </td>
              <td>
                <Time at={run.createdAt} />
              </td>
              <td className={table.number}>
                <RunDuration run={run} />
              </td>
              <td className={`${table.wide} ${table.soft}`}>{run.error?.message ?? run.state.message ?? ''}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {data.next === null ? null : (
        <p className={style.soft}>
          <Link to="/runs" search={{ ...query, last: 'all' }}>
            All its runs
          </Link>
        </p>
      )}
    </>
  );
}
