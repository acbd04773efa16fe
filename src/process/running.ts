/** A part of a fleet inside a program: how it is stopped, by the program or by a signal. */
import { onShutdown } from '../base/signals.ts';
import { BatutaError } from '../base/errors.ts';

export interface StopOptions {
  /** How long running work may take to finish, ms; the rest is handed back, and others continue it. Default 10,000. */
  readonly graceMs?: number;
}

/** A worker, scheduler or server, or all of them, running in this process. */
export interface RunningProcess {
  /** One line for people: what it is and what it serves. */
  readonly greeting: string;
  /** Resolves once it has stopped, for whatever reason; rejects if stopping failed. */
  readonly ended: Promise<void>;
  /**
   * Takes no new work, lets running work finish, hands the rest back and closes what was opened. It never ends the process, and may be
   * called twice: later calls wait for the first.
   *
   * @throws BatutaError OPTION_INVALID for an invalid grace
   */
  stop(options?: StopOptions): Promise<void>;
}

const usualGraceMs = 10_000;

/** What was started; once stopped it takes no new work, and hands back after `graceMs`. */
interface Started {
  readonly greeting: string;
  stop(graceMs: number): Promise<void>;
}

/** @param signals whether SIGTERM and Ctrl-C stop it */
export function runningProcess(started: Started, signals: boolean): RunningProcess {
  let settle: (outcome: Promise<void>) => void = () => undefined;
  const ended = new Promise<void>((resolve) => (settle = resolve));
  // Callers that do not await the end get a failure from `stop`.
  ended.catch(() => undefined);
  let stopped: Promise<void> | undefined;
  let forgetSignals: (() => void) | undefined;
  const stop = async ({ graceMs = usualGraceMs }: StopOptions = {}): Promise<void> => {
    if (typeof graceMs !== 'number' || !(graceMs >= 0))
      throw new BatutaError('OPTION_INVALID', `graceMs must be a number of milliseconds from 0 on, not ${String(graceMs)}.`, {
        details: { option: 'graceMs' },
      });
    stopped ??= started.stop(graceMs).finally(() => forgetSignals?.());
    settle(stopped);
    return await stopped;
  };
  if (signals) forgetSignals = onShutdown(() => stop());
  return { greeting: started.greeting, ended, stop };
}
