/** What a new run is made of. */
import type { Run } from '../../model/run.ts';

/** A run before the store adds epoch and lease. Queue `default` and priority 0 when none are named. */
export type NewRun = Omit<
  Run,
  | 'epoch'
  | 'owner'
  | 'leaseUntil'
  | 'recoveries'
  | 'cancelRequestedAt'
  | 'result'
  | 'resultRef'
  | 'error'
  | 'startedAt'
  | 'endedAt'
  | 'executedMs'
  | 'resumedAt'
  | 'mapped'
  | 'queue'
  | 'priority'
  | 'scheduleId'
  | 'backfillId'
  | 'concurrencyKey'
> &
  Partial<Pick<Run, 'queue' | 'priority' | 'scheduleId' | 'backfillId' | 'concurrencyKey'>>;
