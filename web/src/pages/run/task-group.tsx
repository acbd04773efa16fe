/** A mapped task, or a task that a code flow called often: its states counted, and its task runs, those with trouble first. */
import { useMemo, useState } from 'react';
import { StateBar } from '../../graph/state-bar.tsx';
import { barOf, type StateCounts, totalOf, typeOfState } from '../../graph/state-counts.ts';
import { countText } from '../../parts/format.ts';
import { StateBadge } from '../../parts/state-badge.tsx';
import type { TaskRunRow } from './run-data.ts';
import { labelOf } from './task-label.ts';
import style from './task-panel.module.css';

/** Task runs listed; the list of tasks has them all. */
const listed = 100;

interface TaskGroupProps {
  readonly name: string;
  readonly rows: readonly TaskRunRow[];
  readonly counts: StateCounts;
  readonly onSelect: (task: string | null) => void;
}

/** The group. A state can be chosen to see only those. */
export function TaskGroup({ name, rows, counts, onSelect }: TaskGroupProps) {
  const [state, setState] = useState<string | null>(null);
  const shown = useMemo(
    () => rows.filter((row) => state === null || row.state.name === state).sort((a, b) => urgency(a) - urgency(b)),
    [rows, state],
  );
  return (
    <>
      <StateBar counts={counts} />
      <div className={style.chips} role="group" aria-label={`States of ${name}`}>
        {barOf(counts).map((piece) => (
          <button
            key={piece.state}
            type="button"
            className={style.chip}
            aria-pressed={state === piece.state}
            onClick={() => setState(state === piece.state ? null : piece.state)}
          >
            <StateBadge name={piece.state} /> {countText(piece.count)}
          </button>
        ))}
      </div>
      <ul className={style.list}>
        {shown.slice(0, listed).map((row) => (
          <li key={row.id}>
            <button type="button" className={style.item} onClick={() => onSelect(row.id)}>
              <StateBadge name={row.state.name} bare />
              <span className={style.itemLabel}>{labelOf(row)}</span>
              <span className={style.soft}>{row.error?.message ?? ''}</span>
            </button>
          </li>
        ))}
      </ul>
      {shown.length > listed ? (
        <p
          className={style.soft}
        >{`${countText(shown.length - listed)} more of ${countText(totalOf(counts))}; the tab Tasks has them all.`}</p>
      ) : null}
    </>
  );
}

/** Trouble first, then what moves, then what waits, then what is done. */
function urgency({ state }: TaskRunRow): number {
  return { FAILED: 0, CRASHED: 0, RUNNING: 1, CANCELLING: 1, PAUSED: 2, SCHEDULED: 3, PENDING: 3, CANCELLED: 4, COMPLETED: 5 }[
    typeOfState(state.name)
  ];
}
