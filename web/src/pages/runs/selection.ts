/** Selected runs of the list. */
import { useRef, useState } from 'react';

/** The selection: these runs, or all that match the filters. */
export interface Selection {
  readonly ids: ReadonlySet<string>;
  readonly isAllMatching: boolean;
  /** Selects or deselects one; with `upTo` all from the last one toggled to this one. */
  readonly toggle: (id: string, upTo: boolean) => void;
  /** Selects all loaded runs, or none if all are selected. */
  readonly toggleAll: () => void;
  readonly chooseAllMatching: () => void;
  readonly clear: () => void;
}

/** A selection among these ids, which may grow as the list is loaded. */
export function useSelection(loaded: readonly string[]): Selection {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const [isAllMatching, setAllMatching] = useState(false);
  const last = useRef<string | null>(null);

  const choose = (next: ReadonlySet<string>): void => {
    setIds(next);
    setAllMatching(false);
  };
  return {
    ids,
    isAllMatching,
    toggle: (id, upTo) => {
      const from = last.current === null ? -1 : loaded.indexOf(last.current);
      const to = loaded.indexOf(id);
      const range = upTo && from >= 0 ? loaded.slice(Math.min(from, to), Math.max(from, to) + 1) : [id];
      last.current = id;
      choose(new Set(ids.has(id) ? [...ids].filter((chosen) => !range.includes(chosen)) : [...ids, ...range]));
    },
    toggleAll: () => choose(loaded.every((id) => ids.has(id)) ? new Set() : new Set(loaded)),
    chooseAllMatching: () => setAllMatching(true),
    clear: () => choose(new Set()),
  };
}
