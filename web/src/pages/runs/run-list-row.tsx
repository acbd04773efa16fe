/** One run in the list; a second line says why it waits or failed. */
import { Link } from '@tanstack/react-router';
import { shortId } from '../../../../src/model/ids.ts';
import type { RunRow } from '../../api/wire-types.ts';
import { ShareBar } from '../../parts/bar.tsx';
import { countText, plural } from '../../parts/format.ts';
import { RunDuration } from '../../parts/run-duration.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import { Time } from '../../parts/time.tsx';
import style from './run-list.module.css';

interface RunListRowProps {
  readonly ref: (element: HTMLElement | null) => void;
  readonly index: number;
  /** Position in the list, px. */
  readonly top: number;
  readonly run: RunRow;
  /** Longest duration of the loaded runs of its flow, ms. */
  readonly longestMs: number;
  /** Second line: why it waits or failed. */
  readonly why: string | null;
  readonly chosen: boolean;
  readonly onToggle: (id: string, upTo: boolean) => void;
}

/** A row; the link of its name covers it. */
export function RunListRow({ ref, index, top, run, longestMs, why, chosen, onToggle }: RunListRowProps) {
  return (
    <div
      ref={ref}
      role="row"
      data-index={index}
      data-run={run.id}
      aria-rowindex={index + 2}
      className={style.row}
      data-chosen={chosen || undefined}
      style={{ transform: `translateY(${top}px)` }}
    >
      <span role="cell" className={style.choose}>
        <input
          type="checkbox"
          aria-label={`Choose ${run.name}`}
          checked={chosen}
          onChange={(event) => onToggle(run.id, (event.nativeEvent as MouseEvent).shiftKey)}
        />
      </span>
      <span role="cell" data-column="state">
        <StateBadge name={run.state.name} message={run.state.message} />
      </span>
      <span role="cell" data-column="name">
        <Link to="/runs/$id" params={{ id: run.id }} search={{}} className={style.name}>
          {run.name}
        </Link>
        <code className={style.id} title={run.id}>
          {shortId(run.id)}
        </code>
        <span className={style.tags}>
          {run.owner?.reporter === undefined ? null : (
            <span
              className={style.soft}
              title={`Ran elsewhere: ${run.owner.reporter.name} ${run.owner.reporter.version}, ${run.owner.host}:${run.owner.pid}`}
            >
              from {run.owner.reporter.name}
            </span>
          )}
          {[...new Set(run.tags)].map((tag) => (
            <span key={tag} className={style.tag}>
              {tag}
            </span>
          ))}
        </span>
      </span>
      <span
        role="cell"
        data-column="flow"
        title={run.deployment === null || run.deployment === run.flow ? run.flow : `${run.deployment}, ${run.flow}`}
      >
        {run.deployment ?? run.flow}
        {run.deployment === null || run.deployment === run.flow ? null : <span className={style.soft}> {run.flow}</span>}
      </span>
      <span role="cell" data-column="started">
        <Started run={run} />
      </span>
      <span role="cell" data-column="duration">
        <DurationCell run={run} longestMs={longestMs} />
      </span>
      <span role="cell" data-column="tasks">
        <Tasks tasks={run.tasks} />
      </span>
      <span role="cell" data-column="attempt">
        {run.attempt > 1 || run.recoveries > 0 ? (
          <span title={run.recoveries > 0 ? `${plural(run.recoveries, 'owner')} lost` : undefined}>
            {run.attempt}
            {run.recoveries > 0 ? ` +${run.recoveries}` : ''}
          </span>
        ) : (
          <span className={style.soft}>1</span>
        )}
      </span>
      {why === null ? null : (
        <span role="cell" className={style.why} title={why}>
          {why}
        </span>
      )}
    </div>
  );
}

/** When it began; for a waiting run, when it is due. */
function Started({ run }: { readonly run: RunRow }) {
  if (run.startedAt !== null) return <Time at={run.startedAt} />;
  if (run.state.type === 'SCHEDULED') {
    return (
      <span className={style.soft}>
        <Time at={run.dueAt ?? run.scheduledFor ?? run.createdAt} />
      </span>
    );
  }
  return <Time at={null} />;
}

function DurationCell({ run, longestMs }: { readonly run: RunRow; readonly longestMs: number }) {
  return (
    <>
      <span className={style.length}>
        <RunDuration run={run} />
      </span>
      {run.durationMs === null ? null : <ShareBar parts={[{ share: run.durationMs / longestMs, tone: 'plain' }]} width={48} />}
    </>
  );
}

function Tasks({ tasks }: { readonly tasks: RunRow['tasks'] }) {
  if (tasks.total === 0) return <span className={style.soft}>–</span>;
  return (
    <>
      <ShareBar
        width={56}
        parts={[
          { share: (tasks.ended - tasks.failed - tasks.stopped) / tasks.total, tone: 'completed' },
          { share: tasks.failed / tasks.total, tone: 'failed' },
          { share: tasks.stopped / tasks.total, tone: 'stopped' },
        ]}
      />
      <span className={style.count}>
        {countText(tasks.ended)}/{countText(tasks.total)}
      </span>
    </>
  );
}
