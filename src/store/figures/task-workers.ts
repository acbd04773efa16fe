/** Which process executed the task runs of a flow, and how that went. */
import type { Connection } from '../connection.ts';
import type { TaskWorkerFigures } from './contract.ts';

/** Bounds of the sample, as of `taskFigures`. */
const sampleRuns = 200;
const sampleTaskRuns = 20_000;

/** See `FigureStore.taskWorkers`. Joined here: transitions have no index by task run, and a run may have very many. */
export async function taskWorkers(connection: Connection, flow: string, sinceAt: number): Promise<TaskWorkerFigures[]> {
  const newest = `(select id from runs where flow = $1 and created_at >= $2 and ended_at is not null order by created_at desc, id desc limit ${sampleRuns})`;
  const taskRuns = await connection.query<{ id: string; name: string; failed: number; ms: number }>(
    `select task_runs.id, task_runs.name, case when task_runs.state_type in ('FAILED', 'CRASHED') then 1 else 0 end as failed,
       case when task_runs.ended_at > task_runs.started_at then task_runs.ended_at - task_runs.started_at else 0 end as ms
     from ${newest} as newest join task_runs on task_runs.run_id = newest.id
     where task_runs.started_at is not null and task_runs.ended_at is not null limit ${sampleTaskRuns}`,
    [flow, sinceAt],
  );
  const ends = await connection.query<{ task: string; owner: string }>(
    `select ended.task_run_id as task, ended.owner from ${newest} as newest join transitions as ended on ended.run_id = newest.id
     where ended.task_run_id is not null and ended.owner is not null and ended.type in ('COMPLETED', 'FAILED', 'CRASHED')
     order by ended.run_id, ended.seq limit ${2 * sampleTaskRuns}`,
    [flow, sinceAt],
  );
  const ownerOf = new Map(ends.map(({ task, owner }) => [task, owner]));
  const figures = new Map<string, { -readonly [Key in keyof TaskWorkerFigures]: TaskWorkerFigures[Key] }>();
  for (const { id, name, failed, ms } of taskRuns) {
    const owner = ownerOf.get(id) ?? null;
    const key = `${owner ?? ''} ${name}`;
    const sum = figures.get(key) ?? { name, owner, runs: 0, failures: 0, totalMs: 0 };
    figures.set(key, sum);
    sum.runs += 1;
    sum.failures += failed;
    sum.totalMs += Number(ms);
  }
  return [...figures.values()];
}
