/**
 * Ticks of schedules that become runs, and runs that wait for earlier ones.
 *
 * Schedulers running at the same time lock different schedules, so each tick is decided once; the unique index over schedule and tick
 * guarantees that. If runs of a deployment must not overlap, its row is locked too. That lock is never waited for: anyone who changes a
 * deployment locks it before its schedules. A crash in between changes nothing.
 */
import type { Database, Connection } from '../connection.ts';
import { listed, listOf, nowOnce, forUpdateOfFree, clockOf, openList, runsBy } from '../sql.ts';
import { deploymentTable, type DeploymentRow, deploymentOf, type ScheduleRow, scheduleTable } from '../deployments/tables.ts';
import type { OpenTick } from '../../model/schedule/overlap.ts';
import type { Ticketed } from '../leases/contract.ts';
import { insertWithin } from '../fleet/waiting.ts';
import type { ClaimTicksOptions, ClaimTicksReport, DueSchedule, SetAside, TickPlan, TickStore } from './contract.ts';
import { holdRuns, markLateRuns, overtakenRuns, releaseHeld, standsBefore } from './held.ts';
import { jsonText } from '../storable.ts';
import { readConcurrency } from '../read-json.ts';
import { cutText } from '../../base/cut-text.ts';
import { storeError } from '../errors.ts';

/** Longest reason that is kept of a schedule that was set aside, in characters. */
const maxFaultChars = 1_000;

type DueRow = Record<string, string | number | null> & { readonly flow_concurrency: string | null };

const picked = [
  ...scheduleTable.columns.map((column) => `s.${column} as s_${column}`),
  ...deploymentTable.columns.map((column) => `d.${column} as d_${column}`),
  '(select concurrency from flows where flows.name = d.flow) as flow_concurrency',
].join(', ');

/** See `TickStore`. */
export function tickStore(connection: Connection): TickStore {
  return {
    nextTurn: (options) => nextTurn(connection, options),
    claim: (options, decide) => connection.transaction((db) => claim(db, options, decide)),
    release: (deployments) => releaseHeld(connection, deployments),
    overtaken: () => overtakenRuns(connection),
    markLate: (options) => markLateRuns(connection, options),
  };
}

/** SQLite keeps no statistics and would not choose the index by itself. */
function dueTables({ dialect }: Database): string {
  return `${dialect === 'sqlite' ? 'schedules as s indexed by schedules_due' : 'schedules as s'} join deployments as d on d.name = s.deployment`;
}

async function nextTurn(
  connection: Connection,
  { lookAheadMs, withinMs }: Parameters<TickStore['nextTurn']>[0],
): ReturnType<TickStore['nextTurn']> {
  const now = nowOnce(connection, 1);
  const [row] = await connection.query<{ now: number; at: number | null }>(
    `select ${now} as now, (
       select min(case when d.overlap = 'allow' then s.next_tick_at - $2 else s.next_tick_at end) from ${dueTables(connection)}
       where s.active = 1 and s.next_tick_at <= ${now} + $2 + $3) as at`,
    [connection.now(), lookAheadMs, withinMs],
  );
  return { now: row?.now ?? 0, at: row?.at ?? null };
}

async function claim(db: Database, options: ClaimTicksOptions, decide: Parameters<TickStore['claim']>[1]): Promise<ClaimTicksReport> {
  const now = await clockOf(db);
  const found = await findDue(db, options, now);
  const due = await withoutLocked(db, found);
  const guarded = [...new Set(due.filter(({ deployment }) => deployment.overlap !== 'allow').map(({ deployment }) => deployment.name))];
  const decided = decide(due, now, await openTicks(db, guarded));
  const { plans, placed } = await insertAllThatGo(db, decided);
  await moveOn(db, due, plans);
  const setAside = due.flatMap(({ deployment, schedule }, at): SetAside[] => {
    const fault = plans[at]?.fault;
    return fault === undefined ? [] : [{ deployment: deployment.name, schedule: schedule.slug, fault }];
  });
  return { now, schedules: due.length, ...placed, setAside };
}

/** Schedules on time first, so that catching up after an outage delays no current tick. */
async function findDue(db: Database, options: ClaimTicksOptions, now: number): Promise<readonly DueSchedule[]> {
  const { limit, lookAheadMs, missedAfterMs } = options;
  const missedBefore = now - missedAfterMs;
  const lock = forUpdateOfFree(db, 's');
  const find = async (after: number, until: number, most: number): Promise<DueSchedule[]> => {
    const rows = await db.query<DueRow>(
      `select ${picked} from ${dueTables(db)}
       where s.active = 1 and s.next_tick_at > $1 and s.next_tick_at <= $2 and (d.overlap = 'allow' or s.next_tick_at <= $3)
       order by s.next_tick_at, s.id limit $4 ${lock}`,
      [after, until, now, most],
    );
    return rows.map(dueOf);
  };
  const onTime = await find(missedBefore, now + lookAheadMs, limit);
  return onTime.length >= limit ? onTime : [...onTime, ...(await find(-1, missedBefore, limit - onTime.length))];
}

function dueOf(row: DueRow): DueSchedule {
  const part = (letter: 's' | 'd'): Record<string, unknown> =>
    Object.fromEntries(Object.entries(row).flatMap(([name, value]) => (name.startsWith(`${letter}_`) ? [[name.slice(2), value]] : [])));
  const schedule = scheduleTable.read(part('s') as unknown as ScheduleRow);
  return {
    deployment: deploymentOf(part('d') as unknown as DeploymentRow),
    flowConcurrency: row.flow_concurrency === null ? null : readConcurrency(row.flow_concurrency),
    schedule: { ...schedule, nextTickAt: schedule.nextTickAt ?? 0 },
  };
}

/** Leaves for the next pass schedules whose runs must not overlap and whose deployment someone else is deciding. */
async function withoutLocked({ dialect, fragments, query }: Database, found: readonly DueSchedule[]): Promise<readonly DueSchedule[]> {
  const guarded = new Set(found.filter(({ deployment }) => deployment.overlap !== 'allow').map(({ deployment }) => deployment.name));
  if (dialect === 'sqlite' || guarded.size === 0) return found;
  const rows = await query<{ name: string }>(
    `select name from deployments where name in ${listed({ fragments }, 1)}
     order by name for no key update skip locked`,
    [listOf([...guarded])],
  );
  const locked = new Set(rows.map(({ name }) => name));
  return found.filter(({ deployment: { name } }) => !guarded.has(name) || locked.has(name));
}

/** The oldest held and the oldest other open tick of each deployment that has any. */
async function openTicks(db: Database, deployments: readonly string[]): Promise<ReadonlyMap<string, readonly OpenTick[]>> {
  const open = new Map<string, OpenTick[]>();
  if (deployments.length === 0) return open;
  const rows = await db.query<{ deployment: string; name: string; scheduled_for: number; held: number }>(
    `select deployment, name, scheduled_for, held from (
       select deployment, name, scheduled_for, case when held = 1 and state_type = 'SCHEDULED' then 1 else 0 end as held,
         row_number() over (partition by deployment, case when held = 1 and state_type = 'SCHEDULED' then 1 else 0 end order by scheduled_for, id) as place
       from ${runsBy(db, 'runs_open_ticks', 'earlier')}
       where deployment in ${listed(db, 1)}
         and schedule_id is not null and state_type in (${openList}) and ${standsBefore('earlier')}) as ranked
     where place = 1 order by scheduled_for`,
    [listOf(deployments)],
  );
  for (const { deployment, name, scheduled_for: scheduledFor, held } of rows) {
    const ticks = open.get(deployment) ?? [];
    ticks.push({ name, scheduledFor, held: held === 1 });
    open.set(deployment, ticks);
  }
  return open;
}

type Placed = Pick<ClaimTicksReport, 'waiting' | 'held' | 'dropped'>;

/** All at once; if the database refuses one, each schedule by itself, and the refused ones are set aside. */
async function insertAllThatGo(
  db: Database,
  plans: readonly TickPlan[],
): Promise<{ readonly plans: readonly TickPlan[]; readonly placed: Placed }> {
  const all = await attempt(db, plans);
  if (!(all instanceof Error)) return { plans, placed: all };
  const gone: TickPlan[] = [];
  const sum: { waiting: Ticketed[]; held: number; dropped: number } = { waiting: [], held: 0, dropped: 0 };
  for (const plan of plans) {
    const placed = await attempt(db, [plan]);
    if (placed instanceof Error) {
      gone.push({ runs: [], nextTickAt: null, fault: cutText(placed.message, maxFaultChars, '…') });
      continue;
    }
    gone.push(plan);
    sum.waiting.push(...placed.waiting);
    sum.held += placed.held;
    sum.dropped += placed.dropped;
  }
  return { plans: gone, placed: sum };
}

/** Undone by itself if refused for what is in the rows; any other error is thrown. */
async function attempt(db: Database, plans: readonly TickPlan[]): Promise<Placed | Error> {
  if (plans.every(({ runs }) => runs.length === 0)) return { waiting: [], held: 0, dropped: 0 };
  await db.query('savepoint planned');
  try {
    const placed = await insertPlanned(db, plans);
    await db.query('release savepoint planned');
    return placed;
  } catch (error) {
    const refusal = storeError(error, db.url);
    if (refusal.code !== 'INTERNAL') throw error;
    await db.query('rollback to savepoint planned');
    return refusal;
  }
}

async function insertPlanned(db: Database, plans: readonly TickPlan[]): Promise<Placed> {
  const planned = plans.flatMap(({ runs }) => runs);
  if (planned.length === 0) return { waiting: [], held: 0, dropped: 0 };
  const placed = await insertWithin(
    db,
    planned.map(({ run }) => ({ run, idempotencyKey: null })),
  );
  const made = planned.filter((_, at) => placed[at]?.inserted === true);
  const held = made.filter((row) => row.held);
  await holdRuns(
    db,
    held.map(({ run }) => run.id),
  );
  const started = made.filter((row) => !row.held && row.run.state.type === 'SCHEDULED');
  const waiting = started.map(
    ({ run }): Ticketed => ({
      id: run.id,
      epoch: 0,
      queue: run.queue ?? 'default',
      priority: run.priority ?? 0,
      dueAt: run.dueAt ?? null,
    }),
  );
  return { waiting, held: held.length, dropped: made.length - held.length - waiting.length };
}

/** Forward only: a clock that was set back is not believed. */
async function moveOn({ fragments, query }: Database, due: readonly DueSchedule[], plans: readonly TickPlan[]): Promise<void> {
  const rows = due.map(({ schedule }, at) => [schedule.id, plans[at]?.nextTickAt ?? null, plans[at]?.fault ?? null]);
  if (rows.length === 0) return;
  await query(
    `update schedules set next_tick_at = planned.tick_at, fault = planned.fault
     from ${fragments.list(1, { planned_id: 'text', tick_at: 'integer', fault: 'text' })} as planned
     where schedules.id = planned.planned_id and (planned.tick_at is null or planned.tick_at > schedules.next_tick_at)`,
    [jsonText(rows)],
  );
}
