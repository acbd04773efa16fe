/** User values between the store and the wire. They are never inspected. */
import { BatutaError, isBatutaError } from '../base/errors.ts';
import type { CutValue, WireValue } from '../client/wire.ts';
import type { ResultStorage } from '../engine/results/storage.ts';
import type { StoredValue } from '../engine/values/results.ts';
import { readText } from '../model/values.ts';
import { readGivenValue } from './given-value.ts';

/** Largest value sent inline, bytes. */
export const maxValueBytes = 1024 * 1024;

/** The value in wire form, or where to fetch it if too large; that is known without reading it. @throws BatutaError RESULT_MISSING */
export async function shownValue(results: ResultStorage, stored: StoredValue, download: string): Promise<WireValue | CutValue | null> {
  const { result, resultRef } = stored;
  if (resultRef === null) return wireValue(result, download);
  const bytes = await results.size(resultRef);
  return bytes > maxValueBytes ? { cut: { bytes, download } } : wireValue(await results.get(resultRef), download);
}

/** Null for a missing value: its owner is shown all the same. Rethrows other errors. */
export function unlessMissing(error: unknown): null {
  if (isBatutaError(error, 'RESULT_MISSING')) return null;
  throw error;
}

/** As `shownValue`, for a text already here. */
export function wireValue(text: string | null, download: string): WireValue | CutValue | null {
  if (text === null) return null;
  const bytes = Buffer.byteLength(text);
  return bytes > maxValueBytes ? { cut: { bytes, download } } : (readText(text) as WireValue);
}

/**
 * A value in a request: plain JSON as is; an object of `json` and at most `meta` as superjson.
 *
 * @throws BatutaError REQUEST_INVALID if its `meta` does not fit
 */
export function givenValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, 'json')) return value;
  if (!Object.keys(value).every((key) => key === 'json' || key === 'meta')) return value;
  try {
    return readGivenValue(value as { readonly json: unknown; readonly meta?: unknown });
  } catch (cause) {
    throw new BatutaError('REQUEST_INVALID', 'A value of the form { json, meta } is not as superjson writes it.', { cause });
  }
}
