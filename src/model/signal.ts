/** Signals: what a run can be told from outside while it goes on or waits. */
import { BatutaError } from '../base/errors.ts';

/** One signal that was sent to a run. */
export interface Signal {
  readonly runId: string;
  readonly name: string;
  /** Counts the signals of this name to this run, from 1. */
  readonly number: number;
  /** Its data as `encodeValue` writes it, null when it carries none. */
  readonly data: string | null;
  /** UTC epoch ms. */
  readonly sentAt: number;
}

/** @throws BatutaError NAME_INVALID unless it is 1 to 100 letters, digits, `_`, `.`, `:` or `-` */
export function checkSignalName(name: string): void {
  if (/^[\w.:-]{1,100}$/.test(name)) return;
  throw new BatutaError('NAME_INVALID', `'${name}' is no name for a signal: use 1 to 100 letters, digits, _, ., : or -.`, {
    details: { signal: name },
  });
}

/** Name of the task run that waits for a signal. */
export function signalTaskName(name: string): string {
  return `signal:${name}`;
}
