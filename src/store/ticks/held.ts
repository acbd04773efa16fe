/** Runs of ticks that wait (for earlier ones to end, or too long for a worker), or are no longer wanted. */
import type { Database, Connection } from '../connection.ts';
import { listOf, listed, forUpdateOfFree, nowOnce, idAmong, openList, runsBy } from '../sql.ts';
import type { Ticketed } from '../leases/contract.ts';
import { lineUp } from '../fairness/fairness.ts';
import { addTransitions } from '../runs/transitions.ts';
import type { TickStore } from './contract.ts';

/** Runs per call. */
const maxRuns = 1_000;

const releasedMessage = 'The runs before it have ended.';
const lateMessage = 'No worker took it in time.';

/** Inside the transaction in which they were inserted. */
export async function holdRuns({ fragments, query }: Database, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await query(`update runs set held = 1 where id in ${listed({ fragments }, 1)}`, [listOf(ids)]);
}

/** See `TickStore.release`. */
export async function releaseHeld(connection: Connection, deployments: readonly string[] | null): Promise<readonly Ticketed[]> {
  const { fragments } = connection;
  const names = deployments === null ? [] : [listOf(deployments)];
  // A query costs no lock; most find nothing.
  const [found] = await connection.query(
    `select 1 as found from ${runsBy(connection, 'runs_held')} where held = 1 ${amongst(connection, 'deployment', deployments)} limit 1`,
    names,
  );
  if (found === undefined) return [];
  return await connection.transaction(async (db) => {
    const place = names.length + 1;
    const now = fragments.now(place);
    const lock = forUpdateOfFree(db);
    const rows = await db.query<Ticketed & { attempt: number; now: number; key: string | null }>(
      `update runs set state_name = 'Scheduled', state_message = $${place + 1}, due_at = ${now}, ticketed_at = ${now}, held = null
       where held = 1 and id in (
         select id from ${runsBy(db, 'runs_held', 'waiting')}
         where held = 1 and state_type = 'SCHEDULED' ${amongst(db, 'waiting.deployment', deployments)} and ${goesOn('waiting')}
         and not exists (
           select 1 from ${runsBy(db, 'runs_open_ticks', 'earlier')}
           where earlier.deployment = waiting.deployment and earlier.schedule_id is not null and earlier.state_type in (${openList})
             and earlier.id <> waiting.id and ${standsBefore('earlier')}
             and (earlier.held is null or earlier.state_type <> 'SCHEDULED' or (earlier.scheduled_for, earlier.id) < (waiting.scheduled_for, waiting.id)))
         limit ${maxRuns} ${lock})
       returning id, epoch, queue, priority, due_at as "dueAt", attempt, ${now} as now, case when fair_waits is not null then fair_key end as key`,
      [...names, db.now(), releasedMessage],
    );
    const fair = rows.flatMap(({ queue, priority, key }) => (key === null ? [] : [{ queue, priority, key }]));
    if (fair.length > 0) await lineUp(db, fair);
    const scheduled = { taskRunId: null, type: 'SCHEDULED', name: 'Scheduled', message: releasedMessage, owner: null } as const;
    await addTransitions(
      db,
      rows.map(({ id, attempt, now: at }) => ({ runId: id, at, attempt, ...scheduled })),
    );
    return rows.map(({ id, epoch, queue, priority, dueAt }) => ({ id, epoch, queue, priority, dueAt }));
  });
}

/** See `TickStore.overtaken`. */
export async function overtakenRuns(connection: Connection): Promise<readonly string[]> {
  const rows = await connection.query<{ id: string }>(
    `select distinct earlier.id from ${runsBy(connection, 'runs_held', 'waiting')}
       join deployments on deployments.name = waiting.deployment and deployments.overlap = 'cancel-running'
       join ${runsBy(connection, 'runs_open_ticks', 'earlier')} on earlier.deployment = waiting.deployment
     where waiting.held = 1 and waiting.state_type = 'SCHEDULED' and ${goesOn('waiting')} and ${standsBefore('earlier')}
       and earlier.schedule_id is not null and earlier.state_type in (${openList}) and earlier.state_type <> 'CANCELLING'
       and (earlier.scheduled_for, earlier.id) < (waiting.scheduled_for, waiting.id)
     limit ${maxRuns}`,
  );
  return rows.map(({ id }) => id);
}

/** See `TickStore.markLate`. */
export async function markLateRuns(
  connection: Connection,
  { lateAfterMs, limit }: Parameters<TickStore['markLate']>[0],
): Promise<readonly string[]> {
  const now = nowOnce(connection, 1);
  const late = `state_type = 'SCHEDULED' and state_name = 'Scheduled' and due_at is not null and due_at <= ${now} - $2 and owner is null and held is null`;
  const index = runsBy(connection, 'runs_not_late');
  const [found] = await connection.query(`select 1 as found from ${index} where ${late} limit 1`, [connection.now(), lateAfterMs]);
  if (found === undefined) return [];
  return await connection.transaction(async (db) => {
    const lock = forUpdateOfFree(db);
    const rows = await db.query<{ id: string; attempt: number; message: string; now: number }>(
      `update runs set state_name = 'Late', state_message = coalesce(state_message, $4)
       where ${idAmong(db, `select id from ${index} where ${late} order by due_at limit $3 ${lock}`)}
       returning id, attempt, state_message as message, ${now} as now`,
      [db.now(), lateAfterMs, limit, lateMessage],
    );
    const state = { taskRunId: null, type: 'SCHEDULED', name: 'Late', owner: null } as const;
    await addTransitions(
      db,
      rows.map(({ id, attempt, message, now: at }) => ({ runId: id, at, attempt, message, ...state })),
    );
    return rows.map(({ id }) => id);
  });
}

function amongst({ fragments }: Database, column: string, deployments: readonly string[] | null): string {
  return deployments === null ? '' : `and ${column} in ${listed({ fragments }, 1)}`;
}

const scheduleIsPaused = (run: string): string =>
  `exists (select 1 from schedules where schedules.id = ${run}.schedule_id and schedules.paused_at is not null)`;

/** A waiting run whose deployment and schedule are active or no longer exist. */
export const goesOn = (run: string): string =>
  `not exists (select 1 from deployments where deployments.name = ${run}.deployment and deployments.paused_at is not null)
   and not ${scheduleIsPaused(run)}`;

/** A run of a tick that others may have to wait for: not one that is held itself while its schedule is paused. */
export const standsBefore = (run: string): string =>
  `(${run}.held is null or ${run}.state_type <> 'SCHEDULED' or not ${scheduleIsPaused(run)})`;

/**
 * Inside the transaction that pauses, changes or deletes these schedules: withdraws runs of future ticks that nobody has begun, as if they
 * had never been made. A leftover ticket finds nothing.
 */
export async function withdrawTicks(db: Database, deployments: readonly string[], schedules: readonly string[]): Promise<void> {
  if (schedules.length === 0) return;
  const { fragments } = db;
  const names = listOf([...new Set(deployments)]);
  const ids = listOf(schedules);
  const gone = await db.query<{ id: string }>(
    `delete from runs where id in (
       select id from ${runsBy(db, 'runs_open_ticks', 'made')}
       where deployment in ${listed({ fragments }, 2)} and schedule_id is not null
         and schedule_id in ${listed({ fragments }, 3)}
         and state_type in (${openList}) and scheduled_for > ${fragments.now(1)})
       and state_type = 'SCHEDULED' and owner is null and epoch = 0
     returning id`,
    [db.now(), names, ids],
  );
  if (gone.length === 0) return;
  await db.query(`delete from transitions where run_id in ${listed({ fragments }, 1)}`, [listOf(gone.map(({ id }) => id))]);
}
