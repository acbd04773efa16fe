/** Occurrences in a process besides the steps of runs, each reported once recorded. */
import type { OwnMeasure } from '../model/own-metrics.ts';
import type { ResourceUse } from '../model/resource-use.ts';
import type { Run, TaskRun } from '../model/run.ts';
import type { State } from '../model/state.ts';

export type Occurrence =
  /** Work of lost owners was reclaimed: it waits again, or has ended. */
  | { readonly kind: 'reclaimed'; readonly work: 'run' | 'task'; readonly waiting: number; readonly ended: number }
  /** A run was ended by a process other than its owner. `run`: the row, if it was read. */
  | { readonly kind: 'ended'; readonly flow: string; readonly state: State; readonly run?: Run }
  /** A ticket led to a claim of a run, or of one of its spread task runs. */
  | { readonly kind: 'claimed'; readonly run: Run; readonly taskRun: TaskRun | null }
  /** A resource was closed, or could not be opened. `attempt`: of the task that used it; null for one of the run. */
  | { readonly kind: 'resource'; readonly use: ResourceUse; readonly attempt: number | null; readonly run: Run }
  /** Lost or missing tickets were put again. */
  | { readonly kind: 'reissued'; readonly work: 'run' | 'task'; readonly tickets: number }
  /** Ticks were decided. `made`: a run that may start · `held`: one that waits for others · `dropped`: none, by a policy. */
  | { readonly kind: 'ticks'; readonly made: number; readonly held: number; readonly dropped: number; readonly missed: number }
  /** How far behind the schedules are, ms: the age of the oldest due tick that is undecided. */
  | { readonly kind: 'scheduleLag'; readonly ms: number }
  /** Runs became Late. */
  | { readonly kind: 'late'; readonly runs: number }
  /** The cache was queried. `wait`: for another that computes the value. */
  | { readonly kind: 'cache'; readonly outcome: 'hit' | 'miss' | 'wait' }
  /** A flow recorded a measurement of its own metrics. */
  | { readonly kind: 'measured'; readonly measure: OwnMeasure };
