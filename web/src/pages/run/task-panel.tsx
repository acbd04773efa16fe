/** The selected task beside the graph: a task run with its states, inputs, result, error and log, or a mapped task with all its items. */
import { ActionIcon } from '@mantine/core';
import type { StateName } from '../../../../src/model/state.ts';
import { readableName } from '../../graph/graph-model.ts';
import { Icon } from '../../parts/icon.tsx';
import type { RunDetail, TaskRunRow } from './run-data.ts';
import { labelOf } from './task-label.ts';
import style from './task-panel.module.css';
import { TaskGroup } from './task-group.tsx';
import { TaskRunFacts } from './task-run-facts.tsx';

interface TaskPanelProps {
  readonly detail: RunDetail;
  readonly rows: readonly TaskRunRow[];
  /** Name of a task, or id of a task run. */
  readonly selected: string;
  readonly onSelect: (task: string | null) => void;
}

/** The panel. Escape closes it. */
export function TaskPanel({ detail, rows, selected, onSelect }: TaskPanelProps) {
  const byId = rows.find(({ id }) => id === selected);
  const ofName = byId ? [] : rows.filter(({ name }) => name === selected);
  const counted = detail.counts.filter(({ name }) => name === selected);
  const many = ofName.length > 1 || counted.reduce((sum, { count }) => sum + count, 0) > 1;
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
        <TaskRunFacts key={row.id} detail={detail} row={row} rows={rows} onSelect={onSelect} />
      ) : many ? (
        <TaskGroup
          name={selected}
          rows={ofName}
          counts={Object.fromEntries(counted.map(({ state, count }) => [state as StateName, count]))}
          onSelect={onSelect}
        />
      ) : (
        <p className={style.soft}>This task has not begun.</p>
      )}
    </aside>
  );
}
