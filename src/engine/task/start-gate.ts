/**
 * The last check before an attempt's code is called. Passes of rates are valid for a moment only, and whatever comes between may take longer: a
 * thread or process that starts, resources that are opened, code of other runs, or a machine that has no time for this process.
 */
import type { BatutaError } from '../../base/errors.ts';
import { mayStillBegin } from '../limits/await-rate.ts';
import type { RunAttempt, Stoppable } from '../run/run-attempt.ts';
import { stopped, type TaskPass } from './attempt-places.ts';

/** An attempt, and the gate that it has. */
interface Gated extends Stoppable {
  gate: StartGate | null;
}

export class StartGate {
  readonly #active: RunAttempt;
  readonly #pass: TaskPass | null;
  readonly #execution: Stoppable;

  /** @param pass of the task's own rates; null: none */
  constructor(active: RunAttempt, pass: TaskPass | null, execution: Stoppable) {
    this.#active = active;
    this.#pass = pass;
    this.#execution = execution;
  }

  /** For how long the code may be called from now on, ms; 0: not now. */
  get openMs(): number {
    const { stopReason, turn, pass, services } = this.#active;
    if (stopReason !== null || turn !== null) return 0;
    const now = services.leaseClock.monotonic();
    return Math.max(0, Math.min(pass?.leftMs(now) ?? Infinity, this.#pass?.leftMs(now) ?? Infinity));
  }

  /** Waits, if it took too long, for another turn. It may be over again once this resolves. False if the run is stopped. @throws BatutaError STORE_… */
  async mayOpen(): Promise<boolean> {
    return (this.#pass === null || (await this.#pass.isReady())) && (await mayStillBegin(this.#active));
  }

  /** For how long the code may be called, ms; null: never, the attempt is settled. Rejects never. */
  async opened(): Promise<number | null> {
    try {
      for (let ms = this.openMs; ; ms = this.openMs) {
        if (ms > 0) return ms;
        if (!(await this.mayOpen())) break;
      }
      this.#execution.stop(stopped(this.#active).error, true);
    } catch (error) {
      this.#execution.stop(error as BatutaError, true);
    }
    return null;
  }

  /** The code may be called at any moment now, elsewhere. */
  tellOpen(): void {
    this.#pass?.tellMayHaveBegun();
  }

  /** The code has been called. */
  tellBegun(): void {
    (this.#pass ?? this.#active).tellBegun();
  }
}

/** That of the attempt from now on; null if no rate concerns it, or its run has begun. */
export function startGate(active: RunAttempt, pass: TaskPass | null, execution: Gated): StartGate | null {
  execution.gate = pass === null && active.pass === null && active.turn === null ? null : new StartGate(active, pass, execution);
  return execution.gate;
}
