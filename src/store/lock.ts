/** Row locks inside a transaction. */
import type { Connection } from './connection.ts';

/** Ends a `select` whose rows nobody else may change until the transaction ends. SQLite has locked the whole file already. */
export function forUpdate({ dialect }: Connection): string {
  return dialect === 'sqlite' ? '' : 'for no key update';
}

/**
 * Ends a `select` over several rows of a table, which are locked in the order of their ids. Whoever locks several runs or spread tasks does so,
 * and runs before spread tasks before task runs: else two would wait for each other in a circle.
 */
export function lockInOrder({ dialect }: Connection, table: 'runs' | 'spread_tasks'): string {
  return dialect === 'sqlite' ? '' : `order by ${table}.id for no key update of ${table}`;
}
