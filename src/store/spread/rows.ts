/** What the statements about spread tasks share: lists of rows and claims as parameters. */
import type { TaskRun } from '../../model/run.ts';
import type { Connection, Query } from '../connection.ts';
import type { TaskClaim } from '../ownership.ts';
import { taskRunValues } from '../rows.ts';
import { taskRunColumns } from '../tables.ts';
import { jsonText } from '../storable.ts';

const integers: ReadonlySet<string> = new Set(['item_index', 'attempt', 'started_at', 'ended_at', 'due_at', 'failures', 'created_at']);
const typesOf = (columns: readonly string[]): Record<string, 'text' | 'integer'> =>
  Object.fromEntries(columns.map((column) => [column, integers.has(column) ? 'integer' : 'text']));
/** Types of the columns of task runs. */
export const taskRunTypes = typesOf(taskRunColumns);
/** What may change of a task run. */
export const changed = taskRunColumns.slice(3);
/** What a ticket is made of. */
export const ticketColumns = 'id, epoch, queue, priority, due_at as "dueAt"';

/** Claims as a table with `task_id` and `task_epoch`. */
export function claimList({ fragments }: Connection, index: number): string {
  return fragments.list(index, { task_id: 'text', task_epoch: 'integer' });
}

/** The parameter behind `claimList`. */
export function listOf(claims: readonly TaskClaim[]): string {
  return jsonText(claims.map(({ taskRunId, epoch }) => [taskRunId, epoch]));
}

/** Text that tells claims apart. */
export function keyOf({ taskRunId, epoch }: TaskClaim): string {
  return `${taskRunId}:${epoch}`;
}

/** Task runs as a parameter, their columns in the order of `taskRunColumns`. */
export function listOfRows(rows: readonly TaskRun[]): string {
  return jsonText(rows.map(taskRunValues));
}

/** Inside a transaction: notes which values of the result storage belong to the run. */
export async function addResultKeys(
  connection: Connection,
  query: Query,
  runId: string,
  keys: readonly { readonly ref: string; readonly taskRunId: string }[],
  at: number,
): Promise<void> {
  if (keys.length === 0) return;
  await query(
    `insert into results (run_id, key, task_run_id, bytes, created_at)
     select $2, ref, task_run_id, null, $3 from ${connection.fragments.list(1, { ref: 'text', task_run_id: 'text' })} as added where true
     on conflict (run_id, key) do nothing`,
    [jsonText(keys.map(({ ref, taskRunId }) => [ref, taskRunId])), runId, at],
  );
}
