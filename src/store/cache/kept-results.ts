/** What entries of the cache reference in the result storage: kept as long as one of them, or a run, does. */
import type { Database } from '../connection.ts';
import { listOf } from '../sql.ts';

/** The id under which an entry holds references, as runs do under theirs. */
export function holderOf(entryId: string): string {
  return `cache:${entryId}`;
}

/** The unreferenced ones of these keys. */
export async function looseOf(db: Database, keys: readonly string[]): Promise<readonly string[]> {
  if (keys.length === 0) return [];
  const rows = await db.query<{ key: string }>(
    `select key from ${db.fragments.list(1, { key: 'text' })} as gone where not exists (select 1 from results where results.key = gone.key)`,
    [listOf([...new Set(keys)])],
  );
  return rows.map(({ key }) => key);
}
