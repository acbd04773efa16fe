/** Values that a run gives out while it runs, by `ctx.emit`. */
import { cutText } from '../base/cut-text.ts';
import { BatutaError } from '../base/errors.ts';

/** One of them, as it is recorded. */
export interface Emission {
  /** Grows with each value of the run, over all its streams, in the order in which they were recorded; from 1. */
  readonly seq: number;
  readonly stream: string;
  /** Task run that gave it; null for the body of a code flow. */
  readonly taskRunId: string | null;
  /** Attempt of that task run, or of the run where the body gave it. */
  readonly attempt: number;
  /** UTC epoch ms. */
  readonly at: number;
  readonly value: unknown;
}

/** Keeps what a task or body gives out. */
export interface EmissionKeeper {
  emit(stream: string, value: unknown): Promise<void>;
}

/** What each value counts against the most of a run beside its text, bytes. */
export const emissionBytes = 64;

/** @throws BatutaError NAME_INVALID unless it is 1 to 100 letters, digits, `_`, `.`, `:` or `-`, and neither `.` nor `..`, which are no part of a path */
export function checkStreamName(name: unknown): asserts name is string {
  if (typeof name === 'string' && /^(?!\.{1,2}$)[\w.:-]{1,100}$/.test(name)) return;
  const shown = typeof name === 'string' ? `'${cutText(name, 40)}'` : typeof name;
  throw new BatutaError(
    'NAME_INVALID',
    `${shown} is no name for a stream: use 1 to 100 letters, digits, _, ., : or -, not . or .. alone.`,
    {
      details: { stream: cutText(String(name), 100) },
    },
  );
}
