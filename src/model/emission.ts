/** Values that a run emits while it runs, by `ctx.emit`. */
import { cutText } from '../base/cut-text.ts';
import { BatutaError } from '../base/errors.ts';

/** An emission, as recorded. */
export interface Emission {
  /** Grows with each value of the run, across its streams, in the order of recording; from 1. */
  readonly seq: number;
  readonly stream: string;
  /** Task run that emitted it; null for a code flow's body. */
  readonly taskRunId: string | null;
  /** Attempt of that task run, or of the run if the body emitted it. */
  readonly attempt: number;
  /** UTC epoch ms. */
  readonly at: number;
  readonly value: unknown;
}

/** Stores emissions. */
export interface EmissionKeeper {
  emit(stream: string, value: unknown): Promise<void>;
}

/** What each value counts towards a run's limit besides its text, bytes. */
export const emissionBytes = 64;

/**
 * @throws BatutaError NAME_INVALID unless it is 1 to 100 letters, digits, `_`, `.`, `:` or `-`, and neither `.` nor `..`, which are not
 *   path segments
 */
export function checkStreamName(name: unknown): asserts name is string {
  if (typeof name === 'string' && /^(?!\.{1,2}$)[\w.:-]{1,100}$/.test(name)) return;
  const shown = typeof name === 'string' ? `'${cutText(name, 40)}'` : typeof name;
  throw new BatutaError(
    'NAME_INVALID',
    `${shown} is not a valid name for a stream: use 1 to 100 letters, digits, _, ., : or -, not . or .. alone.`,
    { details: { stream: cutText(String(name), 100) } },
  );
}
