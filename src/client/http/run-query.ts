/** A filter of runs as the query of a request. */
import { checkFilter } from '../../model/list-filters.ts';
import type { RunFilter } from '../../store/store.ts';
import type { QueryValues } from './api.ts';

/** Undefined members are left out by whoever sends it. @throws BatutaError FILTER_INVALID */
export function runQuery(filter: RunFilter): QueryValues {
  checkFilter('runs', filter);
  const { states, since, until, parentRunId, backfillId, scheduleId, ...rest } = filter;
  return {
    ...rest,
    state: states,
    since: since === undefined ? undefined : new Date(since).toISOString(),
    until: until === undefined ? undefined : new Date(until).toISOString(),
    backfill: backfillId,
    schedule: scheduleId,
    parent: parentRunId === null ? 'none' : parentRunId,
  };
}
