/** The filters of the list of runs, as in its address. */
import type { Query } from '../../api/http.ts';
import { many, one, oneOf, type RawSearch } from '../../search.ts';

/** Time ranges that end now. */
export const stretches = { '1h': 3_600_000, '24h': 86_400_000, '7d': 604_800_000, '30d': 2_592_000_000 } as const;
export type Stretch = keyof typeof stretches;

/** Filters of runs. Either `last`, or `since` and `until` (ISO 8601 UTC); without any of them the last 24 hours. */
export interface RunsSearch {
  readonly state?: readonly string[] | undefined;
  readonly flow?: string | undefined;
  readonly deployment?: string | undefined;
  readonly tag?: string | undefined;
  readonly queue?: string | undefined;
  readonly backfill?: string | undefined;
  /** Id of a schedule. */
  readonly schedule?: string | undefined;
  readonly parent?: string | undefined;
  readonly search?: string | undefined;
  readonly last?: Stretch | 'all';
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

/** Reads them from an address; invalid values are left out. */
export function readRunsSearch(raw: RawSearch): RunsSearch {
  const search = {
    state: many(raw, 'state'),
    flow: one(raw, 'flow'),
    deployment: one(raw, 'deployment'),
    tag: one(raw, 'tag'),
    queue: one(raw, 'queue'),
    backfill: one(raw, 'backfill'),
    schedule: one(raw, 'schedule'),
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

/** The time range of a filter, epoch ms; `fromAt` null: all time. */
export function stretchOf(search: RunsSearch, now: number): { readonly fromAt: number | null; readonly untilAt: number } {
  const untilAt = search.until === undefined ? now : Date.parse(search.until);
  if (search.since !== undefined) return { fromAt: Date.parse(search.since), untilAt };
  if (search.last === 'all' || search.until !== undefined) return { fromAt: null, untilAt };
  return { fromAt: now - stretches[search.last ?? '24h'], untilAt };
}

/** The filter as the server takes it, for lists and bulk changes. */
export function filterOf(search: RunsSearch, now: number): Query {
  const { last: _last, since: _since, until, ...rest } = search;
  const { fromAt } = stretchOf(search, now);
  return { ...rest, since: fromAt === null ? undefined : new Date(fromAt).toISOString(), until };
}

/** Whether there is any filter other than the time range. */
export function isFiltered({ last: _last, ...rest }: RunsSearch): boolean {
  return Object.keys(rest).length > 0;
}
