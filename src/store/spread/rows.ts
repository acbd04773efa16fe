/** What the statements about spread tasks share: lists of rows and claims as parameters. */
import type { Connection, Query } from '../connection.ts';
import type { TaskClaim } from '../ownership.ts';
import { jsonText } from '../storable.ts';

/** What a ticket is made of. */
export const ticketColumns = 'id, epoch, queue, priority, due_at as "dueAt"';

/** Claims as a table with `task_id` and `task_epoch`. */
export function claimList({ fragments }: Connection, index: number): string {
  return fragments.list(index, { task_id: 'text', task_epoch: 'integer' });
}

/** The parameter behind `claimList`. */
export function listOfClaims(claims: readonly TaskClaim[]): string {
  return jsonText(claims.map(({ taskRunId, epoch }) => [taskRunId, epoch]));
}

/** Text that tells claims apart. */
export function keyOf({ taskRunId, epoch }: TaskClaim): string {
  return `${taskRunId}:${epoch}`;
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
