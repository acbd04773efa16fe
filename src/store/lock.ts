/** Row locks inside a transaction. */
import type { Connection } from './connection.ts';

/** Ends a `select` whose rows nobody else may change until the transaction ends. SQLite has locked the whole file already. */
export function forUpdate({ dialect }: Connection): string {
  return dialect === 'sqlite' ? '' : 'for no key update';
}
