/** Spread task runs that wait for a worker, as people are told of them. */
import type { Connection } from '../connection.ts';
import type { WaitingTasks } from './contract.ts';

/** See `SpreadStore.waiting`. Those that wait for their next attempt are not among them. */
export async function waitingTasks(connection: Connection, runId: string): Promise<readonly WaitingTasks[]> {
  return await connection.query<WaitingTasks>(
    `select spread_tasks.queue as queue, task_runs.name as task, count(*) as count
     from spread_tasks join task_runs on task_runs.run_id = spread_tasks.run_id and task_runs.key = spread_tasks.key
     where spread_tasks.run_id = $2 and spread_tasks.stage = 'waiting'
       and (spread_tasks.due_at is null or spread_tasks.due_at <= ${connection.fragments.now(1)})
     group by spread_tasks.queue, task_runs.name order by 1, 2`,
    [connection.now(), runId],
  );
}
