/** Claiming spread task runs, and reading what their new holder needs. */
import { forUpdateOfFree, openList } from '../sql.ts';
import type { Owner } from '../../model/run.ts';
import type { Connection } from '../connection.ts';
import { runOf, taskRunOf, type RunRow, type TaskRunRow, runTable, taskRunTable } from '../tables.ts';
import type { ClaimedTask } from './contract.ts';
import { columnsOf } from '../table.ts';
import { jsonText } from '../storable.ts';

/** How early a ticket may come: clocks and timers are not exact. */
const earlyMs = 1_000;

interface ClaimedRow {
  readonly id: string;
  readonly run_id: string;
  readonly epoch: number;
  readonly inputs: string | null;
  readonly inputs_ref: string | null;
}

/** One statement: takes those that wait and are due. */
export async function claimTasks(
  connection: Connection,
  ids: readonly string[],
  owner: Owner,
  leaseMs: number,
  isAlone: boolean,
): Promise<ClaimedRow[]> {
  const now = connection.fragments.now(1);
  const lock = forUpdateOfFree(connection, 'spread_tasks');
  return await connection.query<ClaimedRow>(
    `update spread_tasks set stage = 'held', epoch = epoch + 1, owner = $2, lease_until = ${now} + $3
     where stage = 'waiting' and id in (
       select spread_tasks.id from spread_tasks join runs on runs.id = spread_tasks.run_id
       where spread_tasks.id in (select id from ${connection.fragments.list(4, { id: 'text' })} as asked)
         and stage = 'waiting' and (spread_tasks.due_at is null or spread_tasks.due_at <= ${now} + $5)
         and runs.state_type in (${openList}) and runs.state_type <> 'CANCELLING' and runs.cancel_requested_at is null
         ${isAlone ? '' : 'and spread_tasks.on_trial is null'}
       order by spread_tasks.id ${lock})
     returning id, run_id, epoch, inputs, inputs_ref`,
    [connection.now(), jsonText(owner), leaseMs, jsonText(ids.map((id) => [id])), earlyMs],
  );
}

/** The claimed ones with their runs and rows, by id. */
export async function claimedOf(connection: Connection, claimed: readonly ClaimedRow[]): Promise<ReadonlyMap<string, ClaimedTask>> {
  const listed = connection.fragments.list(1, { id: 'text' });
  const runIds = [...new Set(claimed.map(({ run_id }) => run_id))];
  const runRows = await connection.query<RunRow>(`select ${runTable.list} from runs where id in (select id from ${listed} as asked)`, [
    listOf(runIds),
  ]);
  const taskRows = await connection.query<TaskRunRow>(
    `select ${columnsOf(taskRunTable)} from spread_tasks
     join task_runs on task_runs.run_id = spread_tasks.run_id and task_runs.key = spread_tasks.key
     where spread_tasks.id in (select id from ${listed} as asked)`,
    [listOf(claimed.map(({ id }) => id))],
  );
  const runs = new Map(runRows.map((row) => [row.id, runOf(row)]));
  const taskRuns = new Map(taskRows.map((row) => [row.id, taskRunOf(row)]));
  const found = new Map<string, ClaimedTask>();
  for (const { id, run_id, epoch, inputs, inputs_ref } of claimed) {
    const run = runs.get(run_id);
    const taskRun = taskRuns.get(id);
    // Deleted in this very moment: there is nothing left to hold.
    if (run && taskRun) found.set(id, { claim: { taskRunId: id, epoch }, run, taskRun, inputs, inputsRef: inputs_ref });
  }
  return found;
}

function listOf(ids: readonly string[]): string {
  return jsonText(ids.map((id) => [id]));
}
