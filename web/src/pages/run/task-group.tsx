/** A mapped task, or one that a code flow called often: its states counted, and its task runs, failed ones first. */
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type { StateName } from '../../../../src/model/state.ts';
import { StateBar } from '../../graph/state-bar.tsx';
import { barOf, type StateCounts, totalOf, typeOfState } from '../../graph/state-counts.ts';
import { countText } from '../../parts/format.ts';
import { LoadingRows } from '../../parts/notices.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import { listedOfTask, type TaskRunRow, taskRunsOfQuery } from './run-data.ts';
import { labelOf } from './task-label.ts';
import style from './task-panel.module.css';

interface TaskGroupProps {
  readonly runId: string;
  readonly name: string;
  /** Null: fetched here, at most as many as listed. */
  readonly rows: readonly TaskRunRow[] | null;
  readonly counts: StateCounts;
  readonly onSelect: (task: string | null) => void;
}

const none: readonly TaskRunRow[] = [];

/** The group. It can be filtered by state. */
export function TaskGroup({ runId, name, rows, counts, onSelect }: TaskGroupProps) {
  const [state, setState] = useState<StateName | null>(null);
  const asked = useQuery({ ...taskRunsOfQuery(runId, name, state), enabled: rows === null });
  const held = rows ?? asked.data ?? none;
  const shown = useMemo(
    () => held.filter((row) => state === null || row.state.name === state).sort((a, b) => urgency(a) - urgency(b)),
    [held, state],
  );
  const total = rows === null ? (state === null ? totalOf(counts) : (counts[state] ?? 0)) : shown.length;
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
        {shown.slice(0, listedOfTask).map((row) => (
          <li key={row.id}>
            <button type="button" className={style.item} onClick={() => onSelect(row.id)}>
              <StateBadge name={row.state.name} bare />
              <span className={style.itemLabel}>{labelOf(row)}</span>
              <span className={style.soft}>{row.error?.message ?? ''}</span>
            </button>
          </li>
        ))}
      </ul>
      {asked.isLoading ? <LoadingRows rows={3} /> : null}
      {total > listedOfTask ? (
        <p
          className={style.soft}
        >{`${countText(total - listedOfTask)} more of ${countText(totalOf(counts))}; the tab Tasks has them all.`}</p>
      ) : null}
    </>
  );
}

/** Failed first, then running, then waiting, then done. */
function urgency({ state }: TaskRunRow): number {
  return { FAILED: 0, CRASHED: 0, RUNNING: 1, CANCELLING: 1, PAUSED: 2, SCHEDULED: 3, PENDING: 3, CANCELLED: 4, COMPLETED: 5 }[
    typeOfState(state.name)
  ];
}
