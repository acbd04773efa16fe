/** The last lines of the log of a run, or of one task run. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useLive } from '../../api/live.ts';
import { useSeesPayloads } from '../../api/session.ts';
import { levelName, shownText } from '../../logs/log-text.ts';
import { clockText } from '../../parts/format.ts';
import { Hidden } from '../../parts/hidden.tsx';
import { loadLogs, type TaskRunRow } from './run-data.ts';
import { labelOf } from './task-label.ts';
import style from './task-panel.module.css';
import { useThrottled } from './use-run.ts';

interface LastLinesProps {
  readonly runId: string;
  /** Null for the whole run. */
  readonly taskRunId: string | null;
  /** Most lines shown; the tab Logs has them all. */
  readonly lines: number;
  readonly live: boolean;
  /** Task runs whose names are shown next to their lines. */
  readonly named?: readonly TaskRunRow[];
}

/** The lines, and a link to all of them. */
export function LastLines(props: LastLinesProps) {
  if (useSeesPayloads()) return <ShownLines {...props} />;
  return (
    <section className={classOf(props)}>
      <h3>Log</h3>
      <Hidden />
    </section>
  );
}

function classOf({ taskRunId }: LastLinesProps): string | undefined {
  return taskRunId === null ? `${style.lastLines} ${style.below}` : style.lastLines;
}

function ShownLines(props: LastLinesProps) {
  const { runId, taskRunId, lines, live, named = [] } = props;
  const client = useQueryClient();
  const queryKey = ['run', runId, 'task', taskRunId ?? '', 'logs'];
  const task = taskRunId ?? undefined;
  const { data, isPending } = useQuery({ queryKey, queryFn: ({ signal }) => loadLogs(runId, { task, tail: lines }, signal) });
  const refresh = useThrottled(() => client.invalidateQueries({ queryKey }), 500);
  useLive<{ readonly runId: string; readonly taskRunId: string | null }>('log', (line) => {
    if (live && (taskRunId === null ? line?.runId === runId : line?.taskRunId === taskRunId)) refresh();
  });
  return (
    <section className={classOf(props)}>
      <h3>
        Log{' '}
        <Link className={style.link} to="/runs/$id" params={{ id: runId }} search={{ tab: 'logs', task }}>
          all lines
        </Link>
      </h3>
      {isPending ? null : data === undefined || data.length === 0 ? (
        <p className={style.soft}>No log lines.</p>
      ) : (
        <ol className={style.log}>
          {data.map((line) => {
            const of = named.find(({ id }) => id === line.taskRunId);
            return (
              <li key={line.seq} data-level={levelName(line.level)}>
                <span className={style.soft}>
                  {clockText(line.at, true)} {of === undefined ? null : `${labelOf(of)} `}
                </span>
                {shownText(line.message, true)}
              </li>
            );
          })}
        </ol>
      )}
    </section>
  );
}
