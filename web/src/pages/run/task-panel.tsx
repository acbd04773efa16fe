/** The selected task next to the graph: a task run with its states, inputs, result, error and log, or a mapped task with all its items. */
import { ActionIcon } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { idChars, isIdPart } from '../../../../src/model/ids.ts';
import type { StateName } from '../../../../src/model/state.ts';
import { useLive } from '../../api/live.ts';
import { readableName } from '../../graph/graph-model.ts';
import { Icon } from '../../parts/icon.tsx';
import { LoadingRows } from '../../parts/notices.tsx';
import { type RunDetail, type TaskRunRow, taskRunQuery, taskRunsOfQuery } from './run-data.ts';
import type { TaskEvent } from './task-run-list.ts';
import { labelOf } from './task-label.ts';
import style from './task-panel.module.css';
import { TaskGroup } from './task-group.tsx';
import { TaskRunFacts } from './task-run-facts.tsx';

interface TaskPanelProps {
  readonly detail: RunDetail;
  /** Null if there are so many that only those of the selected task are fetched. */
  readonly rows: readonly TaskRunRow[] | null;
  /** Name of a task, or id of a task run. */
  readonly selected: string;
  readonly onSelect: (task: string | null) => void;
}

/** The panel. Escape closes it. */
export function TaskPanel({ detail, rows, selected, onSelect }: TaskPanelProps) {
  const counted = detail.counts.filter(({ name }) => name === selected);
  const total = counted.reduce((sum, { count }) => sum + count, 0);
  const asked = useAskedRow(detail.run.id, selected, rows !== null ? null : wayToAsk(selected, total));
  const known = rows ?? asked.rows;
  const byId = known.find(({ id }) => id === selected);
  const ofName = byId ? [] : known.filter(({ name }) => name === selected);
  const many = ofName.length > 1 || total > 1;
  const row = byId ?? (many ? undefined : ofName[0]);
  const title = row ? labelOf(row) : readableName(selected);
  return (
    <aside className={style.panel} aria-label={`Task ${title}`} onKeyDown={(event) => event.key === 'Escape' && onSelect(null)}>
      <header className={style.head}>
        <h2 className={style.title}>{title}</h2>
        {row && row.index !== null ? (
          <button type="button" className={style.linkButton} onClick={() => onSelect(row.name)}>
            all of {row.name}
          </button>
        ) : null}
        <ActionIcon aria-label="Close" onClick={() => onSelect(null)}>
          <Icon name="close" />
        </ActionIcon>
      </header>
      {row ? (
        <TaskRunFacts key={row.id} detail={detail} row={row} rows={known} onSelect={onSelect} />
      ) : many ? (
        <TaskGroup
          key={selected}
          runId={detail.run.id}
          name={selected}
          rows={rows === null ? null : ofName}
          counts={Object.fromEntries(counted.map(({ state, count }) => [state as StateName, count]))}
          onSelect={onSelect}
        />
      ) : asked.isPending ? (
        <LoadingRows rows={3} />
      ) : (
        <p className={style.soft}>This task has not begun.</p>
      )}
    </aside>
  );
}

/** The selected task run, by its id or as the only one of its task, if the page does not hold them all. */
function useAskedRow(runId: string, selected: string, by: 'id' | 'name' | null) {
  const one = useQuery({ ...taskRunQuery(runId, selected), enabled: by === 'id', retry: false });
  const only = useQuery({ ...taskRunsOfQuery(runId, selected, null), enabled: by === 'name' });
  useLive<TaskEvent>('task', (event) => {
    if (by === 'id' && event?.id === selected) void one.refetch();
  });
  const rows = by === 'id' ? (one.data === undefined ? [] : [one.data.taskRun]) : by === 'name' ? (only.data ?? []) : [];
  return { rows, isPending: by === 'id' ? one.isPending : by === 'name' && only.isPending };
}

/** Null for a task with many task runs, or one that has not begun. */
function wayToAsk(selected: string, total: number): 'id' | 'name' | null {
  if (total === 1) return 'name';
  return total === 0 && selected.length === idChars && isIdPart(selected) ? 'id' : null;
}
