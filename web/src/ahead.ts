/** Asks for what a page will show while the script of that page is still being loaded, so that one does not wait for the other. */
import { queryClient } from './api/query-client.ts';
import { runQuery } from './pages/run/run-data.ts';
import { readRunSearch } from './pages/run/run-search.ts';
import { listQuery, overTimeQuery } from './pages/runs/runs-queries.ts';
import type { RunsSearch } from './pages/runs/runs-search.ts';
import type { RawSearch } from './search.ts';

/** The list of runs and its histogram. What fails is asked for again by the page, which says so. */
export function askForRuns(search: RunsSearch): void {
  void queryClient.infiniteQuery({ ...listQuery(search), staleTime: 0 }).catch(ignore);
  void queryClient.query(overTimeQuery(search)).catch(ignore);
}

/** A run, and what draws its graph where that comes first. */
export function askForRun(id: string, search: RawSearch): void {
  void queryClient.query(runQuery(id)).catch(ignore);
  if (readRunSearch(search).tab === 'graph') void import('./pages/run/graph-tab.tsx').catch(ignore);
}

function ignore(): void {}
