/** What the owner of a run does with its spread tasks: offer them, end them. */
import type { Database, Connection } from '../connection.ts';
import { ticketColumns, freedAnew } from '../leases/leases.ts';
import { listed, listOf, clockOf, openList, forUpdate, lockInOrder } from '../sql.ts';
import { addResultKeys } from './write.ts';
import type { State } from '../../model/state.ts';
import { type Claim, hasOwner, ownerTextOf } from '../ownership.ts';
import { addTransitions } from '../runs/transitions.ts';
import { taskRunTable, taskRunValues, replacedTaskRun } from '../tables.ts';
import type { EndHeld, OfferedTask } from './contract.ts';
import type { Ticketed } from '../leases/contract.ts';
import { insertListed } from '../table.ts';
import { jsonText } from '../storable.ts';
import { storableJson } from '../../base/cut-text.ts';

const offeredTypes = {
  id: 'text',
  run_id: 'text',
  key: 'text',
  queue: 'text',
  priority: 'integer',
  slots: 'integer',
  inputs: 'text',
  inputs_ref: 'text',
} as const;

/** See `SpreadStore.offer`. */
export async function offerTasks(connection: Connection, claim: Claim, tasks: readonly OfferedTask[]): Promise<readonly Ticketed[] | null> {
  return await connection.transaction(async (db) => {
    if (!(await holds(db, claim))) return null;
    const { now, list } = db.fragments;
    // Only what an earlier owner has offered can be held now.
    if (claim.epoch > 1) await settleHeld(db, tasks);
    const offered = await db.query<Ticketed>(
      `insert into spread_tasks (id, run_id, key, stage, queue, priority, slots, epoch, recoveries, ticketed_at, inputs, inputs_ref)
       select id, run_id, key, 'waiting', queue, priority, slots, 0, 0, ${now(1)}, inputs, inputs_ref from ${list(2, offeredTypes)} as offered where true
       on conflict (id) do update set stage = 'waiting', queue = excluded.queue, priority = excluded.priority, slots = excluded.slots, epoch = spread_tasks.epoch + 1,
         recoveries = 0, owner = null, lease_until = null, due_at = null, parked_for = null, parked_by = null, ticketed_at = excluded.ticketed_at,
         inputs = excluded.inputs, inputs_ref = excluded.inputs_ref
       where spread_tasks.stage = 'ended' and not exists (
         select 1 from task_runs where task_runs.run_id = spread_tasks.run_id and task_runs.key = spread_tasks.key
           and task_runs.state_type in ('COMPLETED', 'FAILED', 'CRASHED'))
       returning ${ticketColumns}`,
      [
        db.now(),
        storableJson(
          jsonText(
            tasks.map(({ taskRun, queue, priority, slots, inputs, inputsRef }) => [
              taskRun.id,
              taskRun.runId,
              taskRun.key,
              queue,
              priority,
              slots === undefined || slots === 1 ? null : slots,
              inputs,
              inputsRef,
            ]),
          ),
        ),
      ],
    );
    const ids = new Set(offered.map(({ id }) => id));
    const written = tasks.filter(({ taskRun }) => ids.has(taskRun.id));
    await recordOffered(db, claim, written);
    return offered;
  });
}

/**
 * Waits for workers that are just recording ends of these tasks. The next statement must begin after that: had it waited itself, it would
 * see the task released, but not yet its recorded end, and have it executed again.
 */
async function settleHeld(db: Database, tasks: readonly OfferedTask[]): Promise<void> {
  await lockTasks(
    db,
    tasks.map(({ taskRun }) => taskRun.id),
  );
}

async function lockTasks(db: Database, ids: readonly string[]): Promise<void> {
  if (db.dialect === 'sqlite') return;
  await db.query(`select id from spread_tasks where id in ${listed(db, 1)} ${lockInOrder(db, 'spread_tasks')}`, [listOf(ids)]);
}

const isEndedToo = {
  none: '',
  waiting: ` or stage = 'held' and id in (select id from task_runs where run_id = $2 and state_name in ('AwaitingRetry', 'AwaitingSlot'))`,
  all: ` or stage = 'held'`,
} as const satisfies Record<EndHeld, string>;

/** See `SpreadStore.end`. */
export async function endTasks(
  connection: Connection,
  claim: Claim,
  ids: readonly string[],
  state: State,
  at: number,
  held: EndHeld,
): Promise<void> {
  await connection.transaction(async (db) => {
    if (!(await holds(db, claim))) return;
    await lockTasks(db, ids);
    const ended = await db.query<{ id: string }>(
      `update spread_tasks set stage = 'ended', ${freedAnew}, inputs = null
       where id in ${listed(db, 1)} and run_id = $2 and (stage = 'waiting'${isEndedToo[held]}) returning id`,
      [listOf(ids), claim.runId],
    );
    if (ended.length === 0) return;
    const rows = await db.query<{ id: string; attempt: number }>(
      `update task_runs set state_type = $3, state_name = $4, state_message = $5, ended_at = $6, due_at = null
       where run_id = $2 and id in ${listed(db, 1)} and state_type in (${openList}) returning id, attempt`,
      [listOf(ended.map(({ id }) => id)), claim.runId, state.type, state.name, state.message, at],
    );
    await addTransitions(
      db,
      rows.map(({ id, attempt }) => ({ runId: claim.runId, taskRunId: id, at, ...state, attempt, owner: null })),
    );
  });
}

async function recordOffered(db: Database, { runId }: Claim, tasks: readonly OfferedTask[]): Promise<void> {
  if (tasks.length === 0) return;
  await db.query(`${insertListed(taskRunTable, db.fragments, 1)} on conflict (run_id, key) do update set ${replacedTaskRun}`, [
    jsonText(tasks.map(({ taskRun }) => taskRunValues(taskRun))),
  ]);
  const at = await clockOf(db);
  const keys = tasks.flatMap(({ taskRun, inputsRef }) => (inputsRef === null ? [] : [{ ref: inputsRef, taskRunId: taskRun.id }]));
  await addResultKeys(db, runId, keys, at);
  await addTransitions(
    db,
    tasks.map(({ taskRun }) => ({ runId, taskRunId: taskRun.id, at, ...taskRun.state, attempt: taskRun.attempt, owner: null })),
  );
}

/** Whether the claim of the run is current; locks the run. */
async function holds(db: Database, claim: Claim): Promise<boolean> {
  const run = await db.query(`select id from runs where id = $1 and epoch = $2 and ${hasOwner('$3')} ${forUpdate(db)}`, [
    claim.runId,
    claim.epoch,
    ownerTextOf(claim),
  ]);
  return run.length > 0;
}
