/** The history of runs and task runs: append-only. */
import type { Selectable } from 'kysely';
import type { Transition } from '../../model/run.ts';
import type { Connection, Query } from '../connection.ts';
import { cursorOf, limitOf, placeOf } from '../lists/cursor.ts';
import { Params } from '../lists/run-filter.ts';
import { transitionOf, transitionValues } from '../rows.ts';
import type { Page, TransitionFilter, TransitionStore } from '../store.ts';
import { transitionColumns, type TransitionTable } from '../tables.ts';
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

/** Longest message that a page shows, characters. */
const maxShownChars = 10_000;
const shownColumns = transitionColumns
  .map((column) =>
    column === 'message'
      ? `case when length(message) > ${maxShownChars}
           then substr(message, 1, ${maxShownChars}) || ' [' || (length(message) - ${maxShownChars}) || ' more characters were cut]' else message end as message`
      : column,
  )
  .join(', ');

export function transitionStore(connection: Connection): TransitionStore {
  return {
    async ofRun(runId, taskRunId) {
      const db = await connection.kysely();
      let query = db.selectFrom('transitions').select(transitionColumns).where('run_id', '=', runId).orderBy('seq');
      if (taskRunId === null) query = query.where('task_run_id', 'is', null);
      else if (taskRunId !== undefined) query = query.where('task_run_id', '=', taskRunId);
      return (await query.execute()).map(transitionOf);
    },
    page: (runId, filter = {}) => pageOfRun(connection, runId, filter),
  };
}

async function pageOfRun({ query }: Connection, runId: string, filter: TransitionFilter): Promise<Page<Transition>> {
  const { taskRunId, cursor } = filter;
  const limit = limitOf(filter.limit, 1000, 1000);
  const params = new Params();
  const conditions = [`run_id = ${params.add(runId)}`];
  if (taskRunId === null) conditions.push('task_run_id is null');
  else if (taskRunId !== undefined) conditions.push(`task_run_id = ${params.add(taskRunId)}`);
  if (cursor !== undefined) conditions.push(`seq > ${params.add(placeOf(cursor).createdAt)}`);
  const rows = await query<Selectable<TransitionTable>>(
    `select ${shownColumns}, seq from transitions where ${conditions.join(' and ')} order by seq limit ${limit + 1}`,
    params.values,
  );
  const last = rows[limit - 1];
  const hasMore = rows.length > limit && last !== undefined;
  return { items: rows.slice(0, limit).map(transitionOf), next: hasMore ? cursorOf({ createdAt: last.seq, id: runId }) : null };
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
