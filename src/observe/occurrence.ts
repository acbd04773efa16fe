/** What happens in a process beside the steps of runs, each reported once it is recorded. */
import type { OwnMeasure } from '../model/own-metrics.ts';
import type { ResourceUse } from '../model/resource-use.ts';
import type { Run, TaskRun } from '../model/run.ts';
import type { State } from '../model/state.ts';

export type Occurrence =
  /** Work of lost owners was taken back: it waits again, or has ended. */
  | { readonly kind: 'reclaimed'; readonly work: 'run' | 'task'; readonly waiting: number; readonly ended: number }
  /** A run was ended by another process than its owner. `run`: the row, where it was read. */
  | { readonly kind: 'ended'; readonly flow: string; readonly state: State; readonly run?: Run }
  /** A ticket has led to a claim: of a run, or of a spread task run of it. */
  | { readonly kind: 'claimed'; readonly run: Run; readonly taskRun: TaskRun | null }
  /** A resource was closed, or could not be opened. `attempt`: of the task that had it; null for one of the run. */
  | { readonly kind: 'resource'; readonly use: ResourceUse; readonly attempt: number | null; readonly run: Run }
  /** Tickets that were lost, or never put, were put again. */
  | { readonly kind: 'reissued'; readonly work: 'run' | 'task'; readonly tickets: number }
  /** Ticks were decided about. `made`: a run that may start · `held`: one that waits for others · `dropped`: none, by a policy. */
  | { readonly kind: 'ticks'; readonly made: number; readonly held: number; readonly dropped: number; readonly missed: number }
  /** How far behind the schedules are, ms: the age of the oldest tick that is due and not decided about. */
  | { readonly kind: 'scheduleLag'; readonly ms: number }
  /** Runs became Late. */
  | { readonly kind: 'late'; readonly runs: number }
  /** The cache was asked. `wait`: for another that makes the value. */
  | { readonly kind: 'cache'; readonly outcome: 'hit' | 'miss' | 'wait' }
  /** A flow has measured something of its own. */
  | { readonly kind: 'measured'; readonly measure: OwnMeasure };
