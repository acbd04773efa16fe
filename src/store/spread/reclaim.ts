/** Spread task runs whose holder is lost, or whose ticket may be. */
import { forUpdateOfFree, nowOnce, idAmong, openList } from '../sql.ts';
import type { Owner } from '../../model/run.ts';
import { isTerminal, type State, stateOf, type StateType } from '../../model/state.ts';
import type { Connection, Query } from '../connection.ts';
import type { ReclaimOptions } from '../fleet/contract.ts';
import { indexedLostMs, missedAt } from '../fleet/waiting.ts';
import { type Judgement, judgeLosses, withoutExpected } from '../suspects/judge.ts';
import { addTransitions } from '../runs/transitions.ts';
import type { TaskReclaimReport, TicketedTask } from './contract.ts';
import { ticketColumns } from './rows.ts';
import { jsonText } from '../storable.ts';
import { ownerName, readFields } from '../read-json.ts';

interface LostTask {
  readonly id: string;
  readonly run_id: string;
  readonly recoveries: number;
  readonly owner: string;
  readonly lease_until: number | null;
  readonly now: number;
  readonly attempt: number | null;
  readonly task_state: StateType | null;
  readonly run_state: StateType | null;
  readonly cancel_requested_at: number | null;
}

/** See `SpreadStore.owners`. */
export async function ownersOfTasks(connection: Connection): Promise<readonly Owner[]> {
  const rows = await connection.query<{ owner: string }>(`select distinct owner from spread_tasks where stage = 'held'`);
  return rows.flatMap(({ owner }) => readFields<Owner>(owner) ?? []);
}

/** See `SpreadStore.reclaim`. */
export async function reclaimTasks(connection: Connection, given: ReclaimOptions): Promise<TaskReclaimReport> {
  const options = { ...given, goneOwners: await withoutExpected(connection, given.goneOwners) };
  // A look costs no lock; most looks find nothing.
  if ((await findLost(connection, connection.query, options, 1, '')).length === 0) return { waiting: [], ended: [] };
  return await connection.transaction(async (query) => {
    const lock = forUpdateOfFree(connection, 'spread_tasks');
    const lost = await findLost(connection, query, options, options.limit, lock);
    const isOver = (task: LostTask): boolean =>
      task.run_state === null || isTerminal(task.run_state) || task.task_state === null || isTerminal(task.task_state);
    const waiting: { task: LostTask; state: State }[] = [];
    const ended: { task: LostTask; state: State }[] = [];
    const open = lost.filter((one) => !isOver(one));
    const judged = await judgeLosses(
      connection,
      query,
      open.map(({ id, run_id: runId, owner, recoveries, lease_until: leaseUntil }) => ({ id, runId, owner, recoveries, leaseUntil })),
      options.maxRecoveries,
    );
    for (const task of open) {
      const judgement = judged.get(task.id);
      const said = judgement?.counts === true && judgement.seen !== null ? ` Of the last was seen: ${judgement.seen}` : '';
      if (task.run_state === 'CANCELLING' || task.cancel_requested_at !== null)
        ended.push({
          task,
          state: stateOf('CANCELLED', 'Cancelled', 'Its run was cancelled; the process that ran it was lost meanwhile.'),
        });
      else if (judgement?.crashes === true)
        ended.push({
          task,
          state: stateOf(
            'CRASHED',
            'Crashed',
            `Process after process was lost while it ran, ${judgement.losses} in all, the last ${nameOf(task)}.${said}`,
          ),
        });
      else
        waiting.push({ task, state: stateOf('SCHEDULED', 'Resuming', `Its process ${nameOf(task)} was lost; another takes it.${said}`) });
    }
    await setStage(connection, query, 'ended', [...lost.filter(isOver), ...ended.map(({ task }) => task)], judged);
    const tickets = await setStage(
      connection,
      query,
      'waiting',
      waiting.map(({ task }) => task),
      judged,
    );
    await recordStates(connection, query, [...waiting, ...ended]);
    return { waiting: tickets, ended: ended.map(({ task, state }) => ({ id: task.id, runId: task.run_id, message: state.message ?? '' })) };
  });
}

/** See `SpreadStore.dueUnticketed`. */
export async function takeUnticketedTasks(
  connection: Connection,
  ticketedBeforeMs: number,
  limit: number,
): Promise<readonly TicketedTask[]> {
  const now = nowOnce(connection, 1);
  const lock = forUpdateOfFree(connection);
  const waiting = connection.dialect === 'sqlite' ? 'spread_tasks indexed by spread_tasks_waiting' : 'spread_tasks';
  return await connection.query<TicketedTask>(
    `update spread_tasks set ticketed_at = ${now}
     where ${idAmong(
       connection,
       `select id from ${waiting} where stage = 'waiting' and ${missedAt} <= ${now} - $4
          and ticketed_at <= ${now} - $2 and (due_at is null or due_at <= ${now})
          and exists (select 1 from runs where runs.id = spread_tasks.run_id and runs.state_type in (${openList}))
        order by ${missedAt} limit $3 ${lock}`,
     )}
     returning ${ticketColumns}`,
    [connection.now(), ticketedBeforeMs, limit, Math.min(ticketedBeforeMs, indexedLostMs)],
  );
}

async function findLost(
  connection: Connection,
  query: Query,
  { goneOwners }: ReclaimOptions,
  limit: number,
  lock: string,
): Promise<LostTask[]> {
  const now = connection.fragments.now(1);
  const gone = connection.fragments.list(2, { gone_owner: 'text' });
  return await query<LostTask>(
    `select spread_tasks.id, spread_tasks.run_id, spread_tasks.recoveries, spread_tasks.owner, spread_tasks.lease_until, ${now} as now, task_runs.attempt,
       task_runs.state_type as task_state, runs.state_type as run_state, runs.cancel_requested_at
     from spread_tasks left join runs on runs.id = spread_tasks.run_id
       left join task_runs on task_runs.run_id = spread_tasks.run_id and task_runs.key = spread_tasks.key
     where stage = 'held' and (spread_tasks.lease_until <= ${now} or spread_tasks.owner in (select gone_owner from ${gone} as gone))
     order by spread_tasks.id limit $3 ${lock}`,
    [connection.now(), jsonText(goneOwners.map((owner) => [jsonText(owner)])), limit],
  );
}

async function setStage(
  connection: Connection,
  query: Query,
  stage: 'waiting' | 'ended',
  tasks: readonly LostTask[],
  judged: ReadonlyMap<string, Judgement>,
): Promise<readonly TicketedTask[]> {
  if (tasks.length === 0) return [];
  return await query<TicketedTask>(
    `update spread_tasks set stage = $3, epoch = epoch + 1, recoveries = recoveries + lost.counted, owner = null, lease_until = null,
       ticketed_at = ${connection.fragments.now(1)}
     from ${connection.fragments.list(2, { lost_id: 'text', counted: 'integer' })} as lost where id = lost.lost_id returning ${ticketColumns}`,
    [connection.now(), jsonText(tasks.map(({ id }) => [id, judged.get(id)?.counts === true ? 1 : 0])), stage],
  );
}

async function recordStates(
  connection: Connection,
  query: Query,
  changes: readonly { readonly task: LostTask; readonly state: State }[],
): Promise<void> {
  for (const { task, state } of changes) {
    await query(
      `update task_runs set state_type = $1, state_name = $2, state_message = $3, ended_at = $4, due_at = null
       where run_id = $5 and id = $6 and state_type in (${openList})`,
      [state.type, state.name, state.message, isTerminal(state.type) ? task.now : null, task.run_id, task.id],
    );
    await addTransitions(connection, query, [
      { runId: task.run_id, taskRunId: task.id, at: task.now, ...state, attempt: task.attempt ?? 0, owner: null },
    ]);
  }
}

function nameOf({ owner }: LostTask): string {
  return ownerName(owner);
}
