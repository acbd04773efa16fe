/** Bulk changes of runs: by ids, or all that match a filter. */
import { type Query, send } from '../../api/http.ts';
import type { BulkReport } from '../../api/wire-types.ts';

/** Bulk actions. */
export type Deed = 'cancel' | 'retry' | 'delete';

/** Which runs: exactly one of the two. */
export type Which = { readonly ids: readonly string[] } | { readonly filter: Query };

/** Most ids per request. */
const mostIds = 1000;

/**
 * Performs it, or with `dryRun` reports exactly what it would do.
 *
 * @throws ApiError FORBIDDEN, REQUEST_INVALID; earlier batches of ids may have been changed by then.
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
