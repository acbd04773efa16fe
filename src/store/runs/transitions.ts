/** The history of runs and task runs: append-only. */
import type { Transition } from '../../model/run.ts';
import type { Connection, Query } from '../connection.ts';
import { transitionOf, transitionValues } from '../rows.ts';
import type { TransitionStore } from '../store.ts';
import { transitionColumns } from '../tables.ts';
import { jsonText } from '../storable.ts';

/** Columns of a transition as `Fragments.list` takes them, in the order of `transitionValues`. */
export const transitionTypes = {
  run_id: 'text',
  task_run_id: 'text',
  at: 'integer',
  type: 'text',
  name: 'text',
  attempt: 'integer',
  owner: 'text',
  message: 'text',
} as const;
/** Rows of one statement when a change touches very many. */
const chunkRows = 5000;

export function transitionStore(connection: Connection): TransitionStore {
  return {
    async ofRun(runId, taskRunId) {
      const db = await connection.kysely();
      let query = db.selectFrom('transitions').select(transitionColumns).where('run_id', '=', runId).orderBy('seq');
      if (taskRunId === null) query = query.where('task_run_id', 'is', null);
      else if (taskRunId !== undefined) query = query.where('task_run_id', '=', taskRunId);
      return (await query.execute()).map(transitionOf);
    },
  };
}

/** Appends transitions of one run inside a transaction, in this order. */
export async function addTransitions(connection: Connection, query: Query, transitions: readonly Transition[]): Promise<void> {
  for (let start = 0; start < transitions.length; start += chunkRows) {
    const rows = jsonText(transitions.slice(start, start + chunkRows).map(transitionValues));
    const columns = transitionColumns.join(', ');
    const list = connection.fragments.list(1, transitionTypes);
    // SQLite counts per run, so the numbers go on from the last; PostgreSQL numbers by itself.
    await query(
      connection.dialect === 'sqlite'
        ? `insert into transitions (${columns}, seq)
           select ${columns}, row_number() over () + (select coalesce(max(seq), 0) from transitions where run_id = added.run_id) from ${list} as added`
        : `insert into transitions (${columns}) select ${columns} from ${list} as added`,
      [rows],
    );
  }
}
