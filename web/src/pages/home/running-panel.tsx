/** Running runs and their progress. */
import { Link } from '@tanstack/react-router';
import type { RunRow } from '../../api/wire-types.ts';
import { ShareBar } from '../../parts/bar.tsx';
import { plural } from '../../parts/format.ts';
import { Panel } from '../../parts/page.tsx';
import { wholePercentText } from '../../parts/progress.ts';
import { RunDuration } from '../../parts/run-duration.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import style from './rows.module.css';

/** Rows shown; the rest is behind a link. */
const shown = 8;

/** Running runs with a bar of their task runs, running ones by their progress. `running` is the total number. */
export function RunningPanel({ runs, running }: { readonly runs: readonly RunRow[]; readonly running: number }) {
  return (
    <Panel
      title="Running now"
      aside={
        running > Math.min(shown, runs.length) ? (
          <Link to="/runs" search={{ state: ['RUNNING'], last: 'all' }}>
            all {running}
          </Link>
        ) : undefined
      }
    >
      {runs.length === 0 ? <p className={style.none}>Nothing is running.</p> : null}
      <ul className={style.rows}>
        {runs.slice(0, shown).map((run) => (
          <li key={run.id}>
            <Link to="/runs/$id" params={{ id: run.id }} search={{}} className={`${style.row} ${style.single}`}>
              <StateBadge name={run.state.name} message={run.state.message} bare />
              <span className={style.name}>{run.deployment ?? run.flow}</span>
              <span className={`${style.soft} ${style.wide}`}>{run.name}</span>
              <Progress tasks={run.tasks} />
              <span className={style.duration}>
                <RunDuration run={run} />
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Progress({ tasks }: { readonly tasks: RunRow['tasks'] }) {
  const share = tasks.total === 0 ? 0 : Math.min(1, (tasks.ended + tasks.underWay) / tasks.total);
  const [failed, stopped] = tasks.total === 0 ? [0, 0] : [tasks.failed / tasks.total, tasks.stopped / tasks.total];
  return (
    <span className={style.progress}>
      <ShareBar
        parts={[
          { share: share - failed - stopped, tone: 'running' },
          { share: failed, tone: 'failed' },
          { share: stopped, tone: 'stopped' },
        ]}
        label={`${tasks.ended} of ${plural(tasks.total, 'task run')} ended${tasks.failed > 0 ? `, ${tasks.failed} failed` : ''}`}
      />
      <span className={style.percent} aria-hidden="true">
        {wholePercentText(share)}
      </span>
    </span>
  );
}
