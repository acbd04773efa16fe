/**
 * One change for many runs: page after page of those that match, a few runs at a time, each by its state at that moment.
 *
 * A page is read before its runs are changed, and the next begins after its last, so a change that takes runs out of the filter skips none.
 */
import { checkFilter } from '../model/list-filters.ts';
import { BatutaError, isBatutaError } from '../base/errors.ts';
import type { Run } from '../model/run.ts';
import { canReopen, isTerminal, stateTypes } from '../model/state.ts';
import type { StateType } from '../model/state.ts';
import type { Page, RunFilter } from '../store/store.ts';
import { checkOptions } from './call-options.ts';
import type { BulkReport, BulkWish } from './fleet-client.ts';

/** Runs of one page. */
const pageRuns = 500;
/** Runs changed at the same time. */
const lanes = 8;
const mostRefused = 100;

/** A change, and the runs it applies to. */
export interface BulkChange {
  readonly isPossible: (type: StateType) => boolean;
  /** Why it cannot, e.g. `it has already ended`. */
  readonly whyNot: string;
  /** @throws BatutaError of any kind, which is reported with the run */
  readonly change: (run: Run) => Promise<void>;
  /** Runs after each page. */
  readonly afterPage?: () => Promise<void>;
}

export const cancelling: Pick<BulkChange, 'isPossible' | 'whyNot'> = {
  isPossible: (type) => !isTerminal(type),
  whyNot: 'it has already ended',
};
export const requeueing: Pick<BulkChange, 'isPossible' | 'whyNot'> = {
  isPossible: canReopen,
  whyNot: 'only a run that failed, crashed or was cancelled can be run again',
};
export const deleting: Pick<BulkChange, 'isPossible' | 'whyNot'> = { isPossible: isTerminal, whyNot: 'it has not ended' };
export const unpinning: Pick<BulkChange, 'isPossible' | 'whyNot'> = { isPossible: () => true, whyNot: '' };

export interface BulkSource {
  readonly list: (filter: RunFilter) => Promise<Page<Run>>;
  /** @throws BatutaError RUN_NOT_FOUND */
  readonly get: (id: string) => Promise<Run>;
  readonly now: () => number;
}

/** @throws BatutaError FILTER_INVALID, OPTION_UNKNOWN */
export async function changeMany(source: BulkSource, wish: BulkWish, change: BulkChange): Promise<BulkReport> {
  checkOptions('bulk', wish);
  const refused: { readonly id: string; readonly message: string }[] = [];
  const refuse = (id: string, message: string): void => {
    if (refused.length < mostRefused) refused.push({ id, message });
  };
  let [matched, changed] = [0, 0];
  const one = async (run: Run): Promise<void> => {
    if (!change.isPossible(run.state.type)) return refuse(run.id, `Run ${run.id} is ${run.state.name}: ${change.whyNot}.`);
    try {
      if (wish.dryRun !== true) await change.change(run);
      changed += 1;
    } catch (error) {
      if (!isBatutaError(error) || error.code.startsWith('STORE_')) throw error;
      refuse(run.id, error.message);
    }
  };
  for await (const page of pagesOf(source, wish, change, refuse)) {
    matched += page.matched;
    const left = [...page.runs];
    const lane = async (): Promise<void> => {
      for (let run = left.shift(); run !== undefined; run = left.shift()) await one(run);
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    if (wish.dryRun !== true) await change.afterPage?.();
  }
  return { matched, changed, refused };
}

interface BulkPage {
  readonly matched: number;
  readonly runs: readonly Run[];
}

async function* pagesOf(
  source: BulkSource,
  { ids, filter }: BulkWish,
  change: BulkChange,
  refuse: (id: string, message: string) => void,
): AsyncGenerator<BulkPage> {
  if ((ids === undefined) === (filter === undefined))
    throw new BatutaError('FILTER_INVALID', 'Name either the runs by their ids, or a filter that they fit.');
  if (ids !== undefined) yield await pageOfIds(source, ids, refuse);
  else yield* pagesOfFilter(source, filter ?? {}, change);
}

async function pageOfIds(source: BulkSource, ids: readonly string[], refuse: (id: string, message: string) => void): Promise<BulkPage> {
  const runs: Run[] = [];
  const asked = new Set(ids);
  for (const id of asked) {
    try {
      runs.push(await source.get(id));
    } catch (error) {
      if (!isBatutaError(error, 'RUN_NOT_FOUND')) throw error;
      refuse(id, error.message);
    }
  }
  return { matched: runs.length, runs };
}

async function* pagesOfFilter({ list, now }: BulkSource, filter: RunFilter, { isPossible }: BulkChange): AsyncGenerator<BulkPage> {
  checkFilter('runs', filter);
  const { cursor: _cursor, ...wanted } = filter;
  const states = filter.states !== undefined && filter.states.length > 0 ? filter.states : stateTypes.filter(isPossible);
  const until = Math.min(filter.until ?? Number.POSITIVE_INFINITY, now() + 1);
  for (let cursor: string | undefined; ; ) {
    const page = await list({ ...wanted, states, until, limit: pageRuns, ...(cursor === undefined ? {} : { cursor }) });
    yield { matched: page.items.length, runs: page.items };
    if (page.next === null) return;
    cursor = page.next;
  }
}
