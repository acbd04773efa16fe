/** All task runs of one task in one run, folded into counts: what one line of the tree is drawn from. */
import type { Failure } from '../../model/failure.ts';
import type { TaskRun } from '../../model/run.ts';
import type { State } from '../../model/state.ts';

/**
 * What a line needs to know of a state. `waiting` nothing was started, or the next attempt is to come · `blocked` it could not
 * run, because of what came before it.
 */
export const phases = ['waiting', 'running', 'done', 'skipped', 'failed', 'blocked', 'cancelled'] as const;
export type Phase = (typeof phases)[number];

/** How many task runs are in each phase. */
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

/** Counts of nothing yet. */
export function noCounts(): Record<Phase, number> {
  return { waiting: 0, running: 0, done: 0, skipped: 0, failed: 0, blocked: 0, cancelled: 0 };
}

/** Folds the task runs of one task. A change costs the same however many there are. */
export class TaskGroup {
  readonly name: string;
  /** Place among the lines of its run. */
  readonly order: number;
  readonly #members = new Map<string, Phase>();
  readonly #counts = noCounts();
  /** How many items the task has; null while that is not known. */
  items: number | null = null;
  /** The task run that changed last. */
  last: TaskRun | null = null;
  /** First failure that was seen. */
  failure: { readonly taskRun: TaskRun; readonly error: Failure } | null = null;
  startedAt: number | null = null;
  endedAt: number | null = null;
  maxAttempt = 0;

  constructor(name: string, order: number) {
    this.name = name;
    this.order = order;
  }

  /** How many task runs it has so far. */
  get size(): number {
    return this.#members.size;
  }

  /** How many it will have, as far as is known. */
  get total(): number {
    return Math.max(this.items ?? 0, this.#members.size);
  }

  get counts(): PhaseCounts {
    return this.#counts;
  }

  /** Whether it is one task run an item, even when there is only one. */
  get mapped(): boolean {
    return this.items !== null || (this.last !== null && this.last.index !== null);
  }

  /** Whether one line stands for several task runs. */
  get isGroup(): boolean {
    return this.#members.size > 1 || this.mapped;
  }

  /** How many have come to an end. */
  get ended(): number {
    return this.#members.size - this.#counts.waiting - this.#counts.running;
  }

  /** What the whole is at: running while one runs, failed once one has failed, and so on. */
  get phase(): Phase {
    const counts = this.#counts;
    if (counts.running > 0) return 'running';
    if (this.#members.size === 0 || counts.waiting > 0 || this.ended < this.total) return this.ended > 0 ? 'running' : 'waiting';
    return (['failed', 'cancelled', 'blocked', 'done', 'skipped'] as const).find((phase) => counts[phase] > 0) ?? 'done';
  }

  /** Takes the newest row of one of its task runs; gives the phase it was in before, null when it is new. */
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
