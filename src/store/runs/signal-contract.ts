/** Contract of signals: messages to runs from outside. */
import type { Signal } from '../../model/signal.ts';

export interface SignalStore {
  /**
   * One transaction: keeps a signal to a run, and makes the run (and those it is a sub-flow of) due now if it is suspended. Returns its
   * number among those of its name and the woken ids, the outermost last; null if there is no such run.
   */
  send(
    runId: string,
    name: string,
    data: string | null,
    at: number,
  ): Promise<{ readonly number: number; readonly woken: readonly string[] } | null>;
  /** One transaction: makes a suspended run, and those it is a sub-flow of, due now. Returns the woken ids, the outermost last. */
  wake(runId: string, at: number, message: string): Promise<readonly string[]>;
  /** Signal number `number` (from 1) of its name, null until it arrives. */
  get(runId: string, name: string, number: number): Promise<Signal | null>;
  /** All of a run, oldest first. */
  ofRun(runId: string): Promise<readonly Signal[]>;
}
