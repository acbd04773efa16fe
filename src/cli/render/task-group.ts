/** All task runs of one task in one run, folded into counts: the data of one line of the tree. */
import type { Failure } from '../../model/failure.ts';
import type { TaskRun } from '../../model/run.ts';
import type { State } from '../../model/state.ts';

/**
 * A state, as far as a line needs it. `waiting`: not started, or waiting for the next attempt · `blocked`: could not run because of
 * an earlier task.
 */
export const phases = ['waiting', 'running', 'done', 'skipped', 'failed', 'blocked', 'cancelled'] as const;
export type Phase = (typeof phases)[number];

/** Number of task runs in each phase. */
export type PhaseCounts = Readonly<Record<Phase, number>>;

/** Phase of a state. */
export function phaseOf({ type, name }: Pick<State, 'type' | 'name'>): Phase {
  if (name === 'Skipped') return 'skipped';
  if (name === 'UpstreamFailed') return 'blocked';
  if (type === 'RUNNING' || type === 'CANCELLING') return 'running';
  if (type === 'COMPLETED') return 'done';
  if (type === 'FAILED' || type === 'CRASHED') return 'failed';
  return type === 'CANCELLED' ? 'cancelled' : 'waiting';
}

/** All counts zero. */
export function noCounts(): Record<Phase, number> {
  return { waiting: 0, running: 0, done: 0, skipped: 0, failed: 0, blocked: 0, cancelled: 0 };
}

/** Folds the task runs of one task. A change takes constant time. */
export class TaskGroup {
  readonly name: string;
  /** Position among the lines of its run. */
  readonly order: number;
  readonly #members = new Map<string, Phase>();
  readonly #counts = noCounts();
  /** Number of items of the task; null while unknown. */
  items: number | null = null;
  /** The task run that changed last. */
  last: TaskRun | null = null;
  /** First failure seen. */
  failure: { readonly taskRun: TaskRun; readonly error: Failure } | null = null;
  startedAt: number | null = null;
  endedAt: number | null = null;
  maxAttempt = 0;

  constructor(name: string, order: number) {
    this.name = name;
    this.order = order;
  }

  /** Number of task runs so far. */
  get size(): number {
    return this.#members.size;
  }

  /** Expected number, as far as known. */
  get total(): number {
    return Math.max(this.items ?? 0, this.#members.size);
  }

  get counts(): PhaseCounts {
    return this.#counts;
  }

  /** Whether it has one task run per item, even if there is only one. */
  get mapped(): boolean {
    return this.items !== null || (this.last !== null && this.last.index !== null);
  }

  /** Whether one line stands for several task runs. */
  get isGroup(): boolean {
    return this.#members.size > 1 || this.mapped;
  }

  /** Number of ended task runs. */
  get ended(): number {
    return this.#members.size - this.#counts.waiting - this.#counts.running;
  }

  /** Phase of the whole: running while one runs, failed once one has failed, and so on. */
  get phase(): Phase {
    const counts = this.#counts;
    if (counts.running > 0) return 'running';
    if (this.#members.size === 0 || counts.waiting > 0 || this.ended < this.total) return this.ended > 0 ? 'running' : 'waiting';
    return (['failed', 'cancelled', 'blocked', 'done', 'skipped'] as const).find((phase) => counts[phase] > 0) ?? 'done';
  }

  /** Takes the newest row of one of its task runs; returns its previous phase, null if it is new. */
  apply(taskRun: TaskRun): Phase | null {
    const before = this.#members.get(taskRun.key);
    const phase = phaseOf(taskRun.state);
    if (before) this.#counts[before]--;
    this.#counts[phase]++;
    this.#members.set(taskRun.key, phase);
    this.last = taskRun;
    this.maxAttempt = Math.max(this.maxAttempt, taskRun.attempt);
    if (taskRun.startedAt !== null) this.startedAt = Math.min(this.startedAt ?? taskRun.startedAt, taskRun.startedAt);
    if (taskRun.endedAt !== null) this.endedAt = Math.max(this.endedAt ?? taskRun.endedAt, taskRun.endedAt);
    if (phase === 'failed' && taskRun.error && !this.failure) this.failure = { taskRun, error: taskRun.error };
    if (this.failure?.taskRun.key === taskRun.key && phase !== 'failed') this.failure = null;
    return before ?? null;
  }
}
