/** The filters of the list of runs, as they stand in its address. */
import { many, one, oneOf, type RawSearch } from '../../search.ts';

/** Stretches of time that end now. */
export const stretches = { '1h': 3_600_000, '24h': 86_400_000, '7d': 604_800_000, '30d': 2_592_000_000 } as const;
export type Stretch = keyof typeof stretches;

/** Filters of runs. Either `last`, or `since` and `until` (ISO 8601 UTC); without any of them the last 24 hours. */
export interface RunsSearch {
  readonly state?: readonly string[];
  readonly flow?: string;
  readonly deployment?: string;
  readonly tag?: string;
  readonly queue?: string;
  readonly backfill?: string;
  readonly parent?: string;
  readonly search?: string;
  readonly last?: Stretch | 'all';
  readonly since?: string;
  readonly until?: string;
}

/** Reads them from an address; what is not understood is left out. */
export function readRunsSearch(raw: RawSearch): RunsSearch {
  const search = {
    state: many(raw, 'state'),
    flow: one(raw, 'flow'),
    deployment: one(raw, 'deployment'),
    tag: one(raw, 'tag'),
    queue: one(raw, 'queue'),
    backfill: one(raw, 'backfill'),
    parent: one(raw, 'parent'),
    search: one(raw, 'search'),
    last: oneOf(raw, 'last', [...(Object.keys(stretches) as Stretch[]), 'all'] as const),
    since: instant(one(raw, 'since')),
    until: instant(one(raw, 'until')),
  };
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined));
}

function instant(text: string | undefined): string | undefined {
  return text === undefined || Number.isNaN(Date.parse(text)) ? undefined : new Date(text).toISOString();
}
