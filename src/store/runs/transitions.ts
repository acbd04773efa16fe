/** The history of runs and task runs: append-only. */
import { pageOf, limitOf, placeOf } from '../lists/cursor.ts';
import type { Database, Connection } from '../connection.ts';
import type { Transition } from '../../model/run.ts';
import { Params, selectAll } from '../sql.ts';
import { transitionOf, transitionValues, transitionTable, type TransitionRow } from '../tables.ts';
import type { Page, TransitionFilter, TransitionStore } from '../store.ts';
import { jsonText } from '../storable.ts';

/** Rows per statement if a change touches very many. */
const chunkRows = 5000;

/** Longest message shown in a page, characters. */
const maxShownChars = 10_000;
const shownColumns = transitionTable.columns
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
      const params = new Params();
      const conditions = conditionsOf(params, runId, taskRunId);
      return await selectAll(connection, transitionTable, `where ${conditions.join(' and ')} order by seq`, params.values);
    },
    page: (runId, filter = {}) => pageOfRun(connection, runId, filter),
  };
}

async function pageOfRun({ query }: Connection, runId: string, filter: TransitionFilter): Promise<Page<Transition>> {
  const { taskRunId, cursor } = filter;
  const limit = limitOf(filter.limit, 1000, 1000);
  const params = new Params();
  const conditions = conditionsOf(params, runId, taskRunId);
  if (cursor !== undefined) conditions.push(`seq > ${params.add(placeOf(cursor).createdAt)}`);
  const rows = await query<TransitionRow & { readonly seq: number }>(
    `select ${shownColumns}, seq from transitions where ${conditions.join(' and ')} order by seq limit ${limit + 1}`,
    params.values,
  );
  return pageOf(rows, limit, transitionOf, ({ seq }) => ({ createdAt: seq, id: runId }));
}

function conditionsOf(params: Params, runId: string, taskRunId: string | null | undefined): string[] {
  const ofRun = `run_id = ${params.add(runId)}`;
  if (taskRunId === undefined) return [ofRun];
  return [ofRun, taskRunId === null ? 'task_run_id is null' : `task_run_id = ${params.add(taskRunId)}`];
}

/** Appends transitions of one run inside a transaction, in this order. */
export async function addTransitions(db: Database, transitions: readonly Transition[]): Promise<void> {
  for (let start = 0; start < transitions.length; start += chunkRows) {
    const rows = jsonText(transitions.slice(start, start + chunkRows).map(transitionValues));
    const columns = transitionTable.list;
    const list = db.fragments.list(1, transitionTable.kinds);
    // SQLite counts per run, so the numbers continue from the last; PostgreSQL numbers by itself.
    await db.query(
      db.dialect === 'sqlite'
        ? `insert into transitions (${columns}, seq)
           select ${columns}, row_number() over () + (select coalesce(max(seq), 0) from transitions where run_id = added.run_id) from ${list} as added`
        : `insert into transitions (${columns}) select ${columns} from ${list} as added`,
      [rows],
    );
  }
}
