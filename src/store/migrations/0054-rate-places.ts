/** Places of rates that are given ahead of their time. */
import type { Migration } from './migration.ts';

export const ratePlaces: Migration = {
  number: 54,
  name: 'rate places',
  statements: (_dialect, { integer }) => [
    // By when the previous start in the place had happened, while that still counts; null if the place was free.
    `alter table rate_starts add column after_at ${integer}`,
    // Whether it waits for more than one rate.
    `alter table rate_waits add column several integer not null default 0`,
    'create index rate_waits_several on rate_waits (name, next_at) where several = 1',
  ],
};
