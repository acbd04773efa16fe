/** Contract of a place for large results: it keeps bytes under keys, and knows nothing of their meaning. */
import { cutText } from '../../base/cut-text.ts';
import { BatutaError } from '../../base/errors.ts';

/** Bytes, one piece after the other. */
export type Pieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** Makers: `folder-place.ts`, `store-place.ts`, `s3-place.ts`, `memory-place.ts`. Keys are `<run>/<name>`, see `checkKey`. */
export interface ResultPlace {
  /** What its locators begin with, see `ResultRef`. */
  readonly prefix: string;
  /** For display: a path, `the database`, or `s3://bucket/prefix`. */
  readonly name: string;
  /** Durable once resolved; replaces what was under the key, and leaves nothing partial. @throws BatutaError STORE_…, PACKAGE_MISSING */
  write(key: string, pieces: Pieces): Promise<void>;
  /** What is there, as it is read. @throws BatutaError RESULT_MISSING, before the first piece; STORE_… */
  read(key: string): Promise<AsyncIterable<Uint8Array>>;
  /** Its size in bytes. @throws BatutaError RESULT_MISSING, STORE_… */
  size(key: string): Promise<number>;
  /** Removes it; no error if there is nothing. @throws BatutaError STORE_… */
  remove(key: string): Promise<void>;
  /** Removes all that is stored for these runs except what is kept: no row names what a process stored if it died before recording it. */
  sweep(runIds: readonly string[], keptOf: (keys: readonly string[]) => Promise<readonly string[]>): Promise<void>;
  /** Closes connections. */
  close?(): void;
}

/** Keys and run ids as we make them: letters, digits and some punctuation, never a path out of the place. */
const keyForm = /^\w[\w.-]{0,199}\/\w[\w.-]{0,299}$/;
const runForm = /^\w[\w.-]{0,199}$/;

/** Whether this can be a run id of ours. */
export function isRunId(id: string): boolean {
  return runForm.test(id);
}

/** @throws BatutaError RESULT_MISSING for a key that cannot be ours */
export function checkKey(key: string): string {
  if (keyForm.test(key)) return key;
  throw new BatutaError(
    'RESULT_MISSING',
    `${JSON.stringify(cutText(key, 200, '…'))} is no key of a stored result; nothing is read or removed by it.`,
    { details: { key } },
  );
}

/** The error for a missing value. @param cause the underlying error, if any */
export function missing(key: string, place: string, cause?: unknown): BatutaError {
  return new BatutaError('RESULT_MISSING', `The stored result ${key} cannot be read from ${place}. Retry the task that made it.`, {
    cause,
    details: { key, place, reason: 'missing' },
  });
}

/** The error for a value that is not what was stored. @param how in words */
export function damaged(key: string, place: string, how: string, cause?: unknown): BatutaError {
  return new BatutaError(
    'RESULT_MISSING',
    `The stored result ${key} in ${place} is damaged: ${how}. Put the original back, or retry the task that made it.`,
    { cause, details: { key, place, reason: 'damaged' } },
  );
}
