/** The empty list. */
import { Button } from '@mantine/core';
import { Empty } from '../../parts/notices.tsx';
import { isFiltered, type RunsSearch } from './runs-search.ts';

interface ListEmptyProps {
  readonly search: RunsSearch;
  readonly onChange: (search: RunsSearch) => void;
}

/** Distinguishes no runs from no matching runs, with a remedy for each. */
export function ListEmpty({ search, onChange }: ListEmptyProps) {
  if (isFiltered(search)) {
    return (
      <Empty
        title="No run fits these filters"
        action={
          <Button variant="default" onClick={() => onChange({})}>
            Remove all filters
          </Button>
        }
      >
        Remove one, or choose a longer time range.
      </Empty>
    );
  }
  if (search.last !== 'all') {
    return (
      <Empty
        title="No runs in this time range"
        action={
          <Button variant="default" onClick={() => onChange({ last: 'all' })}>
            Show all runs
          </Button>
        }
      />
    );
  }
  return (
    <Empty title="No runs yet" command="runs submit hello">
      Every run of a flow is listed here, newest first. Submit one:
    </Empty>
  );
}
