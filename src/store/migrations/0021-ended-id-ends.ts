/** The end of an id is looked up among ended runs by an index, and among open ones by their states. */
import { lastCharsOf } from '../id-part.ts';
import type { Migration } from './migration.ts';

export const endedIdEnds: Migration = {
  number: 21,
  name: 'ended id ends',
  statements: () => [
    'drop index runs_id_end',
    // Written once per run. An index over all runs is also written at each claim: an eighth of what PostgreSQL does for a short run.
    `create index runs_id_end on runs (${lastCharsOf('id')}) where state_type in ('COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED')`,
  ],
};
