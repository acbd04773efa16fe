/**
 * The event bus of a process: every step in the life of runs and task runs, and the other inputs of metrics, traces and alerts,
 * reported by the process that performs it. Listeners decide what to do with it.
 *
 * Without listeners a report costs nothing: callers check `isHeard` or `isObserved` before they create an event.
 */
import { BatutaError } from '../base/errors.ts';
import type { Run, TaskRun } from '../model/run.ts';
import { isTerminal, type State } from '../model/state.ts';
import type { Occurrence } from './occurrence.ts';

/**
 * `started`: its code runs, for the first time or again · `waiting`: for a slot, an instant or a signal · `retried`: an attempt failed,
 * another follows · `cancelling` · `handedBack`: left to another process · `recovered`: continues here after another process was lost or
 * handed it back · `ended`
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
  /** Execution time so far, without waits, ms; null while it has not started. */
  readonly executingMs: number | null;
  /**
   * Resolves once the flush that carries the step has ended; rejects if that failed. The steps of one flush share it, so that one wait
   * suffices for all; the holder then shows whether the step was refused.
   */
  readonly flushed: Promise<void>;
  /** The holder that took the step. Once it has lost the run to another process, its writes are refused. */
  readonly holder: StepHolder;
  /** The row of the task run as written; null for a step of the run. */
  readonly taskRun: TaskRun | null;
}

/** The holder of a run that takes its steps: one per claim. */
export interface StepHolder {
  readonly isLost: boolean;
  /** The run as last written. */
  readonly run: Run;
  /** Trace data of this process, null if none yet. Kept here because a weak map of all runs slows every garbage collection. */
  traced: object | null;
}

/** Resolves once the step is durable. @throws BatutaError STORE_…; LEASE_LOST if it was taken by a process that has lost the run */
export async function whenRecorded(event: LifecycleEvent): Promise<void> {
  await event.flushed;
  if (event.holder.isLost) throw new BatutaError('LEASE_LOST', `Another process has taken over run ${event.runId}.`);
}

/** Called in order, synchronously, and never awaited. It must not throw. */
export type LifecycleListener = (event: LifecycleEvent) => void;

/** Called with the ends, retries and beginnings of one flush, in order, once recorded: never with a refused one. It must not throw. */
export type RecordedListener = (events: readonly LifecycleEvent[]) => void;

/** Called synchronously, and never awaited. It must not throw. */
export type OccurrenceListener = (occurrence: Occurrence) => void;

export class Lifecycle {
  readonly #listeners = new Set<LifecycleListener>();
  readonly #observers = new Set<OccurrenceListener>();
  readonly #recorded = new Set<RecordedListener>();
  /** Steps that wait for their flush: one flush may carry a thousand, and is awaited once. */
  readonly #unflushed = new Map<Promise<void>, LifecycleEvent[]>();

  get isHeard(): boolean {
    return this.#listeners.size > 0 || this.#recorded.size > 0;
  }

  /** Subscribes to steps once recorded. Returns a function that stops it. */
  listenRecorded(listener: RecordedListener): () => void {
    this.#recorded.add(listener);
    return () => void this.#recorded.delete(listener);
  }

  /** Returns a function that stops it. */
  listen(listener: LifecycleListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  report(event: LifecycleEvent): void {
    for (const listener of this.#listeners) listener(event);
    if (this.#recorded.size > 0 && isKept(event)) this.#awaitFlush(event);
  }

  #awaitFlush(event: LifecycleEvent): void {
    const { flushed } = event;
    const waiting = this.#unflushed.get(flushed);
    if (waiting !== undefined) return void waiting.push(event);
    const events = [event];
    this.#unflushed.set(flushed, events);
    flushed.then(
      () => {
        this.#unflushed.delete(flushed);
        const written = events.some(({ holder }) => holder.isLost) ? events.filter(({ holder }) => !holder.isLost) : events;
        for (const listener of this.#recorded) listener(written);
      },
      () => void this.#unflushed.delete(flushed),
    );
  }

  /** Whether anyone listens to occurrences. */
  get isObserved(): boolean {
    return this.#observers.size > 0;
  }

  /** Subscribes to occurrences. Returns a function that stops it. */
  observe(observer: OccurrenceListener): () => void {
    this.#observers.add(observer);
    return () => void this.#observers.delete(observer);
  }

  /** Reports an occurrence, once recorded. */
  tell(occurrence: Occurrence): void {
    for (const observer of this.#observers) observer(occurrence);
  }
}

/** Other steps of task runs are of no use to listeners for recorded steps, and there are many. */
function isKept({ step, taskRunId }: LifecycleEvent): boolean {
  return step === 'ended' || step === 'retried' || step === 'recovered' || (taskRunId === null && step === 'started');
}

/** The step that leads to a state. */
export function stepTo({ type, name }: State): LifecycleStep {
  if (isTerminal(type)) return 'ended';
  if (type === 'RUNNING') return 'started';
  if (type === 'CANCELLING') return 'cancelling';
  if (name === 'AwaitingRetry') return 'retried';
  return name === 'Resuming' ? 'handedBack' : 'waiting';
}
