/** How spread task runs of lost holders continue. */
import type { Database, Connection } from '../connection.ts';
import { isTerminal } from '../../model/state.ts';
import type { ReclaimOptions, LostReport } from '../leases/contract.ts';
import { takeBack } from '../leases/leases.ts';
import { type LostFate, reclaimLost } from '../leases/reclaim.ts';
import { addTransitions } from '../runs/transitions.ts';
import { openList } from '../sql.ts';
import { taskWork } from './claims.ts';

const isOpen = `runs.state_type in (${openList}) and task_runs.state_type in (${openList})`;
const columns = `spread_tasks.id, spread_tasks.run_id, coalesce(task_runs.attempt, 0) as attempt, spread_tasks.recoveries, spread_tasks.owner,
  spread_tasks.lease_until, case when ${isOpen} then 0 else 1 end as is_over,
  case when runs.state_type = 'CANCELLING' or runs.cancel_requested_at is not null then 1 else 0 end as is_cancelled`;
const joins = `left join runs on runs.id = spread_tasks.run_id
  left join task_runs on task_runs.run_id = spread_tasks.run_id and task_runs.key = spread_tasks.key`;

/** See `LeaseStore.reclaim`. */
export function reclaimTasks(connection: Connection, options: ReclaimOptions): Promise<LostReport> {
  return reclaimLost(connection, { work: taskWork, kind: 'task run', columns, joins, write: writeFates }, options);
}

async function writeFates(db: Database, fates: readonly LostFate[]): Promise<LostReport> {
  const waits = ({ state }: LostFate): boolean => state !== null && !isTerminal(state.type);
  const rowsOf = (some: readonly LostFate[]) =>
    some.map(({ row, state, counts }) => ({ id: row.id, message: state?.message ?? null, counts }));
  const ended = fates.filter((fate) => !waits(fate));
  await takeBack(db, taskWork, rowsOf(ended), `stage = 'ended', `);
  const waiting = await takeBack(db, taskWork, rowsOf(fates.filter(waits)), taskWork.waiting);
  for (const { row, state } of fates) {
    if (state === null) continue;
    await db.query(
      `update task_runs set state_type = $1, state_name = $2, state_message = $3, ended_at = $4, due_at = null
       where run_id = $5 and id = $6 and state_type in (${openList})`,
      [state.type, state.name, state.message, isTerminal(state.type) ? row.now : null, row.run_id, row.id],
    );
    await addTransitions(db, [{ runId: row.run_id, taskRunId: row.id, at: row.now, ...state, attempt: row.attempt, owner: null }]);
  }
  const told = ended.flatMap(({ row: { id, run_id: runId }, state }) =>
    state === null ? [] : [{ id, runId, message: state.message ?? '' }],
  );
  return { waiting, ended: told };
}
