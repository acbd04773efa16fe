/** What PostgreSQL says differently. */
import type { Fragments } from '../connection.ts';
import { isText } from '../table.ts';

/** Compared by bytes, as SQLite does: beginnings of ids and the order of lists are the same everywhere. */
const text = 'text collate "C"';

export const postgresFragments: Fragments = {
  // The parameter is null here: leases go by the clock of the database, which all workers share.
  now: (index) => `coalesce($${index}::bigint, (extract(epoch from clock_timestamp()) * 1000)::bigint)`,
  list: (index, columns) => {
    const picked = Object.entries(columns).map(
      ([name, kind], position) => `(value ->> ${position})::${isText(kind) ? text : 'bigint'} as ${name}`,
    );
    return `(select ${picked.join(', ')} from json_array_elements($${index}::json))`;
  },
  unwaited: `(select set_config('synchronous_commit', 'off', true)) is not null`,
  integer: 'bigint',
  text,
  counter: 'bigint generated always as identity primary key',
};
