/** What lists and figures are read from when a store is full. */
import type { Migration } from './migration.ts';

export const lists: Migration = {
  number: 8,
  name: 'lists',
  statements: () => ['create index runs_ended on runs (ended_at) where ended_at is not null'],
};
