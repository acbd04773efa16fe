/** Processor and memory use of task runs. */
import type { Migration } from './migration.ts';

export const taskUsage: Migration = {
  number: 37,
  name: 'task usage',
  statements: (_dialect, { integer, text }) => [
    `alter table task_runs add column cpu_ms ${integer}`,
    `alter table task_runs add column peak_bytes ${integer}`,
    `alter table task_runs add column usage_scope ${text}`,
  ],
};
