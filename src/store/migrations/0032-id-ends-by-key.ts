/** PostgreSQL looks up the end of an id among its keys, without an index that each end of a run writes to a random page of. */
import type { Migration } from './migration.ts';

export const idEndsByKey: Migration = {
  number: 32,
  name: 'id ends by key',
  statements: (dialect) => (dialect === 'postgres' ? ['drop index runs_id_end'] : []),
};
