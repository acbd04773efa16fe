/**
 * Task runs that any worker may claim: offer, claim, renew, write, give back, end.
 *
 * Locks are taken in one order everywhere: the run, its spread tasks, its task runs.
 */
import { listOfClaims, claimList, keyOf, ticketColumns } from './rows.ts';
import type { Owner, TaskRun } from '../../model/run.ts';
import { isTerminal } from '../../model/state.ts';
import type { Connection, Query } from '../connection.ts';
import { openList, lockInOrder } from '../sql.ts';
import type { TaskClaim } from '../ownership.ts';
import { taskRunOf, type TaskRunRow, taskRunTable } from '../tables.ts';
import { claimedOf, claimTasks } from './claims.ts';
import type { SpreadStore, TicketedTask } from './contract.ts';
import { endTasks, offerTasks } from './offer.ts';
import { ownersOfTasks, reclaimTasks, takeUnticketedTasks } from './reclaim.ts';
import { waitingTasks } from './waiting.ts';
import { writeClaimed } from './write.ts';
import { columnsOf } from '../table.ts';
import { jsonText } from '../storable.ts';

export function spreadStore(connection: Connection): SpreadStore {
  return {
    offer: (claim, tasks) => offerTasks(connection, claim, tasks),
    claimMany: (ids, owner, leaseMs, isAlone = false) => claimMany(connection, ids, owner, leaseMs, isAlone),
    renew: (claims, leaseMs) => renewTasks(connection, claims, leaseMs),
    toStop: (claims) => tasksToStop(connection, claims),
    write: (writes) => connection.transaction((query) => writeClaimed(connection, query, writes)),
    release: (claim, dueAt) => releaseTask(connection, claim, dueAt),
    ended: (ids) => endedTasks(connection, ids),
    end: (claim, ids, state, at, heldToo) => endTasks(connection, claim, ids, state, at, heldToo),
    reclaim: (options) => reclaimTasks(connection, options),
    waiting: (runId) => waitingTasks(connection, runId),
    owners: () => ownersOfTasks(connection),
    dueUnticketed: ({ ticketedBeforeMs, limit }) => takeUnticketedTasks(connection, ticketedBeforeMs, limit),
  };
}

/** Inside a transaction, before its task runs are changed: nobody can claim or write the spread tasks of a run any more. */
export async function endSpreadOf(connection: Connection, query: Query, runId: string): Promise<void> {
  if (connection.dialect === 'postgres')
    await query(`select id from spread_tasks where run_id = $1 and stage <> 'ended' ${lockInOrder(connection, 'spread_tasks')}`, [runId]);
  await query(
    `update spread_tasks set stage = 'ended', epoch = epoch + 1, owner = null, lease_until = null where run_id = $1 and stage <> 'ended'`,
    [runId],
  );
}

async function claimMany(
  connection: Connection,
  ids: readonly string[],
  owner: Owner,
  leaseMs: number,
  isAlone: boolean,
): ReturnType<SpreadStore['claimMany']> {
  const claimed = await claimTasks(connection, ids, owner, leaseMs, isAlone);
  return claimed.length === 0 ? new Map() : await claimedOf(connection, claimed);
}

async function renewTasks(connection: Connection, claims: readonly TaskClaim[], leaseMs: number): Promise<readonly TaskClaim[]> {
  if (claims.length === 0) return [];
  const { now } = connection.fragments;
  const renewed = await connection.query<TaskClaim>(
    `update spread_tasks set lease_until = ${now(1)} + $2 from (
       select spread_tasks.id as held_id from spread_tasks join ${claimList(connection, 3)} as claimed
         on spread_tasks.id = claimed.task_id and spread_tasks.epoch = claimed.task_epoch
       where stage = 'held' ${lockInOrder(connection, 'spread_tasks')}) as held
     where spread_tasks.id = held_id
     returning spread_tasks.id as "taskRunId", spread_tasks.epoch as epoch`,
    [connection.now(), leaseMs, listOfClaims(claims)],
  );
  const held = new Set(renewed.map(keyOf));
  return claims.filter((claim) => !held.has(keyOf(claim)));
}

async function tasksToStop(connection: Connection, claims: readonly TaskClaim[]): Promise<readonly string[]> {
  if (claims.length === 0) return [];
  const rows = await connection.query<{ id: string }>(
    `select claimed.task_id as id from ${claimList(connection, 1)} as claimed
     where not exists (
       select 1 from spread_tasks
       join runs on runs.id = spread_tasks.run_id
       join task_runs on task_runs.run_id = spread_tasks.run_id and task_runs.key = spread_tasks.key
       where spread_tasks.id = claimed.task_id and spread_tasks.epoch = claimed.task_epoch and stage = 'held'
         and runs.state_type in (${openList}) and runs.state_type <> 'CANCELLING' and runs.cancel_requested_at is null
         and task_runs.state_type in (${openList}))`,
    [listOfClaims(claims)],
  );
  return rows.map(({ id }) => id);
}

/** The epoch is raised, so that the ticket is another than the one being worked on. */
async function releaseTask(connection: Connection, { taskRunId, epoch }: TaskClaim, dueAt: number | null): Promise<TicketedTask | null> {
  const [ticket] = await connection.query<TicketedTask>(
    `update spread_tasks set stage = 'waiting', epoch = epoch + 1, owner = null, lease_until = null, due_at = $2,
       ticketed_at = ${connection.fragments.now(1)}
     where id = $3 and epoch = $4 and stage = 'held' returning ${ticketColumns}`,
    [connection.now(), dueAt, taskRunId, epoch],
  );
  return ticket ?? null;
}

async function endedTasks(connection: Connection, ids: readonly string[]): Promise<readonly TaskRun[]> {
  if (ids.length === 0) return [];
  const rows = await connection.query<TaskRunRow>(
    `select ${columnsOf(taskRunTable)} from spread_tasks
     join task_runs on task_runs.run_id = spread_tasks.run_id and task_runs.key = spread_tasks.key
     where stage = 'ended' and spread_tasks.id in (select id from ${connection.fragments.list(1, { id: 'text' })} as asked)`,
    [jsonText(ids.map((id) => [id]))],
  );
  return rows.map(taskRunOf).filter(({ state }) => isTerminal(state.type));
}
