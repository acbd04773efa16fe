/** How long runs were executed, without waits, and how many items their mapped tasks have. */
import type { Migration } from './migration.ts';

export const runTimes: Migration = {
  number: 18,
  name: 'run times',
  statements: (_dialect, { integer, text }) => [
    `alter table runs add column executed_ms ${integer}`,
    `alter table runs add column resumed_at ${integer}`,
    `alter table runs add column mapped ${text}`,
  ],
};
