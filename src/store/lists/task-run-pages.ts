/** All task runs of a run, read page by page. */
import { taskRunTable, type TaskRunRow } from '../tables.ts';
import type { Connection } from '../connection.ts';

/** Rows read at once: SQLite reads in the turn of the event loop in which it is asked, so very many would hold it up. */
const rowsAtOnce = 2_000;

const columns = `seq, ${taskRunTable.list}`;
const firstText = `select ${columns} from task_runs where run_id = $1 order by key limit ${rowsAtOnce}`;
const nextText = `select ${columns} from task_runs where run_id = $1 and key > $2 order by key limit ${rowsAtOnce}`;
/** A row with its place. */
export type NumberedRow = TaskRunRow & { readonly seq: number };

/** By key, which the index gives in order, some at a turn of the event loop. */
export async function* pagesOfRun({ query }: Connection, runId: string): AsyncGenerator<readonly NumberedRow[]> {
  let rows = await query<NumberedRow>(firstText, [runId]);
  yield rows;
  for (let last = rows.at(-1); last && rows.length === rowsAtOnce; last = rows.at(-1)) {
    await new Promise((resolve) => setImmediate(resolve));
    rows = await query<NumberedRow>(nextText, [runId, last.key]);
    yield rows;
  }
}
