/**
 * Runs whose owner is lost: found by leases that are over or by owners known to be gone, and given to others.
 *
 * Several processes may look at the same time; each takes rows that nobody else has locked. A crash in between changes nothing.
 */
import { forUpdateOfFree, openList, runsBy } from '../sql.ts';
import type { Owner } from '../../model/run.ts';
import type { StateName, StateType } from '../../model/state.ts';
import type { Connection, Query } from '../connection.ts';
import { type Judgement, judgeLosses, withoutExpected } from '../suspects/judge.ts';
import { cancelNow } from '../runs/cancel.ts';
import { addTransitions } from '../runs/transitions.ts';
import { endSpreadOf } from '../spread/spread.ts';
import type { ReclaimOptions, ReclaimReport, TicketedRun } from './contract.ts';
import { oweHooks } from './owed-hooks.ts';
import { jsonText } from '../storable.ts';
import { ownerName, readFields } from '../read-json.ts';

interface LostRun {
  readonly id: string;
  readonly state_type: StateType;
  readonly attempt: number;
  readonly recoveries: number;
  readonly owner: string | null;
  readonly lease_until: number | null;
  readonly now: number;
}

/** See `FleetStore.owners`. */
export async function ownersOfRuns(connection: Connection): Promise<readonly Owner[]> {
  const rows = await connection.query<{ owner: string }>(
    `select distinct owner from ${runsBy(connection, 'runs_owned')} where owner is not null and state_type in (${openList})`,
  );
  return rows.flatMap(({ owner }) => readFields<Owner>(owner) ?? []);
}

/** See `FleetStore.reclaim`. */
export async function reclaimRuns(connection: Connection, given: ReclaimOptions): Promise<ReclaimReport> {
  const options = { ...given, goneOwners: await withoutExpected(connection, given.goneOwners) };
  // A look costs no lock; most looks find nothing.
  if ((await findLost(connection, connection.query, options, 1, '')).length === 0) return { waiting: [], ended: [], crashed: [] };
  return await connection.transaction(async (query) => {
    const lock = forUpdateOfFree(connection);
    const lost = await findLost(connection, query, options, options.limit, lock);
    const cancelled = lost.filter(({ state_type }) => state_type === 'CANCELLING');
    const others = lost.filter(({ state_type }) => state_type !== 'CANCELLING');
    const judged = await judgeLosses(
      connection,
      query,
      others.flatMap(({ id, owner, recoveries, lease_until: leaseUntil }) =>
        owner === null ? [] : [{ id, runId: id, owner, recoveries, leaseUntil }],
      ),
      options.maxRecoveries,
    );
    const crashed = others.filter(({ id }) => judged.get(id)?.crashes === true);
    const waiting = others.filter((run) => !crashed.includes(run));
    const ended: { id: string; message: string }[] = [];
    for (const run of cancelled) ended.push(await cancelLost(connection, query, run));
    for (const run of crashed) ended.push(await crash(connection, query, run, judged.get(run.id)));
    const owed = await oweHooks(
      connection,
      query,
      crashed.map(({ id }) => id),
      crashed[0]?.now ?? 0,
    );
    return { waiting: await letWait(connection, query, waiting, judged), ended, crashed: owed };
  });
}

/** Runs whose owner is lost; those that were given back in the middle of a cancel count as well. */
async function findLost(
  connection: Connection,
  query: Query,
  { goneOwners }: ReclaimOptions,
  limit: number,
  lock: string,
): Promise<LostRun[]> {
  const now = connection.fragments.now(1);
  const gone = connection.fragments.list(2, { owner: 'text' });
  const columns = `id, state_type, attempt, recoveries, owner, lease_until, ${now} as now`;
  const lost = await query<LostRun>(
    `select ${columns} from ${runsBy(connection, 'runs_owned')}
     where owner is not null and state_type in (${openList}) and (lease_until <= ${now} or owner in (select owner from ${gone} as gone))
     order by id limit $3 ${lock}`,
    [connection.now(), jsonText(goneOwners.map((owner) => [jsonText(owner)])), limit],
  );
  if (lost.length >= limit) return lost;
  const left = await query<LostRun>(
    `select ${columns} from ${runsBy(connection, 'runs_state')} where owner is null and state_type = 'CANCELLING' order by id limit $2 ${lock}`,
    [connection.now(), limit - lost.length],
  );
  return [...lost, ...left];
}

async function letWait(
  connection: Connection,
  query: Query,
  runs: readonly LostRun[],
  judged: ReadonlyMap<string, Judgement>,
): Promise<readonly TicketedRun[]> {
  if (runs.length === 0) return [];
  const state = { type: 'SCHEDULED', name: 'Resuming' } as const satisfies { type: StateType; name: StateName };
  const rows = runs.map((run) => ({ ...run, message: messageOf(run, judged.get(run.id)) }));
  await addTransitions(
    connection,
    query,
    rows.map(({ id, now, attempt, message }) => ({ runId: id, taskRunId: null, at: now, ...state, message, attempt, owner: null })),
  );
  return await query<TicketedRun>(
    `update runs set state_type = 'SCHEDULED', state_name = 'Resuming', state_message = lost.message, epoch = epoch + 1,
       due_at = case when state_type = 'PAUSED' then null else due_at end,
       recoveries = recoveries + lost.counted, owner = null, lease_until = null, ticketed_at = ${connection.fragments.now(1)}
     from ${connection.fragments.list(2, { lost_id: 'text', message: 'text', counted: 'integer' })} as lost where runs.id = lost.lost_id
     returning id, epoch, queue, priority, due_at as "dueAt"`,
    [connection.now(), jsonText(rows.map(({ id, message }) => [id, message, judged.get(id)?.counts === true ? 1 : 0]))],
  );
}

async function cancelLost(connection: Connection, query: Query, run: LostRun): Promise<{ id: string; message: string }> {
  const message = 'It was cancelled; the process that ran it was lost meanwhile.';
  await cancelNow(connection, query, run.id, run.attempt, run.now, message);
  return { id: run.id, message };
}

async function crash(
  connection: Connection,
  query: Query,
  run: LostRun,
  judgement: Judgement | undefined,
): Promise<{ id: string; message: string }> {
  const { id, now, attempt } = run;
  const owners = await query<{ owner: string }>(
    'select owner, max(seq) as last from transitions where run_id = $1 and owner is not null group by owner order by last',
    [id],
  );
  const history = [...new Set([...owners.map(({ owner }) => owner), nameOf(run)])];
  const message = `Process after process was lost while it ran, ${judgement?.losses ?? run.recoveries + 1} in all: ${history.join(', ')}.${saidOf(judgement)}`;
  await endSpreadOf(connection, query, id);
  const crashed = { at: now, type: 'CRASHED', name: 'Crashed', message, owner: null } as const;
  const tasks = await query<{ id: string; attempt: number }>(
    `update task_runs set state_type = 'CRASHED', state_name = 'Crashed', state_message = $1, ended_at = $2, due_at = null
     where run_id = $3 and state_type in (${openList}) returning id, attempt`,
    [message, now, id],
  );
  await query(
    `update runs set state_type = 'CRASHED', state_name = 'Crashed', state_message = $1, ended_at = $2, due_at = null,
       recoveries = recoveries + 1, epoch = epoch + 1, owner = null, lease_until = null
     where id = $3`,
    [message, now, id],
  );
  await addTransitions(connection, query, [
    ...tasks.map((task) => ({ runId: id, taskRunId: task.id, attempt: task.attempt, ...crashed })),
    { runId: id, taskRunId: null, attempt, ...crashed },
  ]);
  return { id, message };
}

function messageOf(run: LostRun, judgement: Judgement | undefined): string {
  return `Its process ${nameOf(run)} was lost; another goes on from what is recorded.${saidOf(judgement)}`;
}

/** What was seen of the process, as a sentence that follows another. */
function saidOf(judgement: Judgement | undefined): string {
  const seen = judgement?.counts === true ? judgement.seen : null;
  return seen === null ? '' : ` Of the last was seen: ${seen}`;
}

function nameOf({ owner }: LostRun): string {
  return ownerName(owner);
}
