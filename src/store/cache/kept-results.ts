/** What entries of the cache point at in the result storage: it is kept as long as one of them, or a run, does. */
import type { Database } from '../connection.ts';
import { listOf } from '../sql.ts';

/** Under which an entry names what it points at, as runs do under their ids. */
export function holderOf(entryId: string): string {
  return `cache:${entryId}`;
}

/** Those of these keys that nothing points at. */
export async function looseOf(db: Database, keys: readonly string[]): Promise<readonly string[]> {
  if (keys.length === 0) return [];
  const rows = await db.query<{ key: string }>(
    `select key from ${db.fragments.list(1, { key: 'text' })} as gone where not exists (select 1 from results where results.key = gone.key)`,
    [listOf([...new Set(keys)])],
  );
  return rows.map(({ key }) => key);
}
