/** How many places of a worker runs and spread tasks take that take several. */
import type { Migration } from './migration.ts';

export const slots: Migration = {
  number: 56,
  name: 'slots',
  // Null: one. A claim reads the row anyway, and leaves the others to a worker that has as many places free.
  statements: () => ['runs', 'spread_tasks', 'deployments'].map((table) => `alter table ${table} add column slots integer`),
};
