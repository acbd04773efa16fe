/** Reading runs: by the beginning of an id, by parent. */
import { BatutaError } from '../../base/errors.ts';
import type { Run } from '../../model/run.ts';
import type { Connection } from '../connection.ts';
import { runOf } from '../rows.ts';
import { runColumns } from '../tables.ts';

/** Shortest beginning of an id that is looked up. */
const minPrefixChars = 4;
/** Where no more runs than these begin so, they are named. */
const maxNamed = 5;

/**
 * The run whose id begins so, or null.
 *
 * @throws BatutaError RUN_NOT_FOUND when several begin so.
 */
export async function findRun(connection: Connection, prefix: string): Promise<Run | null> {
  if (prefix.length < minPrefixChars) return null;
  const db = await connection.kysely();
  // Ids hold digits, letters a to f and hyphens, all below '~'.
  const found = db.selectFrom('runs').where('id', '>=', prefix).where('id', '<', `${prefix}~`);
  const rows = await found.select(runColumns).orderBy('id').limit(maxNamed).execute();
  const [first] = rows;
  if (first === undefined) return null;
  if (rows.length === 1) return runOf(first);
  const { count } = await found.select(({ fn }) => fn.countAll<number>().as('count')).executeTakeFirstOrThrow();
  const fit = Number(count) <= maxNamed;
  const which = fit ? `: ${rows.map(({ id, name, flow }) => `${id} (${name} of ${flow})`).join(', ')}` : '';
  throw new BatutaError('RUN_NOT_FOUND', `The id "${prefix}" is ambiguous, ${count} runs begin so${which}. Give more of its characters.`, {
    details: { id: prefix, count },
  });
}

/** See `RunStore.children`. */
export async function childRuns(connection: Connection, parentRunId: string): Promise<readonly Run[]> {
  const db = await connection.kysely();
  const rows = await db
    .selectFrom('runs')
    .select(runColumns)
    .where('parent_run_id', '=', parentRunId)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  return rows.map(runOf);
}
