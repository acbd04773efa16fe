/**
 * Contract of what writes a history into an empty store, past the recorder: rows as the recorder would have written them, many
 * thousands a transaction. Makers stand beside it.
 */
import type { Value } from '../../src/store/table.ts';
import {
  artifactValues,
  logValues,
  newRunValues,
  taskRunValues,
  transitionValues,
  artifactTable,
  logTable,
  runTable,
  taskRunTable,
  transitionTable,
} from '../../src/store/tables.ts';
import type { RunRows } from './rows-of-run.ts';

export interface BulkWriter {
  /** One transaction. */
  write(tables: readonly BulkTable[]): Promise<void>;
  /** Puts back what was set for speed, and closes. */
  close(): Promise<void>;
}

/** Rows of one table. */
export interface BulkTable {
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Value[])[];
}

/** Of what runs now: kept by processes of the past for so long, so that a scheduler does not take it for lost at once, ms. */
const leaseMs = 24 * 3_600_000;

/**
 * The tables of some runs.
 *
 * @param numbered Whether the transitions of a run carry their place, which SQLite does not count by itself.
 * @param tagged Whether the rows of tags are written as well, because no trigger does.
 */
export function tablesOf(
  all: readonly RunRows[],
  now: number,
  { numbered, tagged }: { readonly numbered: boolean; readonly tagged: boolean },
): BulkTable[] {
  const transitions = all.flatMap((rows) =>
    rows.transitions.map((row, place) => (numbered ? [...transitionValues(row), place + 1] : transitionValues(row))),
  );
  const tables = [
    {
      name: 'runs',
      columns: runTable.columns,
      rows: all.map(({ run, owner }) => newRunValues(run, owner, owner === null ? null : now + leaseMs)),
    },
    { name: 'task_runs', columns: taskRunTable.columns, rows: all.flatMap(({ taskRuns }) => taskRuns.map(taskRunValues)) },
    { name: 'transitions', columns: numbered ? [...transitionTable.columns, 'seq'] : transitionTable.columns, rows: transitions },
    { name: 'logs', columns: logTable.columns, rows: all.flatMap(({ logs }) => logs.map(logValues)) },
    { name: 'artifacts', columns: artifactTable.columns, rows: all.flatMap(({ artifacts }) => artifacts.map(artifactValues)) },
    {
      name: 'run_tags',
      columns: ['tag', 'created_at', 'run_id'],
      rows: tagged ? all.flatMap(({ run }) => [...new Set(run.tags)].map((tag) => [tag, run.createdAt, run.id])) : [],
    },
  ];
  return tables.filter(({ rows }) => rows.length > 0);
}
