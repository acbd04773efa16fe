/** Changes of many runs: by their ids, or all that fit a filter. */
import { type Query, send } from '../../api/http.ts';
import type { BulkReport } from '../../api/wire-types.ts';

/** What can be done to many runs. */
export type Deed = 'cancel' | 'retry' | 'delete';

/** Which runs: exactly one of both. */
export type Which = { readonly ids: readonly string[] } | { readonly filter: Query };

/** The server takes so many ids at a time. */
const mostIds = 1000;

/**
 * Does it, or with `dryRun` says exactly what it would do.
 *
 * @throws ApiError FORBIDDEN, REQUEST_INVALID; of many ids those before may have been changed then.
 */
export async function changeRuns(deed: Deed, which: Which, dryRun: boolean): Promise<BulkReport> {
  const path = `/runs/${deed}`;
  if ('filter' in which) return send<BulkReport>('POST', path, { filter: which.filter, dryRun });
  const reports: BulkReport[] = [];
  for (let from = 0; from < which.ids.length; from += mostIds) {
    reports.push(await send<BulkReport>('POST', path, { ids: which.ids.slice(from, from + mostIds), dryRun }));
  }
  return {
    matched: reports.reduce((sum, { matched }) => sum + matched, 0),
    changed: reports.reduce((sum, { changed }) => sum + changed, 0),
    refused: reports.flatMap(({ refused }) => refused),
  };
}
