/**
 * Task runs that any worker may claim: offer, claim, renew, write, give back, end.
 *
 * Locks are taken in one order everywhere: the run, its spread tasks, its task runs.
 */
import { isTerminal, type State } from '../model/state.ts';
import type { Owner, TaskRun } from '../model/run.ts';
import { claimedOf, claimTasks } from './spread-claims.ts';
import type { Connection, Query } from './connection.ts';
import { forUpdate } from './lock.ts';
import { artifactValues, taskRunOf, taskRunValues } from './rows.ts';
import type { TaskRunRow } from './rows.ts';
import { ownersOfTasks, reclaimTasks, takeUnticketedTasks } from './spread-reclaim.ts';
import type { Claim, TaskClaim } from './ownership.ts';
import type { ClaimedWrite, OfferedTask, SpreadStore, TicketedTask } from './spread-store.ts';
import { storable } from './storable.ts';
import { artifactColumns, taskRunColumns } from './tables.ts';
import { addTransitions } from './transitions.ts';
import { openList } from './waiting.ts';

const integers: ReadonlySet<string> = new Set(['item_index', 'attempt', 'started_at', 'ended_at', 'due_at', 'created_at']);
const typesOf = (columns: readonly string[]): Record<string, 'text' | 'integer'> =>
  Object.fromEntries(columns.map((column) => [column, integers.has(column) ? 'integer' : 'text']));
const taskRunTypes = typesOf(taskRunColumns);
const offeredTypes = {
  id: 'text',
  run_id: 'text',
  key: 'text',
  queue: 'text',
  priority: 'integer',
  inputs: 'text',
  inputs_ref: 'text',
} as const;
const changed = taskRunColumns.slice(3);
const ticketColumns = 'id, epoch, queue, priority, due_at as "dueAt"';

export function spreadStore(connection: Connection): SpreadStore {
  return {
    offer: (claim, tasks) => offerTasks(connection, claim, tasks),
    claimMany: (ids, owner, leaseMs) => claimMany(connection, ids, owner, leaseMs),
    renew: (claims, leaseMs) => renewTasks(connection, claims, leaseMs),
    toStop: (claims) => tasksToStop(connection, claims),
    write: (writes) => connection.transaction((query) => writeClaimed(connection, query, writes)),
    release: (claim, dueAt) => releaseTask(connection, claim, dueAt),
    ended: (ids) => endedTasks(connection, ids),
    end: (claim, ids, state, at, heldToo) => endTasks(connection, claim, ids, state, at, heldToo),
    reclaim: (options) => reclaimTasks(connection, options),
    owners: () => ownersOfTasks(connection),
    dueUnticketed: ({ ticketedBeforeMs, limit }) => takeUnticketedTasks(connection, ticketedBeforeMs, limit),
  };
}

/** Inside a transaction, before its task runs are changed: nobody can claim or write the spread tasks of a run any more. */
export async function endSpreadOf(query: Query, runId: string): Promise<void> {
  await query(
    `update spread_tasks set stage = 'ended', epoch = epoch + 1, owner = null, lease_until = null where run_id = $1 and stage <> 'ended'`,
    [runId],
  );
}

async function offerTasks(connection: Connection, claim: Claim, tasks: readonly OfferedTask[]): Promise<readonly TicketedTask[] | null> {
  return await connection.transaction(async (query) => {
    if (!(await holds(connection, query, claim))) return null;
    const { now, list } = connection.fragments;
    const offered = await query<TicketedTask>(
      `insert into spread_tasks (id, run_id, key, stage, queue, priority, epoch, recoveries, ticketed_at, inputs, inputs_ref)
       select id, run_id, key, 'waiting', queue, priority, 0, 0, ${now(1)}, inputs, inputs_ref from ${list(2, offeredTypes)} as offered where true
       on conflict (id) do update set stage = 'waiting', queue = excluded.queue, priority = excluded.priority, epoch = spread_tasks.epoch + 1,
         recoveries = 0, owner = null, lease_until = null, due_at = null, ticketed_at = excluded.ticketed_at,
         inputs = excluded.inputs, inputs_ref = excluded.inputs_ref
       where spread_tasks.stage = 'ended' and not exists (
         select 1 from task_runs where task_runs.run_id = spread_tasks.run_id and task_runs.key = spread_tasks.key
           and task_runs.state_type in ('COMPLETED', 'FAILED', 'CRASHED'))
       returning ${ticketColumns}`,
      [
        connection.now(),
        storable(
          JSON.stringify(
            tasks.map(({ taskRun, queue, priority, inputs, inputsRef }) => [
              taskRun.id,
              taskRun.runId,
              taskRun.key,
              queue,
              priority,
              inputs,
              inputsRef,
            ]),
          ),
        ),
      ],
    );
    const ids = new Set(offered.map(({ id }) => id));
    const written = tasks.filter(({ taskRun }) => ids.has(taskRun.id));
    await recordOffered(connection, query, claim, written);
    return offered;
  });
}

async function recordOffered(connection: Connection, query: Query, { runId }: Claim, tasks: readonly OfferedTask[]): Promise<void> {
  if (tasks.length === 0) return;
  const columns = taskRunColumns.join(', ');
  await query(
    `insert into task_runs (${columns}) select ${columns} from ${connection.fragments.list(1, taskRunTypes)} as offered where true
     on conflict (run_id, key) do update set ${changed.map((column) => `${column} = excluded.${column}`).join(', ')}`,
    [listOfRows(tasks.map(({ taskRun }) => taskRun))],
  );
  const at = connection.now() ?? (await clockOf(connection, query));
  const keys = tasks.flatMap(({ taskRun, inputsRef }) => (inputsRef === null ? [] : [{ ref: inputsRef, taskRunId: taskRun.id }]));
  await addResultKeys(connection, query, runId, keys, at);
  await addTransitions(
    connection,
    query,
    tasks.map(({ taskRun }) => ({ runId, taskRunId: taskRun.id, at, ...taskRun.state, attempt: taskRun.attempt, owner: null })),
  );
}

async function claimMany(
  connection: Connection,
  ids: readonly string[],
  owner: Owner,
  leaseMs: number,
): ReturnType<SpreadStore['claimMany']> {
  const claimed = await claimTasks(connection, ids, owner, leaseMs);
  return claimed.length === 0 ? new Map() : await claimedOf(connection, claimed);
}

async function renewTasks(connection: Connection, claims: readonly TaskClaim[], leaseMs: number): Promise<readonly TaskClaim[]> {
  if (claims.length === 0) return [];
  const { now } = connection.fragments;
  const renewed = await connection.query<TaskClaim>(
    `update spread_tasks set lease_until = ${now(1)} + $2 from ${claimList(connection, 3)} as claimed
     where spread_tasks.id = claimed.task_id and spread_tasks.epoch = claimed.task_epoch and stage = 'held'
     returning spread_tasks.id as "taskRunId", spread_tasks.epoch as epoch`,
    [connection.now(), leaseMs, listOf(claims)],
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
    [listOf(claims)],
  );
  return rows.map(({ id }) => id);
}

async function writeClaimed(connection: Connection, query: Query, writes: readonly ClaimedWrite[]): Promise<readonly TaskClaim[]> {
  const lock = connection.dialect === 'sqlite' ? '' : 'for no key update of spread_tasks';
  const held = await query<TaskClaim>(
    `select spread_tasks.id as "taskRunId", spread_tasks.epoch as epoch from spread_tasks
     join ${claimList(connection, 1)} as claimed on spread_tasks.id = claimed.task_id and spread_tasks.epoch = claimed.task_epoch
     where stage = 'held' order by spread_tasks.id ${lock}`,
    [listOf(writes.map(({ claim }) => claim))],
  );
  const heldKeys = new Set(held.map(keyOf));
  const rows = writes.flatMap(({ claim, taskRun }) => (taskRun && heldKeys.has(keyOf(claim)) ? [taskRun] : []));
  const written = new Set(await updateTaskRuns(connection, query, rows));
  const accepted = writes.filter(({ claim, taskRun }) => heldKeys.has(keyOf(claim)) && (taskRun === null || written.has(taskRun.id)));
  const [first] = accepted;
  if (first === undefined) return writes.map(({ claim }) => claim);
  const at = connection.now() ?? (await clockOf(connection, query));
  for (const { taskRun } of accepted)
    if (taskRun && taskRun.resultRef !== null)
      await addResultKeys(connection, query, taskRun.runId, [{ ref: taskRun.resultRef, taskRunId: taskRun.id }], at);
  // SQLite numbers the transitions of one run at a time.
  for (const { transitions } of accepted) if (transitions.length > 0) await addTransitions(connection, query, transitions);
  for (const { artifacts } of accepted) await addArtifacts(query, artifacts);
  const ended = accepted.filter(({ taskRun }) => taskRun !== null && isTerminal(taskRun.state.type));
  await query(
    `update spread_tasks set stage = 'ended', owner = null, lease_until = null, inputs = null
     where id in (select id from ${connection.fragments.list(1, { id: 'text' })} as ended)`,
    [JSON.stringify(ended.map(({ claim }) => [claim.taskRunId]))],
  );
  return writes.filter((write) => !accepted.includes(write)).map(({ claim }) => claim);
}

/** Writes those that have not ended; gives their ids. */
async function updateTaskRuns(connection: Connection, query: Query, rows: readonly TaskRun[]): Promise<string[]> {
  if (rows.length === 0) return [];
  const updated = await query<{ id: string }>(
    `update task_runs set ${changed.map((column) => `${column} = written.${column}`).join(', ')}
     from ${connection.fragments.list(1, taskRunTypes)} as written
     where task_runs.run_id = written.run_id and task_runs.key = written.key and task_runs.state_type in (${openList})
     returning task_runs.id`,
    [listOfRows(rows)],
  );
  return updated.map(({ id }) => id);
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
    `select ${taskRunColumns.map((column) => `task_runs.${column}`).join(', ')} from spread_tasks
     join task_runs on task_runs.run_id = spread_tasks.run_id and task_runs.key = spread_tasks.key
     where stage = 'ended' and spread_tasks.id in (select id from ${connection.fragments.list(1, { id: 'text' })} as asked)`,
    [JSON.stringify(ids.map((id) => [id]))],
  );
  return rows.map(taskRunOf).filter(({ state }) => isTerminal(state.type));
}

async function endTasks(
  connection: Connection,
  claim: Claim,
  ids: readonly string[],
  state: State,
  at: number,
  heldToo: boolean,
): Promise<void> {
  await connection.transaction(async (query) => {
    if (!(await holds(connection, query, claim))) return;
    const asked = connection.fragments.list(1, { id: 'text' });
    const ended = await query<{ id: string }>(
      `update spread_tasks set stage = 'ended', epoch = epoch + 1, owner = null, lease_until = null, inputs = null
       where id in (select id from ${asked} as asked) and run_id = $2 and stage in ('waiting'${heldToo ? `, 'held'` : ''}) returning id`,
      [JSON.stringify(ids.map((id) => [id])), claim.runId],
    );
    if (ended.length === 0) return;
    const rows = await query<{ id: string; attempt: number }>(
      `update task_runs set state_type = $3, state_name = $4, state_message = $5, ended_at = $6, due_at = null
       where run_id = $2 and id in (select id from ${asked} as asked) and state_type in (${openList}) returning id, attempt`,
      [JSON.stringify(ended.map(({ id }) => [id])), claim.runId, state.type, state.name, state.message, at],
    );
    await addTransitions(
      connection,
      query,
      rows.map(({ id, attempt }) => ({ runId: claim.runId, taskRunId: id, at, ...state, attempt, owner: null })),
    );
  });
}

/** Whether the claim of the run is the present one; locks the run. */
async function holds(connection: Connection, query: Query, { runId, epoch }: Claim): Promise<boolean> {
  const [run] = await query<{ epoch: number }>(`select epoch from runs where id = $1 ${forUpdate(connection)}`, [runId]);
  return run?.epoch === epoch;
}

async function addResultKeys(
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
    [JSON.stringify(keys.map(({ ref, taskRunId }) => [ref, taskRunId])), runId, at],
  );
}

async function addArtifacts(query: Query, artifacts: ClaimedWrite['artifacts']): Promise<void> {
  const places = artifactColumns.map((_, index) => `$${index + 1}`).join(', ');
  for (const artifact of artifacts)
    await query(
      `insert into artifacts (${artifactColumns.join(', ')}) values (${places}) on conflict (id) do nothing`,
      artifactValues(artifact),
    );
}

async function clockOf({ fragments }: Connection, query: Query): Promise<number> {
  const [row] = await query<{ now: number }>(`select ${fragments.now(1)} as now`, [null]);
  return row?.now ?? 0;
}

function claimList({ fragments }: Connection, index: number): string {
  return fragments.list(index, { task_id: 'text', task_epoch: 'integer' });
}

function listOf(claims: readonly TaskClaim[]): string {
  return JSON.stringify(claims.map(({ taskRunId, epoch }) => [taskRunId, epoch]));
}

function keyOf({ taskRunId, epoch }: TaskClaim): string {
  return `${taskRunId}:${epoch}`;
}

function listOfRows(rows: readonly TaskRun[]): string {
  return storable(JSON.stringify(rows.map(taskRunValues)));
}
