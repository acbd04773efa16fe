/** An explicit retry of a run that has ended without success. */
import type { Database, Connection } from '../connection.ts';
import { listOf, forUpdate } from '../sql.ts';
import { freedAnew } from '../leases/leases.ts';
import { BatutaError } from '../../base/errors.ts';
import type { Run } from '../../model/run.ts';
import { undoKeyPattern } from '../../model/rollback.ts';
import { canReopen, type StateType } from '../../model/state.ts';
import { markStale } from '../figures/sums.ts';
import { lineUp } from '../fairness/fairness.ts';
import type { Ticketed } from '../leases/contract.ts';
import { refuseReported } from '../reporting/refuse.ts';
import { endSpreadOf } from '../spread/spread.ts';
import { getRun } from './claim.ts';
import { addTransitions } from './transitions.ts';
import { jsonText } from '../storable.ts';

const message = 'Opened by an explicit retry';

/** See `RunStore.reopen`. @throws BatutaError RUN_REPORTED */
export async function reopenRun(connection: Connection, id: string, at: number, fromTasks: readonly string[]): Promise<Run | null> {
  if (!(await connection.transaction((db) => reopenWithin(db, id, at, fromTasks)))) return null;
  const run = await getRun(connection, id);
  if (run === null)
    throw new BatutaError('RUN_NOT_FOUND', `The run ${id} was deleted while it was being opened again.`, { details: { id } });
  return run;
}

/** The same inside a transaction. Null if it has not ended, or completed. */
export async function reopenWithin(db: Database, id: string, at: number, fromTasks: readonly string[]): Promise<Ticketed | null> {
  const [run] = await db.query<{ state_type: StateType; attempt: number; owner: string | null }>(
    `select state_type, attempt, owner from runs where id = $1 ${forUpdate(db)}`,
    [id],
  );
  if (run !== undefined) refuseReported(id, run.owner, 'retried');
  if (run === undefined || !canReopen(run.state_type)) return null;
  await endSpreadOf(db, id);
  await markStale(db, jsonText([[id]]));
  const tasks = await openTaskRuns(db, id, fromTasks);
  // The last owner may not have handed it back yet; the raised epoch shuts it out.
  const [row] = await db.query<Ticketed & { readonly fairKey: string | null }>(
    `update runs set state_type = 'SCHEDULED', state_name = 'Scheduled', state_message = $1, attempt = attempt + 1, ${freedAnew}, slot_since = null, due_at = null, ended_at = null, cancel_requested_at = null, held = null, parked_for = null, parked_by = null,
       fair_waits = case when fair_key is null or on_trial is not null then null else 1 end,
       result = null, result_ref = null, error = null,
       executed_ms = case when started_at is null then executed_ms
         else coalesce(executed_ms, 0) + coalesce(ended_at, $3) - coalesce(resumed_at, started_at) end,
       resumed_at = case when started_at is null then null else $3 end
     where id = $2 returning id, epoch, queue, priority, due_at as "dueAt", fair_key as "fairKey"`,
    [message, id, at],
  );
  if (row === undefined) return null;
  const { fairKey, ...opened } = row;
  if (fairKey !== null) await lineUp(db, [{ ...opened, key: fairKey }]);
  const scheduled = { runId: id, at, type: 'SCHEDULED', name: 'Scheduled', message, owner: null } as const;
  await addTransitions(db, [
    { ...scheduled, taskRunId: null, attempt: run.attempt + 1 },
    ...tasks.map((task) => ({ ...scheduled, taskRunId: task.id, attempt: 0 })),
  ]);
  return opened;
}

/** They start over: no attempt used, nothing of the last one left in the row. Their history stays in the transitions. */
async function openTaskRuns(db: Database, runId: string, names: readonly string[]): Promise<{ id: string }[]> {
  const named = db.fragments.list(3, { name: 'text' });
  return await db.query<{ id: string }>(
    `update task_runs set state_type = 'SCHEDULED', state_name = 'Scheduled', state_message = $1, attempt = 0, started_at = null, ended_at = null,
       due_at = null, failures = null, progress = null, metrics = null, result = null, result_ref = null, error = null, cached_from = null
     where run_id = $2 and key not like '${undoKeyPattern}' and (state_type <> 'COMPLETED' or state_name = 'RolledBack' or name in (select name from ${named} as named))
     returning id`,
    [message, runId, listOf(names)],
  );
}
