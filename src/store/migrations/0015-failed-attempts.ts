/** How many failed attempts of a task run count against its retries; counting them in the history is too slow for a large run. */
import type { Migration } from './migration.ts';

const openList = `'SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING'`;
const openRuns = `select id from runs where state_type in (${openList})`;

export const failedAttempts: Migration = {
  number: 15,
  name: 'failed attempts',
  statements: (_dialect, { integer }) => [
    `alter table task_runs add column failures ${integer}`,
    // For running runs: failures since each task run was last opened.
    `update task_runs set failures = counted.failures from (
       select retried.task_run_id as id, count(*) as failures from transitions as retried
       left join (
         select task_run_id, max(seq) as seq from transitions
         where task_run_id is not null and (name = 'Scheduled' or type not in (${openList})) and run_id in (${openRuns}) group by task_run_id
       ) as opened on opened.task_run_id = retried.task_run_id
       where retried.name = 'AwaitingRetry' and retried.task_run_id is not null and retried.run_id in (${openRuns})
         and retried.seq > coalesce(opened.seq, 0)
       group by retried.task_run_id
     ) as counted where task_runs.id = counted.id and task_runs.state_type in (${openList})`,
  ],
};
