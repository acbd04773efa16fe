/** The clock that a transaction goes by. */
import type { Connection, Query } from './connection.ts';

/** The instant by the clock that leases are compared with: ours on SQLite, asked of the database on PostgreSQL. UTC epoch ms. */
export async function clockOf(connection: Connection, query: Query): Promise<number> {
  const ours = connection.now();
  if (ours !== null) return ours;
  const [row] = await query<{ now: number }>(`select ${connection.fragments.now(1)} as now`, [ours]);
  return row?.now ?? 0;
}
