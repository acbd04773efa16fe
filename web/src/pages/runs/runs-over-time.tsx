/** The runs of the filters over time. */
import { useQuery } from '@tanstack/react-query';
import { histogramQuery } from '../../api/list-queries.ts';
import { useRefreshOnRuns } from '../../api/refresh.ts';
import { timeNow } from '../../now.ts';
import { RunsHistogram } from '../../histogram/runs-histogram.tsx';
import { Failed, LoadingBlock } from '../../parts/notices.tsx';
import { filterOf, type RunsSearch, stretches, stretchOf } from './runs-search.ts';

const height = 56;
const buckets = 60;

interface RunsOverTimeProps {
  readonly search: RunsSearch;
  readonly onChange: (search: RunsSearch) => void;
}

/** The histogram; choosing a stretch in it narrows the list. Without a beginning it shows the last 30 days. */
export function RunsOverTime({ search, onChange }: RunsOverTimeProps) {
  const { data, error, isPlaceholderData, dataUpdatedAt, refetch } = useQuery(
    histogramQuery(search, () => {
      const now = timeNow();
      const { fromAt, untilAt } = drawnStretch(search, now);
      return { ...filterOf(search, now), since: new Date(fromAt).toISOString(), until: new Date(untilAt).toISOString(), buckets };
    }),
  );
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

function drawnStretch(search: RunsSearch, now: number): { readonly fromAt: number; readonly untilAt: number } {
  const { fromAt, untilAt } = stretchOf(search, now);
  return { fromAt: fromAt ?? untilAt - stretches['30d'], untilAt };
}
