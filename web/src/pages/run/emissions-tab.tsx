/** Emissions of a run: its streams, and the values of one of them, live. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { isTerminal } from '../../../../src/model/state.ts';
import { countText, plural } from '../../parts/format.ts';
import { MoreButton } from '../../parts/more-button.tsx';
import { Empty, Failed, LoadingRows } from '../../parts/notices.tsx';
import { Panel } from '../../parts/page.tsx';
import table from '../../parts/table.module.css';
import { Time } from '../../parts/time.tsx';
import style from './rejects-tab.module.css';
import { emissionsQuery, streamsQuery } from './run-data.ts';
import type { TabProps } from './tab-props.ts';
import { TravelledValue } from './travelled-value.tsx';
import { useRunSearch } from './use-run-search.ts';

/** The tab. */
export function EmissionsTab({ detail: { run }, tasks }: TabProps) {
  const { search, set } = useRunSearch();
  const { data, error, refetch } = useQuery(streamsQuery(run.id, isTerminal(run.state.type)));
  useEffect(() => void refetch(), [run.state.name, refetch]);
  if (data === undefined)
    return error === null ? <LoadingRows /> : <Failed what="The streams" error={error} retry={() => void refetch()} />;
  const chosen = data.find(({ stream }) => stream === search.stream) ?? data[0];
  if (chosen === undefined)
    return (
      <Empty title="Nothing emitted">
        A task emits values while it runs with <code>await ctx.emit(&apos;progress&apos;, value)</code>; they appear here as they come.
      </Empty>
    );
  const nameOf = new Map(tasks.rows.map(({ id, name, index }) => [id, index === null ? name : `${name}[${index}]`]));
  return (
    <div className={style.stack}>
      <Panel title={plural(data.length, 'stream')}>
        <table className={table.table}>
          <thead>
            <tr>
              <th>Stream</th>
              <th className={table.number}>Values</th>
              <th>Last</th>
            </tr>
          </thead>
          <tbody>
            {data.map(({ stream, count, at }) => (
              <tr key={stream}>
                <td>
                  <button type="button" className={style.reason} aria-pressed={stream === chosen.stream} onClick={() => set({ stream })}>
                    {stream}
                  </button>
                </td>
                <td data-label="values" className={table.number}>
                  {countText(count)}
                </td>
                <td data-label="last">
                  <Time at={at} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Panel>
      <Values runId={run.id} stream={chosen.stream} newest={chosen.newest} nameOf={nameOf} />
    </div>
  );
}

interface ValuesProps {
  readonly runId: string;
  readonly stream: string;
  /** Number of the newest value. */
  readonly newest: number;
  readonly nameOf: ReadonlyMap<string, string>;
}

function Values({ runId, stream, newest, nameOf }: ValuesProps) {
  const query = useInfiniteQuery(emissionsQuery(runId, stream));
  const values = query.data?.pages.flatMap(({ items }) => items);
  const { hasNextPage, refetch } = query;
  const last = values?.at(-1)?.seq ?? 0;
  // While there are further pages, they include new values.
  const isBehind = values !== undefined && !hasNextPage && last < newest;
  useEffect(() => {
    if (isBehind) void refetch();
  }, [isBehind, newest, refetch]);
  if (values === undefined)
    return query.error === null ? <LoadingRows /> : <Failed what="The values" error={query.error} retry={() => void query.refetch()} />;
  return (
    <Panel title={`Values: ${stream}`}>
      <ol className={style.records}>
        {values.map(({ seq, taskRunId, attempt, at, value, isMissing }) => (
          <li key={seq}>
            <div className={style.head}>
              <span>{taskRunId === null ? 'run' : (nameOf.get(taskRunId) ?? taskRunId.slice(-8))}</span>
              {attempt > 1 ? <span>{`attempt ${attempt}`}</span> : null}
              <Time at={at} />
            </div>
            <TravelledValue value={value} label={`Value ${seq}`} none={isMissing ? 'The value is gone or damaged.' : 'undefined'} />
          </li>
        ))}
      </ol>
      <MoreButton query={query} />
    </Panel>
  );
}
