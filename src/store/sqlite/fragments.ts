/** SQLite's fragments. */
import type { Fragments } from '../connection.ts';

export const sqliteFragments: Fragments = {
  now: (index) => `$${index}`,
  list: (index, columns) => {
    const picked = Object.keys(columns).map((name, position) => `value ->> ${position} as ${name}`);
    return `(select ${picked.join(', ')} from json_each($${index}))`;
  },
  // No commit waits for the disk here.
  unwaited: 'true',
  integer: 'integer',
  text: 'text',
  counter: 'integer primary key',
};
