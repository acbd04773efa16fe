/** How many places of a worker a run or spread task takes if several. */
import type { Migration } from './migration.ts';

export const slots: Migration = {
  number: 56,
  name: 'slots',
  // Null: one. A claim reads the row anyway, and leaves the others to a worker with as many free places.
  statements: () => ['runs', 'spread_tasks', 'deployments'].map((table) => `alter table ${table} add column slots integer`),
};
