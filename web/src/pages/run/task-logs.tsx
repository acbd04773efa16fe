/** The last lines that a task run wrote. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useLive } from '../../api/live.ts';
import { levelName, shownText } from '../../logs/log-text.ts';
import { clockText } from '../../parts/format.ts';
import { loadLogs } from './run-data.ts';
import style from './task-panel.module.css';
import { useThrottled } from './use-run.ts';

/** Lines shown; the tab Logs has them all. */
const lines = 50;

/** The lines, and the way to all of them. */
export function TaskLogs({ runId, taskRunId, live }: { readonly runId: string; readonly taskRunId: string; readonly live: boolean }) {
  const client = useQueryClient();
  const queryKey = ['run', runId, 'task', taskRunId, 'logs'];
  const { data = [] } = useQuery({ queryKey, queryFn: ({ signal }) => loadLogs(runId, { task: taskRunId, tail: lines }, signal) });
  const refresh = useThrottled(() => client.invalidateQueries({ queryKey }), 500);
  useLive<{ readonly taskRunId: string | null }>('log', (line) => {
    if (live && line?.taskRunId === taskRunId) refresh();
  });
  return (
    <section>
      <h3>
        Log{' '}
        <Link className={style.link} to="/runs/$id" params={{ id: runId }} search={{ tab: 'logs', task: taskRunId }}>
          all lines
        </Link>
      </h3>
      {data.length === 0 ? (
        <p className={style.soft}>It wrote nothing.</p>
      ) : (
        <ol className={style.log}>
          {data.map((line) => (
            <li key={line.seq} data-level={levelName(line.level)}>
              <span className={style.soft}>{clockText(line.at, true)}</span> {shownText(line.message, true)}
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
