/**
 * How many runs failed alike.
 *
 * The key of a failure comes first in its JSON (see `engine/run/failure-origin.ts`), and an index over runs with an error holds the
 * beginning of that text; failures recorded before keys existed are like no other.
 */
import type { Connection } from '../connection.ts';
import { jsonText } from '../storable.ts';
import type { AlikeRuns } from './contract.ts';

/** What precedes the key, and the length of the key. */
export const beforeKey = '{"origin":{"key":"';
export const keyChars = 16;

/** The part of an error in the index of migration 14. */
export const failureKeyOf = (column: string): string => `substr(${column}, 1, ${beforeKey.length + keyChars})`;

/** See `FigureStore.alike`. */
export async function alikeRuns(
  { query, fragments, dialect }: Connection,
  failures: readonly { readonly flow: string; readonly key: string }[],
): Promise<AlikeRuns[]> {
  if (failures.length === 0) return [];
  const wanted = [...new Map(failures.map(({ flow, key }) => [`${key} ${flow}`, [flow, `${beforeKey}${key}`]])).values()];
  const indexed = dialect === 'sqlite' ? 'indexed by runs_failure' : '';
  const rows = await query<{ flow: string; begins: string; runs: number; since: number | null }>(
    `select listed.flow as flow, listed.begins as begins, count(*) as runs, min(runs.ended_at) as since
     from ${fragments.list(1, { flow: 'text', begins: 'text' })} as listed
     join runs ${indexed} on runs.flow = listed.flow and ${failureKeyOf('runs.error')} = listed.begins and runs.error is not null
     where runs.ended_at is not null group by listed.flow, listed.begins`,
    [jsonText(wanted)],
  );
  return rows.flatMap(({ flow, begins, runs, since }) =>
    since === null ? [] : [{ flow, key: begins.slice(beforeKey.length), runs: Number(runs), sinceAt: Number(since) }],
  );
}
