/** Contract of signals: messages to runs from outside. */
import type { Signal } from '../../model/signal.ts';

export interface SignalStore {
  /**
   * One transaction: keeps a signal to a run, and makes the run (and those it is a sub-flow of) due now where it is suspended. Gives
   * its number among those of its name and the ids that were woken, the outermost last; null when there is no such run.
   */
  send(
    runId: string,
    name: string,
    data: string | null,
    at: number,
  ): Promise<{ readonly number: number; readonly woken: readonly string[] } | null>;
  /** One transaction: makes a suspended run, and those it is a sub-flow of, due now. Gives the ids that were woken, the outermost last. */
  wake(runId: string, at: number, message: string): Promise<readonly string[]>;
  /** Signal number `number` (from 1) of its name, null while it has not come. */
  get(runId: string, name: string, number: number): Promise<Signal | null>;
  /** All to a run, oldest first. */
  ofRun(runId: string): Promise<readonly Signal[]>;
}
