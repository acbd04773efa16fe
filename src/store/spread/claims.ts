/** Claiming spread task runs, and reading what their new holder needs. */
import { type LeasedWork, claimText, claimValues } from '../leases/leases.ts';
import { listed, listOf, forUpdateOfFree, openList } from '../sql.ts';
import { earlyMs } from '../../model/lease.ts';
import type { Owner } from '../../model/run.ts';
import type { Connection } from '../connection.ts';
import { runOf, taskRunOf, type RunRow, type TaskRunRow, runTable, taskRunTable } from '../tables.ts';
import type { ClaimedTask } from './contract.ts';
import { columnsOf } from '../table.ts';

/** Spread task runs as leased work. */
export const taskWork: LeasedWork = {
  table: 'spread_tasks',
  isHeld: `stage = 'held'`,
  heldIndex: 'spread_tasks_held',
  isTicketable: `stage = 'waiting' and parked_for is null and exists (select 1 from runs where runs.id = spread_tasks.run_id and runs.state_type in (${openList}))`,
  ticketableIndex: 'spread_tasks_waiting',
  taken: `stage = 'held', `,
  waiting: `stage = 'waiting', `,
};

interface ClaimedRow {
  readonly id: string;
  readonly run_id: string;
  readonly epoch: number;
  readonly queue: string;
  readonly inputs: string | null;
  readonly inputs_ref: string | null;
}

/** See `SpreadStore.claimMany`. */
export async function claimTasks(
  connection: Connection,
  ids: readonly string[],
  owner: Owner,
  leaseMs: number,
  { isAlone, slots }: { readonly isAlone: boolean; readonly slots: number },
): Promise<ReadonlyMap<string, ClaimedTask>> {
  const which = `select spread_tasks.id from spread_tasks join runs on runs.id = spread_tasks.run_id
    where spread_tasks.id in ${listed(connection, 4)} and stage = 'waiting' and spread_tasks.parked_for is null
      and (spread_tasks.due_at is null or spread_tasks.due_at <= ${connection.fragments.now(1)} + ${earlyMs})
      and runs.state_type in (${openList}) and runs.state_type <> 'CANCELLING' and runs.cancel_requested_at is null
      ${isAlone ? '' : `and spread_tasks.on_trial is null and (spread_tasks.slots is null or spread_tasks.slots <= ${Math.trunc(slots)})`}
    order by spread_tasks.id ${forUpdateOfFree(connection, 'spread_tasks')}`;
  const where = `stage = 'waiting' and id in (${which})`;
  const claimed = await connection.query<ClaimedRow>(
    claimText(connection, taskWork, where, 'id, run_id, epoch, queue, inputs, inputs_ref'),
    [...claimValues(connection, owner, leaseMs), listOf(ids)],
  );
  return claimed.length === 0 ? new Map() : await claimedOf(connection, claimed);
}

/** The claimed ones with their runs and rows, by id. */
async function claimedOf(connection: Connection, claimed: readonly ClaimedRow[]): Promise<ReadonlyMap<string, ClaimedTask>> {
  const runIds = [...new Set(claimed.map(({ run_id }) => run_id))];
  const runRows = await connection.query<RunRow>(`select ${runTable.list} from runs where id in ${listed(connection, 1)}`, [
    listOf(runIds),
  ]);
  const taskRows = await connection.query<TaskRunRow>(
    `select ${columnsOf(taskRunTable)} from ${withTaskRuns} where spread_tasks.id in ${listed(connection, 1)}`,
    [listOf(claimed.map(({ id }) => id))],
  );
  const runs = new Map(runRows.map((row) => [row.id, runOf(row)]));
  const taskRuns = new Map(taskRows.map((row) => [row.id, taskRunOf(row)]));
  const found = new Map<string, ClaimedTask>();
  for (const { id, run_id, epoch, queue, inputs, inputs_ref } of claimed) {
    const run = runs.get(run_id);
    const taskRun = taskRuns.get(id);
    // Deleted just now: there is nothing left to hold.
    if (run && taskRun) found.set(id, { claim: { taskRunId: id, epoch }, run, taskRun, queue, inputs, inputsRef: inputs_ref });
  }
  return found;
}

/** Spread tasks with their records. */
export const withTaskRuns = `spread_tasks join task_runs on task_runs.run_id = spread_tasks.run_id and task_runs.key = spread_tasks.key`;
