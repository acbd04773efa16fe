/** All task runs of a run, in a table that draws only visible rows. */
import { Select, TextInput } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useMemo, useRef } from 'react';
import { shortId } from '../../../../src/model/ids.ts';
import { isTerminal } from '../../../../src/model/state.ts';
import { barOf, type StateCounts } from '../../graph/state-counts.ts';
import { useNow } from '../../now.ts';
import { bothClocks, countText, plural, relativeText } from '../../parts/format.ts';
import { Empty, Failed, LoadingRows } from '../../parts/notices.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import { wordsOf } from '../../parts/state.ts';
import { Duration } from '../../parts/time.tsx';
import type { TaskRunRow } from './run-data.ts';
import type { TabProps } from './tab-props.ts';
import { labelOf } from './task-label.ts';
import { TaskProgress } from './task-progress.tsx';
import style from './tasks-tab.module.css';
import { useRunSearch } from './use-run-search.ts';

const rowPx = 32;

/** Filters above, task runs in recorded order below. */
export function TasksTab({ tasks, selected, onSelect }: TabProps) {
  const { search, set } = useRunSearch();
  const counts = useMemo(() => countStates(tasks.rows), [tasks.rows]);
  const shown = useMemo(() => filtered(tasks.rows, search.search, search.state), [tasks.rows, search.search, search.state]);
  if (tasks.error !== null && tasks.rows.length === 0) return <Failed what="The tasks" error={tasks.error} retry={tasks.reload} />;
  if (tasks.rows.length === 0)
    return tasks.complete ? <Empty title="No task has begun">They appear with the first one.</Empty> : <LoadingRows />;
  return (
    <>
      <div className={style.toolbar}>
        <Select
          aria-label="State"
          placeholder="All states"
          clearable
          data={barOf(counts).map(({ state, count }) => ({ value: state, label: `${wordsOf(state)} (${countText(count)})` }))}
          value={search.state ?? null}
          onChange={(state) => set({ state: state ?? undefined }, true)}
        />
        <TextInput
          data-search
          aria-label="Part of the name"
          placeholder="Part of the name"
          value={search.search ?? ''}
          onChange={(event) => set({ search: event.currentTarget.value === '' ? undefined : event.currentTarget.value }, true)}
        />
        <span className={style.count} role="status">
          {shown.length === tasks.rows.length
            ? plural(shown.length, 'task run')
            : `${countText(shown.length)} of ${plural(tasks.rows.length, 'task run')}`}
          {tasks.cut ? ', the first of more' : tasks.complete ? '' : ', more are coming'}
        </span>
      </div>
      <Rows rows={shown} selected={selected} onSelect={onSelect} />
    </>
  );
}

function Rows({ rows, selected, onSelect }: { readonly rows: readonly TaskRunRow[] } & Pick<TabProps, 'selected' | 'onSelect'>) {
  const box = useRef<HTMLDivElement>(null);
  const now = useNow(10_000);
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => rowPx,
    getItemKey: (at) => rows[at]?.id ?? at,
    overscan: 12,
    useFlushSync: false,
  });
  return (
    <div ref={box} className={style.box} tabIndex={0} role="region" aria-label="Task runs">
      <div role="table" aria-rowcount={rows.length + 1}>
        <div role="row" className={style.head}>
          {['State', 'Task', 'Started', 'Duration', 'Attempt', 'What happened'].map((name) => (
            <span role="columnheader" key={name}>
              {name}
            </span>
          ))}
        </div>
        <div role="rowgroup" className={style.rows} style={{ height: virtualizer.getTotalSize() }}>
          {virtualizer.getVirtualItems().map(({ index, key, start }) => {
            const row = rows[index];
            if (row === undefined) return null;
            return (
              <div
                key={key}
                role="row"
                aria-rowindex={index + 2}
                className={style.row}
                data-selected={row.id === selected || undefined}
                style={{ transform: `translateY(${start}px)` }}
              >
                <TaskCells row={row} now={now} isSelected={row.id === selected} onSelect={onSelect} />
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

interface TaskCellsProps extends Pick<TabProps, 'onSelect'> {
  readonly row: TaskRunRow;
  /** Epoch ms, coarse. */
  readonly now: number;
  readonly isSelected: boolean;
}

/** Drawn by the hundred while scrolling, so without tooltips. */
const TaskCells = memo(function TaskCells({ row, now, isSelected, onSelect }: TaskCellsProps) {
  const { startedAt, endedAt, state } = row;
  return (
    <>
      <span role="cell">
        <StateBadge name={state.name} message={state.message} />
      </span>
      <span role="cell" className={style.name}>
        <button type="button" onClick={() => onSelect(isSelected ? null : row.id)}>
          {labelOf(row)}
        </button>
      </span>
      <span role="cell" className={style.soft}>
        {startedAt === null ? null : <span title={clocksText(startedAt)}>{relativeText(startedAt, Math.max(now, startedAt))}</span>}
      </span>
      <span role="cell">
        {startedAt !== null && endedAt !== null ? (
          <Duration ms={endedAt - startedAt} />
        ) : (
          <Duration since={isTerminal(state.type) ? null : startedAt} />
        )}
        {startedAt !== null && row.attempt > 1 ? <span title="With the waits between its attempts"> in all</span> : null}
      </span>
      <span role="cell">{row.attempt > 1 ? row.attempt : ''}</span>
      {state.type === 'RUNNING' && row.progress !== null ? (
        <span role="cell" className={style.progress}>
          <TaskProgress progress={row.progress} />
        </span>
      ) : (
        <span role="cell" className={style.why}>
          {row.error === null && row.cachedFrom
            ? `Its value was made by run ${shortId(row.cachedFrom.runId)}.`
            : (row.error?.message ?? state.message ?? '')}
        </span>
      )}
    </>
  );
});

function clocksText(at: number): string {
  const { local, utc } = bothClocks(at);
  return `${local}\n${utc}`;
}

function filtered(rows: readonly TaskRunRow[], search: string | undefined, state: string | undefined): readonly TaskRunRow[] {
  const part = search?.toLowerCase();
  return rows.filter(
    (row) => (state === undefined || row.state.name === state) && (part === undefined || labelOf(row).toLowerCase().includes(part)),
  );
}

function countStates(rows: readonly TaskRunRow[]): StateCounts {
  const counts: Record<string, number> = {};
  for (const { state } of rows) counts[state.name] = (counts[state.name] ?? 0) + 1;
  return counts;
}
