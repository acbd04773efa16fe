/** The list when nothing is in it. */
import { Button } from '@mantine/core';
import { Empty } from '../../parts/notices.tsx';
import { isFiltered, type RunsSearch } from './runs-search.ts';

interface ListEmptyProps {
  readonly search: RunsSearch;
  readonly onChange: (search: RunsSearch) => void;
}

/** Tells no runs at all from none that fit, and gives the way out of either. */
export function ListEmpty({ search, onChange }: ListEmptyProps) {
  if (isFiltered(search)) {
    return (
      <Empty
        title="No run fits these filters"
        action={
          <Button variant="default" onClick={() => onChange({})}>
            Take all filters away
          </Button>
        }
      >
        Take one away, or look at a longer stretch of time.
      </Empty>
    );
  }
  if (search.last !== 'all') {
    return (
      <Empty
        title="No runs in this stretch of time"
        action={
          <Button variant="default" onClick={() => onChange({ last: 'all' })}>
            Show runs since ever
          </Button>
        }
      />
    );
  }
  return (
    <Empty title="No runs yet" command="npx batuta runs submit hello">
      Every execution of a flow is listed here, newest first. Hand one in:
    </Empty>
  );
}
