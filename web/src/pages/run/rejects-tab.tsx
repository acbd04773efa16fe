/** Where the records of a run went: counts per stream task, rejected records by reason, listed, as a file, and replayed to their tasks. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import type { RejectCounts } from '../../../../src/model/dead-letters.ts';
import { isTerminal } from '../../../../src/model/state.ts';
import { apiAddress, send } from '../../api/http.ts';
import { usePermission } from '../../api/session.ts';
import type { RunRow } from '../../api/wire-types.ts';
import { Action } from '../../parts/action.tsx';
import { Confirm } from '../../parts/confirm.tsx';
import { countText, percentText, plural } from '../../parts/format.ts';
import { MoreButton } from '../../parts/more-button.tsx';
import { Empty, Failed, LoadingRows } from '../../parts/notices.tsx';
import { Panel } from '../../parts/page.tsx';
import table from '../../parts/table.module.css';
import { ValueView } from '../../values/value-view.tsx';
import style from './rejects-tab.module.css';
import { rejectCountsQuery, rejectsQuery, runPath } from './run-data.ts';
import { StageTable } from './stage-table.tsx';
import type { TabProps } from './tab-props.ts';

/** Which records are listed. */
interface Chosen {
  readonly task: string;
  readonly reason: string;
}

/** The tab. */
export function RejectsTab({ detail: { run }, tasks }: TabProps) {
  const { data, error, refetch } = useQuery(rejectCountsQuery(run.id));
  const [chosen, setChosen] = useState<Chosen | null>(null);
  useEffect(() => void refetch(), [run.state.name, refetch]);
  if (data === undefined)
    return error === null ? <LoadingRows /> : <Failed what="The rejected records" error={error} retry={() => void refetch()} />;
  return (
    <div className={style.stack}>
      <StageTable rows={tasks.rows} />
      {data.total === 0 ? (
        <Empty title="No rejected records">
          A task puts a record aside with <code>ctx.reject(record, reason)</code> and goes on; it appears here with its reason and position.
        </Empty>
      ) : (
        <>
          <Panel title={`${plural(data.total, 'record')} rejected`} aside={<Deeds run={run} total={data.total} />}>
            <Reasons counts={data} chosen={chosen} onChoose={setChosen} />
          </Panel>
          <Records runId={run.id} chosen={chosen} />
        </>
      )}
    </div>
  );
}

function Deeds({ run, total }: { readonly run: TabProps['detail']['run']; readonly total: number }) {
  const navigate = useNavigate();
  const may = usePermission('operator');
  const [isAsked, setAsked] = useState(false);
  const why = may.why ?? (isTerminal(run.state.type) ? null : 'It has not ended.');
  return (
    <>
      <a href={apiAddress(`${runPath(run.id)}/rejects/download`)} download className={style.link}>
        Download JSONL
      </a>
      <Action size="xs" disabledReason={why} onClick={() => setAsked(true)}>
        Retry rejected
      </Action>
      <Confirm
        opened={isAsked}
        onClose={() => setAsked(false)}
        title="Retry rejected"
        onConfirm={async () => {
          const { id } = await send<RunRow>('POST', `${runPath(run.id)}/rejects/retry`);
          await navigate({ to: '/runs/$id', params: { id } });
        }}
      >
        <p>
          {`A new run of ${run.flow} with the same parameters reads no source: each task of a stream is given the records that it had rejected, ${plural(total, 'record')} in all. What a source itself has rejected is not given back.`}
        </p>
      </Confirm>
    </>
  );
}

interface ReasonsProps {
  readonly counts: RejectCounts;
  readonly chosen: Chosen | null;
  readonly onChoose: (chosen: Chosen | null) => void;
}

function Reasons({ counts: { reasons, total, others }, chosen, onChoose }: ReasonsProps) {
  return (
    <table className={table.table}>
      <thead>
        <tr>
          <th>Task</th>
          <th>Reason</th>
          <th className={table.number}>Records</th>
          <th className={table.number}>Share</th>
        </tr>
      </thead>
      <tbody>
        {reasons.map(({ task, reason, count }) => {
          const isChosen = chosen?.task === task && chosen.reason === reason;
          return (
            <tr key={`${task}\n${reason}`}>
              <td>{task}</td>
              <td data-label="reason">
                <button
                  type="button"
                  className={style.reason}
                  aria-pressed={isChosen}
                  onClick={() => onChoose(isChosen ? null : { task, reason })}
                >
                  {reason === '' ? 'No reason was given' : reason}
                </button>
              </td>
              <td data-label="records" className={table.number}>
                {countText(count)}
              </td>
              <td data-label="share" className={table.number}>
                {percentText(count / total)}
              </td>
            </tr>
          );
        })}
        {others === 0 ? null : (
          <tr>
            <td colSpan={2}>Other reasons</td>
            <td className={table.number}>{countText(others)}</td>
            <td className={table.number}>{percentText(others / total)}</td>
          </tr>
        )}
      </tbody>
    </table>
  );
}

function Records({ runId, chosen }: { readonly runId: string; readonly chosen: Chosen | null }) {
  const query = useInfiniteQuery(rejectsQuery(runId, chosen ?? {}));
  const letters = query.data?.pages.flatMap(({ items }) => items);
  if (letters === undefined)
    return query.error === null ? <LoadingRows /> : <Failed what="The records" error={query.error} retry={() => void query.refetch()} />;
  return (
    <Panel title={chosen === null ? 'Records' : `Records: ${chosen.reason}`}>
      <ol className={style.records}>
        {letters.map(({ reason, stage, position, record }, at) => (
          // oxlint-disable-next-line react/no-array-index-key -- they stay in the order in which they were kept.
          <li key={at}>
            <div className={style.head}>
              <strong>{reason === '' ? 'No reason was given' : reason}</strong>
              <span>{stage}</span>
              {position === null ? null : <span>{`at ${typeof position === 'string' ? position : JSON.stringify(position)}`}</span>}
            </div>
            <ValueView value={record} label={`Record ${at + 1}`} />
          </li>
        ))}
      </ol>
      <MoreButton query={query} />
    </Panel>
  );
}
