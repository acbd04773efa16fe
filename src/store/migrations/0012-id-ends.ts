/** Runs are found by the end of their ids, which is what people see of them. */
import { lastCharsOf } from '../id-part.ts';
import type { Migration } from './migration.ts';

export const idEnds: Migration = {
  number: 12,
  name: 'id ends',
  statements: () => [`create index runs_id_end on runs (${lastCharsOf('id')})`],
};
