/**
 * The one place to which every step in the life of runs and task runs is reported, by the process that takes the step: for metrics, traces,
 * and alerts. Listeners decide what to make of it.
 *
 * While nobody listens a report costs nothing: callers check `isHeard` before they make an event.
 */
import { isTerminal, type State } from '../model/state.ts';

/**
 * `started`: its code runs, for the first time or again · `waiting`: for a slot, an instant or a signal · `retried`: an attempt failed, another
 * follows · `cancelling` · `handedBack`: left to another process · `recovered`: goes on here after another process was lost or
 * had handed it back · `ended`
 */
export type LifecycleStep = 'started' | 'waiting' | 'retried' | 'cancelling' | 'handedBack' | 'recovered' | 'ended';

/** A step of a run or, with `taskRunId`, of one of its task runs. Times are UTC epoch ms. */
export interface LifecycleEvent {
  readonly step: LifecycleStep;
  readonly at: number;
  readonly runId: string;
  readonly taskRunId: string | null;
  readonly flow: string;
  readonly task: string | null;
  readonly state: State;
  /** From 1. */
  readonly attempt: number;
  readonly startedAt: number | null;
  readonly dueAt: number | null;
  /** Resolves once the step is durable; rejects when it could not be recorded, or had been taken by a process that has lost the run. */
  readonly recorded: Promise<void>;
}

/** Called in order, at once, and never awaited. What it throws is its own: it must not throw. */
export type LifecycleListener = (event: LifecycleEvent) => void;

export class Lifecycle {
  readonly #listeners = new Set<LifecycleListener>();

  get isHeard(): boolean {
    return this.#listeners.size > 0;
  }

  /** Gives what ends it. */
  listen(listener: LifecycleListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  report(event: LifecycleEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

/** The step that leads to a state. */
export function stepTo({ type, name }: State): LifecycleStep {
  if (isTerminal(type)) return 'ended';
  if (type === 'RUNNING') return 'started';
  if (type === 'CANCELLING') return 'cancelling';
  if (name === 'AwaitingRetry') return 'retried';
  return name === 'Resuming' ? 'handedBack' : 'waiting';
}
