/** The address of the run page, to read and to change. */
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { readRunSearch, type RunSearch } from './run-search.ts';

type Change = Partial<Readonly<Record<keyof RunSearch, string | number | undefined>>>;

/** Id, tab and selection. `set` changes a part of the address; with `replace` without a history entry. */
export function useRunSearch(): {
  readonly id: string;
  readonly search: RunSearch;
  readonly set: (change: Change, replace?: boolean) => void;
} {
  const { id } = useParams({ from: '/shell/runs/$id' });
  const raw = useSearch({ from: '/shell/runs/$id' });
  const navigate = useNavigate({ from: '/runs/$id' });
  const set = (change: Change, replace = false): void => {
    const texts = Object.fromEntries(
      Object.entries(change).map(([name, value]) => [name, value === undefined ? undefined : String(value)]),
    );
    void navigate({ search: (before) => ({ ...before, ...texts }), replace, resetScroll: false });
  };
  return { id, search: readRunSearch(raw), set };
}
