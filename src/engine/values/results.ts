/** Where the values that tasks pass on are kept: in the row or, if large, in the result storage. */
import { Buffer } from 'node:buffer';
import type { Logger } from 'pino';
import type { Clock } from '../../base/clock.ts';
import { isBatutaError } from '../../base/errors.ts';
import { parseRef } from '../../model/result-ref.ts';
import { decodeValue, encodeValue } from '../../model/values.ts';
import type { PruneReport, RemovedRuns, Store } from '../../store/store.ts';
import { damaged } from '../results/place.ts';
import type { ResultStorage } from '../results/storage.ts';
import { isPrimitive, RecordedValue, take } from './given-value.ts';

export { decodeValue, encodeValue };

/** Maximum size of a text in the row itself, in bytes of UTF-8: 256 KiB. */
export const maxInlineBytes = 256 * 1024;

/** A value as it is recorded: both null for `undefined`. */
export interface StoredValue {
  readonly result: string | null;
  readonly resultRef: string | null;
}

export const noValue: StoredValue = { result: null, resultRef: null };

/** Stores an encoded value where it belongs by its size. @throws BatutaError RESULT_NOT_SERIALIZABLE, STORE_… */
export async function storeValue(storage: ResultStorage, key: string, text: string | null): Promise<StoredValue> {
  if (text === null || !isLarge(text)) return { result: text, resultRef: null };
  return { result: null, resultRef: await storage.put(key, text) };
}

/** Whether a text is too large for the row. */
export function isLarge(text: string): boolean {
  return text.length * 3 > maxInlineBytes && Buffer.byteLength(text) > maxInlineBytes;
}

/** The recorded value. @throws BatutaError RESULT_MISSING when a large one is gone or damaged. */
export async function loadValue(storage: ResultStorage, stored: StoredValue): Promise<unknown> {
  return take(await loadGiven(storage, stored));
}

/** The recorded value, for any number of takers. @throws BatutaError RESULT_MISSING when a large one is gone or damaged. */
export async function loadGiven(storage: ResultStorage, stored: StoredValue): Promise<unknown> {
  const { result, resultRef } = stored;
  if (resultRef === null) return readGiven(result);
  const text = await storage.get(resultRef);
  try {
    return readGiven(text);
  } catch (cause) {
    const ref = parseRef(resultRef);
    throw damaged(ref.key, storage.placeOf(ref).name, 'it is no JSON of a value', cause);
  }
}

function readGiven(text: string | null): unknown {
  const value = decodeValue(text);
  return text === null || isPrimitive(value) ? value : new RecordedValue(text, { value });
}

/**
 * Removes what is no longer referenced: what the runs had recorded, and what a process that died in between had stored without being able
 * to record it. A result that another run also names stays.
 *
 * A crash midway leaves unused files.
 */
export async function removeResults(
  { store, results, log }: { readonly store: Pick<Store, 'keptResults'>; readonly results: ResultStorage; readonly log: Logger },
  { runIds, resultRefs }: RemovedRuns,
): Promise<void> {
  for (const key of resultRefs) {
    await results.remove(key).catch((error: unknown) => {
      if (!isBatutaError(error, 'RESULT_MISSING')) throw error;
      log.warn({ err: error, code: error.code }, 'A deleted run named a result that is not ours; it was left alone.');
    });
  }
  await results.sweep(runIds, (locators) => store.keptResults(locators));
}

/**
 * Deletes the runs that ended before an instant and the expired entries of the cache, with everything no longer referenced.
 *
 * @throws BatutaError STORE_…
 */
export async function pruneStore(
  services: { readonly store: Store; readonly results: ResultStorage; readonly log: Logger; readonly clock: Clock },
  before: number,
): Promise<PruneReport> {
  const { store, clock } = services;
  const report = await store.prune(before, { onBatch: (removed) => removeResults(services, removed) });
  await store.emitted.prune(before);
  const { resultRefs } = await store.cache.expire(clock.now(), null);
  await removeResults(services, { runIds: [], resultRefs });
  return report;
}
