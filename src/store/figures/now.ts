/** What is running now, and what ended last: counted from the runs, by indexes over open ones. */
import { clockOf, isNotReported, listOf, terminalList, openList, runsBy, Params } from '../sql.ts';
import { type StateName, type StateType, terminalTypes } from '../../model/state.ts';
import type { Connection } from '../connection.ts';
import { runWork } from '../fleet/waiting.ts';
import type { LastRuns, LateRuns, QueueFigures, TaskCounts, TaskFigures } from './contract.ts';
import { rangeText } from './live.ts';
import { jsonText } from '../storable.ts';
import { readNumbers, readProgress } from '../read-json.ts';

const minuteMs = 60_000;
const mostLate = 1_000;
/** Bounds of the sample for figures of tasks. */
const sampleRuns = 200;
const sampleTaskRuns = 20_000;

/** See `FigureStore.open`. */
export function openRuns(connection: Connection): Promise<{ type: StateType; name: StateName; count: number }[]> {
  return connection.query(
    `select state_type as type, state_name as name, count(*) as count from ${runsBy(connection, 'runs_state')}
     where state_type in (${openList}) group by state_type, state_name`,
  );
}

interface TaskFigureRow {
  readonly name: string;
  readonly failed: number;
  readonly range: number | null;
  readonly cpu: number | null;
  readonly runs: number;
  readonly total: number;
  readonly peak: number | null;
}

/** See `FigureStore.tasks`. Task runs that never began are ignored. */
export async function taskFigures(connection: Connection, flow: string, sinceAt: number): Promise<TaskFigures[]> {
  const rows = await connection.query<TaskFigureRow>(
    `select name, failed, range, cpu, count(*) as runs, coalesce(sum(ms), 0) as total, max(peak_bytes) as peak from (
       select task_runs.name, case when task_runs.state_type in ('FAILED', 'CRASHED') then 1 else 0 end as failed,
         ${rangeText('(task_runs.ended_at - task_runs.started_at)')} as range,
         ${rangeText('task_runs.cpu_ms')} as cpu, task_runs.peak_bytes,
         case when task_runs.ended_at > task_runs.started_at then task_runs.ended_at - task_runs.started_at else 0 end as ms
       from (select id from runs where flow = $1 and created_at >= $2 and ended_at is not null order by created_at desc, id desc limit ${sampleRuns}) as newest
       join task_runs on task_runs.run_id = newest.id
       where task_runs.started_at is not null and task_runs.ended_at is not null limit ${sampleTaskRuns}
     ) as sample group by name, failed, range, cpu`,
    [flow, sinceAt],
  );
  const tasks = new Map<
    string,
    { -readonly [Key in keyof TaskFigures]: TaskFigures[Key] } & Record<'durations' | 'cpuTimes', Map<number, number>>
  >();
  for (const { name, failed, range, cpu, runs, total, peak } of rows) {
    const none = { name, runs: 0, failures: 0, timed: 0, totalMs: 0, peakBytes: null };
    const task = tasks.get(name) ?? { ...none, durations: new Map<number, number>(), cpuTimes: new Map<number, number>() };
    tasks.set(name, task);
    task.runs += runs;
    task.timed += runs;
    task.totalMs += Number(total);
    if (failed === 1) task.failures += runs;
    if (range !== null) task.durations.set(range, (task.durations.get(range) ?? 0) + runs);
    if (cpu !== null) task.cpuTimes.set(cpu, (task.cpuTimes.get(cpu) ?? 0) + runs);
    if (peak !== null) task.peakBytes = Math.max(task.peakBytes ?? 0, peak);
  }
  return [...tasks.values()];
}

/** See `FigureStore.taskCounts`. */
export async function countTasks({ query, fragments }: Connection, runIds: readonly string[]): Promise<ReadonlyMap<string, TaskCounts>> {
  const counts = new Map<string, { -readonly [Key in keyof TaskCounts]: TaskCounts[Key] }>();
  if (runIds.length === 0) return counts;
  const rows = await query<{ run: string; type: StateType; name: StateName; progress: string | null; count: number }>(
    `select task_runs.run_id as run, task_runs.state_type as type, task_runs.state_name as name,
       case when task_runs.state_type = 'RUNNING' then task_runs.progress end as progress, count(*) as count
     from ${fragments.list(1, { id: 'text' })} as listed join task_runs on task_runs.run_id = listed.id group by 1, 2, 3, 4`,
    [listOf(runIds)],
  );
  for (const { run, type, name, progress, count } of rows) {
    const sum = counts.get(run) ?? { ...none };
    counts.set(run, sum);
    sum.total += count;
    if (terminalTypes.includes(type)) sum.ended += count;
    if (type === 'FAILED' || type === 'CRASHED') sum.failed += count;
    if (type === 'CANCELLED' || name === 'Skipped') sum.stopped += count;
    sum.underWay += count * shareDone(progress);
  }
  for (const [run, items] of await unmadeItems({ query, fragments }, runIds)) {
    const sum = counts.get(run) ?? { ...none };
    counts.set(run, { ...sum, total: sum.total + items });
  }
  return counts;
}

const none: TaskCounts = { total: 0, ended: 0, failed: 0, stopped: 0, underWay: 0 };

/** Items of mapped tasks with nothing recorded yet, by run; only runs with mapped tasks are read. */
async function unmadeItems(
  { query, fragments }: Pick<Connection, 'query' | 'fragments'>,
  runIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const listed = fragments.list(1, { id: 'text' });
  const mapped = await query<{ id: string; mapped: string }>(
    `select runs.id as id, runs.mapped as mapped from ${listed} as listed join runs on runs.id = listed.id where runs.mapped is not null`,
    [listOf(runIds)],
  );
  if (mapped.length === 0) return new Map();
  const made = await query<{ run: string; name: string; count: number }>(
    `select task_runs.run_id as run, task_runs.name as name, count(*) as count
     from ${listed} as listed join task_runs on task_runs.run_id = listed.id where task_runs.item_index is not null group by 1, 2`,
    [listOf(mapped.map(({ id }) => id))],
  );
  const countOf = new Map(made.map(({ run, name, count }) => [`${run} ${name}`, Number(count)]));
  return new Map(
    mapped.map(({ id, mapped: text }) => {
      const items = Object.entries(readNumbers(text) ?? {});
      return [id, items.reduce((sum, [name, count]) => sum + Math.max(0, count - (countOf.get(`${id} ${name}`) ?? 0)), 0)];
    }),
  );
}

/** From 0 to 1; 0 if nothing is reported, or no total. */
function shareDone(text: string | null): number {
  if (text === null) return 0;
  const { done = 0, total = null } = readProgress(text) ?? {};
  return total === null || total <= 0 ? 0 : Math.min(1, Math.max(0, done / total));
}

/** See `FigureStore.queues`. */
export async function queueFigures(connection: Connection): Promise<QueueFigures[]> {
  // A value, not a call, so that indexes over time serve.
  const now = await clockOf(connection);
  const rows = await connection.query<{ [Key in keyof QueueFigures]: QueueFigures[Key] }>(
    `select queue as name, sum(waiting) as waiting, sum(delayed) as delayed, sum(running) as running, min(oldest) as "oldestAt",
       sum(came) as "inLastMinute", sum(went) as "outLastMinute"
     from (
       select queue, sum(case when due_at > ${now} then 0 else 1 end) as waiting, sum(case when due_at > ${now} then 1 else 0 end) as delayed,
         0 as running, min(case when due_at > ${now} then null else coalesce(due_at, created_at) end) as oldest, 0 as came, 0 as went
       from (
         select queue, due_at, created_at from ${runsBy(connection, 'runs_waiting')} where ${runWork.isTicketable}
         union all
         select queue, due_at, created_at from ${runsBy(connection, 'runs_held')} where held = 1 and owner is null and state_type = 'SCHEDULED'
       ) as waiting group by queue
       union all
       select queue, 0, 0, count(*), null, 0, 0 from ${runsBy(connection, 'runs_owned')}
       where owner is not null and state_type in (${openList}) and ${isNotReported('owner')} group by queue
       union all
       select queue, 0, 0, 0, null, count(*), 0 from ${runsBy(connection, 'runs_created')} where created_at >= ${now} - ${minuteMs}
         and ${isNotReported('owner')} group by queue
       union all
       select queue, 0, 0, 0, null, 0, count(*) from ${runsBy(connection, 'runs_ended')}
       where ended_at is not null and ended_at >= ${now} - ${minuteMs} and ${isNotReported('owner')} group by queue
     ) as parts group by queue order by queue`,
  );
  return rows.map((row) => ({
    name: row.name,
    waiting: Number(row.waiting),
    delayed: Number(row.delayed),
    running: Number(row.running),
    oldestAt: row.oldestAt,
    inLastMinute: Number(row.inLastMinute),
    outLastMinute: Number(row.outLastMinute),
  }));
}

/** See `FigureStore.late`. */
export async function lateRuns(connection: Connection): Promise<LateRuns[]> {
  const rows = await connection.query<{ id: string; flow: string; deployment: string | null; at: number }>(
    `select id, flow, deployment, coalesce(due_at, scheduled_for, created_at) as at from ${runsBy(connection, 'runs_state')}
     where state_type = 'SCHEDULED' and state_name = 'Late' order by created_at limit ${mostLate}`,
  );
  const groups = new Map<string, LateRuns>();
  for (const { id, flow, deployment, at } of rows) {
    const key = jsonText([deployment, flow]);
    const group = groups.get(key) ?? { deployment, flow, count: 0, runId: id, sinceAt: at };
    groups.set(key, { ...group, count: group.count + 1, ...(at < group.sinceAt ? { runId: id, sinceAt: at } : {}) });
  }
  return [...groups.values()].sort((left, right) => left.sinceAt - right.sinceAt);
}

interface LastRow {
  readonly place: number;
  readonly id: string;
  readonly flow: string;
  readonly deployment: string | null;
  readonly type: StateType;
  readonly endedAt: number;
  readonly created_at: number;
}

/** See `FigureStore.last`. */
export async function lastRuns(connection: Connection, of: readonly Pick<LastRuns, 'kind' | 'name'>[], limit: number): Promise<LastRuns[]> {
  if (of.length === 0) return [];
  const params = new Params();
  const parts = of.map(
    ({ kind, name }, place) => `select * from (
      select ${place} as place, id, flow, deployment, state_type as type, ended_at as "endedAt", created_at
      from ${runsBy(connection, kind === 'flow' ? 'runs_flow_created' : 'runs_deployment_created')}
      where ${kind} = ${params.add(name)} and state_type in (${terminalList}) and ended_at is not null
      order by created_at desc, id desc limit ${limit}) as part${place}`,
  );
  const rows = await connection.query<LastRow>(parts.join(' union all '), params.values);
  return of.flatMap(({ kind, name }, place) => {
    const runs = rows.filter((row) => row.place === place).sort((left, right) => right.created_at - left.created_at);
    const [newest] = runs;
    return newest === undefined
      ? []
      : [
          {
            kind,
            name,
            flow: newest.flow,
            deployment: newest.deployment,
            runs: runs.map(({ id, type, endedAt }) => ({ id, type, endedAt })),
          },
        ];
  });
}
