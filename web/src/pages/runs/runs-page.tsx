/** The list of runs: filters in the address, the same runs over time, and bulk actions. */
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { facetsQuery } from '../../api/list-queries.ts';
import { Page } from '../../parts/page.tsx';
import { FilterBar } from './filter-bar.tsx';
import { RunList } from './run-list.tsx';
import type { RunsSearch } from './runs-search.ts';
import { RunsOverTime } from './runs-over-time.tsx';
import { SavedViews } from './saved-views.tsx';

/** The page. Every change of a filter is a step in the browser's history. */
export function RunsPage() {
  const search = useSearch({ from: '/shell/runs' });
  const navigate = useNavigate();
  const { data: facets } = useQuery(facetsQuery);
  const show = (next: RunsSearch): void => void navigate({ to: '/runs', search: withoutEmpty(next) });
  return (
    <Page title="Runs" actions={<SavedViews search={search} onShow={show} />}>
      <FilterBar search={search} facets={facets} onChange={show} />
      <RunsOverTime search={search} onChange={show} />
      {/* Other filters make another list: nothing stays selected, and it starts at the top. */}
      <RunList key={JSON.stringify(search)} search={search} onChange={show} />
    </Page>
  );
}

function withoutEmpty(search: RunsSearch): RunsSearch {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined && value !== '' && value.length > 0));
}
