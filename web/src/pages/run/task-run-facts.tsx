/** All details of one task run. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect } from 'react';
import { readStoredGraph } from '../../graph/stored-graph.ts';
import { durationText, numberText } from '../../parts/format.ts';
import { Failed, LoadingRows } from '../../parts/notices.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import { Duration, Time } from '../../parts/time.tsx';
import { isolationWords } from '../../../../src/model/isolation-words.ts';
import { shortId } from '../../../../src/model/ids.ts';
import { isTerminal } from '../../../../src/model/state.ts';
import { CallArgs } from './call-args.tsx';
import { FailureView } from './failure-view.tsx';
import { type RunDetail, type TaskRunRow, taskRunQuery, transitionsQuery } from './run-data.ts';
import { TaskInputs } from './task-inputs.tsx';
import { LastLines } from './last-lines.tsx';
import { Used } from './used.tsx';
import style from './task-panel.module.css';
import { TaskProgress } from './task-progress.tsx';
import { TravelledValue } from './travelled-value.tsx';

interface TaskRunFactsProps {
  readonly detail: RunDetail;
  readonly row: TaskRunRow;
  readonly rows: readonly TaskRunRow[];
  readonly onSelect: (task: string | null) => void;
}

/** Facts, error, inputs, result, history and log. */
export function TaskRunFacts({ detail, row, rows, onSelect }: TaskRunFactsProps) {
  const { run, flow } = detail;
  const { data, error, refetch } = useQuery(taskRunQuery(run.id, row.id));
  const history = useQuery(transitionsQuery(run.id, row.id));
  const refetchHistory = history.refetch;
  useEffect(() => {
    // A change of state brings a result, an error, or another attempt.
    void refetch();
    void refetchHistory();
  }, [row.state.name, row.attempt, refetch, refetchHistory]);

  const taskRun = data?.taskRun ?? row;
  const times = data?.times ?? null;
  const ended = isTerminal(row.state.type);
  // While it runs, the row is newer.
  const progress = ended ? taskRun.progress : (row.progress ?? taskRun.progress);
  const task = readStoredGraph(flow?.graph).tasks.find(({ name }) => name === row.name);
  const isolation = task === undefined ? [] : isolationWords(task);
  return (
    <div className={style.facts}>
      <div className={style.line}>
        <StateBadge name={row.state.name} message={row.state.message} />
        {row.startedAt !== null && row.endedAt !== null ? (
          <Duration ms={times?.executingMs ?? row.endedAt - row.startedAt} />
        ) : (
          <Duration since={ended ? null : row.startedAt} />
        )}
        {times === null || times.suspendedMs < 1_000 ? null : (
          <span className={style.soft}>
            suspended <Duration ms={times.suspendedMs} />
          </span>
        )}
        {times === null || times.waitingMs < 1_000 ? null : (
          <span className={style.soft}>
            waited <Duration ms={times.waitingMs} /> between its attempts
          </span>
        )}
        {taskRun.resultBytes ? <span className={style.soft}>result of {(taskRun.resultBytes / 1_048_576).toFixed(1)} MiB</span> : null}
        <Used usage={taskRun} />
        {isolation.length === 0 ? null : <span className={style.soft}>{isolation.join(' · ')}</span>}
        <span>{row.attempt > 1 ? `attempt ${row.attempt}` : null}</span>
        {row.startedAt === null ? null : <Time at={row.startedAt} />}
      </div>
      {row.state.message === null || row.error !== null || taskRun.cachedFrom ? null : <p className={style.soft}>{row.state.message}</p>}
      {progress === null ? null : <TaskProgress progress={progress} />}
      {taskRun.cachedFrom ? (
        <p>
          Its value was made by{' '}
          <Link
            className={style.link}
            to="/runs/$id"
            params={{ id: taskRun.cachedFrom.runId }}
            search={{ task: taskRun.cachedFrom.taskRunId }}
          >
            run {shortId(taskRun.cachedFrom.runId)}
          </Link>{' '}
          <Time at={taskRun.cachedFrom.madeAt} />
        </p>
      ) : null}
      {taskRun.childRunId === null ? null : (
        <p>
          <Link className={style.link} to="/runs/$id" params={{ id: taskRun.childRunId }}>
            Open the run of the sub-flow
          </Link>
        </p>
      )}
      {taskRun.error === null ? null : (
        <section>
          <h3>Error</h3>
          <FailureView failure={taskRun.error} />
        </section>
      )}
      {error !== null && data === undefined ? <Failed what="The task run" error={error} retry={() => void refetch()} /> : null}
      {data === undefined && error === null ? <LoadingRows rows={3} /> : null}
      {data === undefined ? null : (
        <>
          {taskRun.callArgs === null || taskRun.callArgs === undefined ? null : (
            <CallArgs args={taskRun.callArgs} rows={[...rows, ...data.inputs]} onSelect={onSelect} />
          )}
          <TaskInputs
            runId={run.id}
            inputs={data.inputs}
            needs={task ? [...(task.each === null ? [] : [task.each]), ...task.needs] : []}
            row={row}
            rows={rows}
            counts={detail.counts}
            onSelect={onSelect}
          />
          <section>
            <h3>Result</h3>
            <TravelledValue value={data.result} label="Result" none={noResult(taskRun, ended)} />
          </section>
        </>
      )}
      {taskRun.metrics === null || Object.keys(taskRun.metrics).length === 0 ? null : (
        <section>
          <h3>Metrics</h3>
          <dl className={style.metrics}>
            {Object.entries(taskRun.metrics).map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{numberText(value)}</dd>
              </div>
            ))}
          </dl>
        </section>
      )}
      <section>
        <h3>States</h3>
        <ol className={style.history}>
          {(history.data ?? []).map((change, at, all) => (
            // oxlint-disable-next-line react/no-array-index-key -- the history only grows at its end.
            <li key={at}>
              <StateBadge name={change.name} />
              <span className={style.soft}>{change.attempt > 1 ? `attempt ${change.attempt}` : ''}</span>
              <span className={style.soft}>{at === 0 ? '' : `+${durationText(change.at - (all[at - 1]?.at ?? change.at))}`}</span>
              <span className={style.when}>
                <Time at={change.at} as="clock" />
              </span>
              {change.message === null || change.name === 'Cached' ? null : <span className={style.reason}>{change.message}</span>}
            </li>
          ))}
        </ol>
      </section>
      <LastLines runId={run.id} taskRunId={row.id} lines={50} live={!ended} />
    </div>
  );
}

function noResult({ resultBytes }: { readonly resultBytes?: number | null | undefined }, ended: boolean): string {
  if (resultBytes !== null && resultBytes !== undefined)
    return `A result of ${resultBytes.toLocaleString('en')} bytes was recorded but is not available here: it was deleted, or was not transferred from where the run ran.`;
  return ended ? 'No result was recorded.' : 'It is there once the task has completed.';
}
