/** The runs of the filters over time. */
import { useQuery } from '@tanstack/react-query';
import { useRefreshOnRuns } from '../../api/refresh.ts';
import { RunsHistogram } from '../../histogram/runs-histogram.tsx';
import { Failed, LoadingBlock } from '../../parts/notices.tsx';
import { drawnStretch, overTimeQuery } from './runs-queries.ts';
import type { RunsSearch } from './runs-search.ts';

const height = 56;

interface RunsOverTimeProps {
  readonly search: RunsSearch;
  readonly onChange: (search: RunsSearch) => void;
}

/** The histogram; selecting a range in it narrows the list. */
export function RunsOverTime({ search, onChange }: RunsOverTimeProps) {
  const { data, error, isPlaceholderData, dataUpdatedAt, refetch } = useQuery(overTimeQuery(search));
  useRefreshOnRuns([['histogram']], 5_000);
  if (data === undefined) {
    return error === null ? (
      <LoadingBlock height={height + 18} />
    ) : (
      <Failed what="Runs over time" error={error} retry={() => void refetch()} />
    );
  }
  const { fromAt, untilAt } = drawnStretch(search, dataUpdatedAt);
  return (
    <RunsHistogram
      buckets={data}
      fromAt={fromAt}
      untilAt={untilAt}
      height={height}
      stale={isPlaceholderData}
      onChoose={(from, until) => {
        const { last: _last, ...rest } = search;
        onChange({ ...rest, since: new Date(from).toISOString(), until: new Date(until).toISOString() });
      }}
    />
  );
}
