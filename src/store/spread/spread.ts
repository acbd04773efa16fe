/**
 * Task runs that any worker may claim: offer, claim, renew, write, hand back, end.
 *
 * Locks are taken in one order everywhere: the run, its spread tasks, its task runs.
 */
import type { Database, Connection } from '../connection.ts';
import { renewLeases, releaseLease, ownersOf, takeUnticketed, freedAnew, claimList, isClaimed, listOfClaims } from '../leases/leases.ts';
import { taskWork, withTaskRuns, claimTasks } from './claims.ts';
import { listed, listOf, openList, lockInOrder } from '../sql.ts';
import type { TaskRun } from '../../model/run.ts';
import { isTerminal } from '../../model/state.ts';
import type { TaskClaim } from '../ownership.ts';
import { taskRunOf, type TaskRunRow, taskRunTable } from '../tables.ts';
import type { HeavyTask, WaitingTasks, SpreadStore } from './contract.ts';
import { endTasks, offerTasks } from './offer.ts';
import { reclaimTasks } from './reclaim.ts';
import { writeClaimed } from './write.ts';
import { columnsOf } from '../table.ts';

export function spreadStore(connection: Connection): SpreadStore {
  return {
    offer: (claim, tasks) => offerTasks(connection, claim, tasks),
    claimMany: (ids, owner, leaseMs, isAlone = false, slots = 1) => claimTasks(connection, ids, owner, leaseMs, { isAlone, slots }),
    heavy: (id) => heavyTask(connection, id),
    renew: (claims, leaseMs) => renewLeases(connection, taskWork, claims, leaseMs),
    toStop: (claims) => tasksToStop(connection, claims),
    write: (writes) => connection.transaction((db) => writeClaimed(db, writes)),
    release: (claim, dueAt) => releaseLease(connection, taskWork, claim, dueAt),
    ended: (ids) => endedTasks(connection, ids),
    end: (claim, ids, state, at, held) => endTasks(connection, claim, ids, state, at, held),
    reclaim: (options) => reclaimTasks(connection, options),
    waiting: (runId) => waitingTasks(connection, runId),
    owners: () => ownersOf(connection, taskWork),
    dueUnticketed: (options) => takeUnticketed(connection, taskWork, options),
  };
}

/** Inside a transaction, before its task runs are changed: the spread tasks of a run can no longer be claimed or written. */
export async function endSpreadOf(db: Database, runId: string): Promise<void> {
  if (db.dialect === 'postgres')
    await db.query(`select id from spread_tasks where run_id = $1 and stage <> 'ended' ${lockInOrder(db, 'spread_tasks')}`, [runId]);
  await db.query(`update spread_tasks set stage = 'ended', ${freedAnew} where run_id = $1 and stage <> 'ended'`, [runId]);
}

async function tasksToStop(connection: Connection, claims: readonly TaskClaim[]): Promise<readonly string[]> {
  if (claims.length === 0) return [];
  const rows = await connection.query<{ id: string }>(
    `select claimed.claim_id as id from ${claimList(connection, 1)} as claimed
     where not exists (
       select 1 from ${withTaskRuns} join runs on runs.id = spread_tasks.run_id
       where ${isClaimed('spread_tasks')} and stage = 'held'
         and runs.state_type in (${openList}) and runs.state_type <> 'CANCELLING' and runs.cancel_requested_at is null
         and task_runs.state_type in (${openList}))`,
    [listOfClaims(claims)],
  );
  return rows.map(({ id }) => id);
}

async function endedTasks(connection: Connection, ids: readonly string[]): Promise<readonly TaskRun[]> {
  if (ids.length === 0) return [];
  const rows = await connection.query<TaskRunRow>(
    `select ${columnsOf(taskRunTable)} from ${withTaskRuns} where stage = 'ended' and spread_tasks.id in ${listed(connection, 1)}`,
    [listOf(ids)],
  );
  return rows.map(taskRunOf).filter(({ state }) => isTerminal(state.type));
}

/** See `SpreadStore.heavy`. */
async function heavyTask({ query }: Connection, id: string): Promise<HeavyTask | null> {
  const [found] = await query<HeavyTask>(
    `select spread_tasks.id as id, runs.flow as flow, spread_tasks.queue as queue, spread_tasks.slots as slots
     from spread_tasks join runs on runs.id = spread_tasks.run_id
     where spread_tasks.id = $1 and spread_tasks.slots is not null and stage = 'waiting' and spread_tasks.on_trial is null`,
    [id],
  );
  return found === undefined ? null : { ...found, slots: Number(found.slots) };
}

/** See `SpreadStore.waiting`. Without task runs that wait for their next attempt. */
async function waitingTasks(connection: Connection, runId: string): Promise<readonly WaitingTasks[]> {
  const rows = await connection.query<Omit<WaitingTasks, 'slots'> & { readonly slots: number | null }>(
    `select spread_tasks.queue as queue, task_runs.name as task, count(*) as count, max(spread_tasks.slots) as slots
     from ${withTaskRuns}
     where spread_tasks.run_id = $2 and spread_tasks.stage = 'waiting'
       and (spread_tasks.due_at is null or spread_tasks.due_at <= ${connection.fragments.now(1)})
     group by spread_tasks.queue, task_runs.name order by 1, 2`,
    [connection.now(), runId],
  );
  return rows.map(({ slots, ...row }) => (slots === null ? row : { ...row, slots: Number(slots) }));
}
