/** Queries of the runs page, built from its address. */
import { histogramQuery, runsQuery } from '../../api/list-queries.ts';
import { timeNow } from '../../now.ts';
import { filterOf, type RunsSearch, stretches, stretchOf } from './runs-search.ts';

const buckets = 60;

/** The rows of the list. */
export const listQuery = (search: RunsSearch) => runsQuery(search, () => filterOf(search, timeNow()));

/** The same runs over time. */
export const overTimeQuery = (search: RunsSearch) =>
  histogramQuery(search, () => {
    const now = timeNow();
    const { fromAt, untilAt } = drawnStretch(search, now);
    return { ...filterOf(search, now), since: new Date(fromAt).toISOString(), until: new Date(untilAt).toISOString(), buckets };
  });

/** The range of the histogram, epoch ms: without a start the last 30 days. */
export function drawnStretch(search: RunsSearch, now: number): { readonly fromAt: number; readonly untilAt: number } {
  const { fromAt, untilAt } = stretchOf(search, now);
  return { fromAt: fromAt ?? untilAt - stretches['30d'], untilAt };
}
