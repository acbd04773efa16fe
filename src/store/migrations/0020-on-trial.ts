/** Which runs and spread tasks are left to a separate process, kept in their rows. */
import type { Migration } from './migration.ts';

const tables = ['runs', 'spread_tasks'];

export const onTrial: Migration = {
  number: 20,
  name: 'on trial',
  statements: () => [
    // A claim reads the row anyway; reading another table made a worker on PostgreSQL a fifth slower.
    ...tables.map((table) => `alter table ${table} add column on_trial integer`),
    ...tables.map((table) => `update ${table} set on_trial = 1 where id in (select id from suspects where on_trial = 1)`),
    'alter table suspects drop column on_trial',
  ],
};
