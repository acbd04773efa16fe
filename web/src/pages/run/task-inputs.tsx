/** Inputs of a task run: results of others, expanded on demand. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { plural } from '../../parts/format.ts';
import { StateBadge } from '../../parts/state-badge.tsx';
import { type TaskCount, type TaskRunRow, taskRunQuery } from './run-data.ts';
import { labelOf } from './task-label.ts';
import style from './task-panel.module.css';
import { TravelledValue } from './travelled-value.tsx';

interface TaskInputsProps {
  readonly runId: string;
  /** From the server, in a code flow. */
  readonly inputs: readonly TaskRunRow[];
  /** Names of the tasks it needs, in a static graph. */
  readonly needs: readonly string[];
  readonly row: TaskRunRow;
  /** Task runs the page holds. */
  readonly rows: readonly TaskRunRow[];
  readonly counts: readonly TaskCount[];
  readonly onSelect: (task: string | null) => void;
}

/** The sources in order; a mapped one links to all its items. Nothing if there are none. */
export function TaskInputs({ runId, inputs, needs, row, rows, counts, onSelect }: TaskInputsProps) {
  if (inputs.length === 0 && needs.length === 0) return null;
  return (
    <section>
      <h3>Inputs</h3>
      <ul className={style.list}>
        {inputs.map((input) => (
          <Input key={input.id} runId={runId} input={input} />
        ))}
        {needs.map((name) => {
          const given = rows.filter((one) => one.name === name);
          const [only] = given;
          const total = counts.reduce((sum, one) => sum + (one.name === name ? one.count : 0), 0);
          if (given.length === 1 && only)
            return <Input key={name} runId={runId} input={only} note={row.index === null ? null : `item ${row.index}`} />;
          return (
            <li key={name}>
              <button type="button" className={style.item} onClick={() => onSelect(name)}>
                <span className={style.itemLabel}>{name}</span>
                <span className={style.soft}>{total === 0 ? 'not yet' : plural(total, 'result')}</span>
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Input({ runId, input, note = null }: { readonly runId: string; readonly input: TaskRunRow; readonly note?: string | null }) {
  const [open, setOpen] = useState(false);
  const { data } = useQuery({ ...taskRunQuery(runId, input.id), enabled: open });
  return (
    <li>
      <button type="button" className={style.item} aria-expanded={open} onClick={() => setOpen(!open)}>
        <StateBadge name={input.state.name} bare />
        <span className={style.itemLabel}>{labelOf(input)}</span>
        <span className={style.soft}>{note ?? (open ? 'hide' : 'show')}</span>
      </button>
      {open && data !== undefined ? (
        <TravelledValue value={data.result} label={`Result of ${labelOf(input)}`} none="It gave nothing." />
      ) : null}
    </li>
  );
}
