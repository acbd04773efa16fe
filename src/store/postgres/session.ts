/** Settings of a PostgreSQL session that is ours alone, and names of its prepared statements. */
import { createHash } from 'node:crypto';
import pg from 'pg';
import type { Fragments } from '../connection.ts';
import { isText } from '../table.ts';

/**
 * The recorder sends a handful of statements over and over. One plan each is enough, and it must not be one made while the tables were
 * empty: scanning them all would remain the plan long after they have grown.
 */
export const recorderSettings = 'set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set jit = off';

/** The same for prepared statements, which find every row by its key: tables that were empty at planning change nothing. */
export const preparedSettings = `${recorderSettings}; set enable_hashjoin = off; set enable_mergejoin = off`;

/** By text; there are few. */
const names = new Map<string, string>();

/** Name of a prepared statement. It is derived from the text, so that it means the same statement in every process and version. */
export function statementName(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = `batuta_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
    names.set(text, name);
  }
  return name;
}

/** Compared by bytes, as SQLite does: beginnings of ids and the order of lists are the same everywhere. */
const text = 'text collate "C"';

export const postgresFragments: Fragments = {
  // The parameter is null here: leases go by the clock of the database, which all workers share.
  now: (index) => `coalesce($${index}::bigint, (extract(epoch from clock_timestamp()) * 1000)::bigint)`,
  // As jsonb: json would be parsed again for every column.
  list: (index, columns) => {
    const picked = Object.entries(columns).map(
      ([name, kind], position) => `(value ->> ${position})::${isText(kind) ? text : 'bigint'} as ${name}`,
    );
    return `(select ${picked.join(', ')} from jsonb_array_elements($${index}::jsonb))`;
  },
  unwaited: `(select set_config('synchronous_commit', 'off', true)) is not null`,
  integer: 'bigint',
  text,
  counter: 'bigint generated always as identity primary key',
};

/** 8-byte integers as numbers: times and counts stay far below 2^53. */
export const getTypeParser: typeof pg.types.getTypeParser = (oid: number, format?: 'text' | 'binary') =>
  oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format);
