/** Where the values that tasks pass on are kept: in the row or, when large, in the result storage. */
import { Buffer } from 'node:buffer';
import { chmodSync, existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Logger } from 'pino';
import type { Clock } from '../../base/clock.ts';
import { cutText } from '../../base/cut-text.ts';
import { BatutaError, isBatutaError } from '../../base/errors.ts';
import { decodeValue, encodeValue } from '../../model/values.ts';
import type { PruneReport, RemovedRuns, Store } from '../../store/store.ts';
import { isPrimitive, RecordedValue, take } from './given-value.ts';

export { decodeValue, encodeValue };

/** Largest text that stands in the row itself, in bytes of UTF-8: 256 KiB. */
export const maxInlineBytes = 256 * 1024;

/** A value as it is recorded: both null for `undefined`. */
export interface StoredValue {
  readonly result: string | null;
  readonly resultRef: string | null;
}

export const noValue: StoredValue = { result: null, resultRef: null };

/** Where large values are kept. */
export interface ResultStorage {
  /** Durable once resolved; replaces what was under the key. */
  put(key: string, text: string): Promise<void>;
  /** @throws BatutaError RESULT_MISSING */
  get(key: string): Promise<string>;
  /** Length of what is there, bytes of UTF-8. @throws BatutaError RESULT_MISSING */
  size(key: string): Promise<number>;
  /** What is there piece by piece, for who takes it as it comes. @throws BatutaError RESULT_MISSING, before the first piece */
  stream(key: string): Promise<AsyncIterable<Uint8Array>>;
  /** Removes what is there; silent when nothing is. @throws BatutaError RESULT_MISSING for a key that we cannot have made */
  remove(key: string): Promise<void>;
  /**
   * Removes all that is there of a run but what is kept, and its place when that is empty: what was stored by an owner that died before it
   * could record it stands in no row.
   *
   * @param keptOf those of these keys, all of the run, that stay
   */
  sweep(runId: string, keptOf: (keys: readonly string[]) => Promise<readonly string[]>): Promise<void>;
}

/** Encodes a value and puts it where it belongs by its size. @throws BatutaError RESULT_NOT_SERIALIZABLE, STORE_… */
export async function storeValue(storage: ResultStorage, key: string, text: string | null): Promise<StoredValue> {
  if (text === null || !isLarge(text)) return { result: text, resultRef: null };
  await storage.put(key, text);
  return { result: null, resultRef: key };
}

/** Whether a text is too large to stand in the row. */
export function isLarge(text: string): boolean {
  return text.length * 3 > maxInlineBytes && Buffer.byteLength(text) > maxInlineBytes;
}

/** The recorded value. @throws BatutaError RESULT_MISSING when a large one is gone or damaged. */
export async function loadValue(storage: ResultStorage, stored: StoredValue): Promise<unknown> {
  return take(await loadGiven(storage, stored));
}

/** The recorded value, to be taken by any number. @throws BatutaError RESULT_MISSING when a large one is gone or damaged. */
export async function loadGiven(storage: ResultStorage, stored: StoredValue): Promise<unknown> {
  const { result, resultRef } = stored;
  if (resultRef === null) return readGiven(result);
  const text = await storage.get(resultRef);
  try {
    return readGiven(text);
  } catch (cause) {
    throw new BatutaError('RESULT_MISSING', `The stored result ${resultRef} is damaged. Retry the task that made it.`, {
      cause,
      details: { key: resultRef },
    });
  }
}

function readGiven(text: string | null): unknown {
  const value = decodeValue(text);
  return text === null || isPrimitive(value) ? value : new RecordedValue(text, { value });
}

/** Keys and ids of runs as we make them: `<run>/<name>`, of letters, digits and a few signs, never a way out of the folder. */
const keyForm = /^\w[\w.-]{0,199}\/\w[\w.-]{0,299}$/;
const runForm = /^\w[\w.-]{0,199}$/;

/** @throws BatutaError RESULT_MISSING for a key that we cannot have made */
function checkKey(key: string): string {
  if (keyForm.test(key)) return key;
  throw new BatutaError(
    'RESULT_MISSING',
    `${JSON.stringify(cutText(key, 200, '…'))} is no key of a stored result; nothing is read or removed by it.`,
    {
      details: { key },
    },
  );
}

/** Result storage in a folder: one file a key, written beside its place and renamed, synced before it counts. */
export function folderStorage(folder: string): ResultStorage {
  const pathOf = (key: string): string => join(folder, `${checkKey(key)}.json`);
  const missing = (key: string) => (cause: unknown) => {
    throw new BatutaError('RESULT_MISSING', `The stored result ${key} cannot be read from ${folder}. Retry the task that made it.`, {
      cause,
      details: { key },
    });
  };
  closeToOthers(folder);
  return {
    async put(key, text) {
      const path = pathOf(key);
      const temporary = `${path}.${process.pid}.part`;
      try {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        const file = await open(temporary, 'w', 0o600);
        try {
          await file.writeFile(text);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(temporary, path);
      } catch (cause) {
        await rm(temporary, { force: true }).catch(() => undefined);
        throw storageError(cause, folder);
      }
    },
    get: async (key) => await readFile(pathOf(key), 'utf8').catch(missing(key)),
    size: async (key) => (await stat(pathOf(key)).catch(missing(key))).size,
    async stream(key) {
      const file = await open(pathOf(key)).catch(missing(key));
      return file.createReadStream();
    },
    remove: async (key) => await rm(pathOf(key), { force: true }),
    async sweep(runId, keptOf) {
      if (!runForm.test(runId)) return;
      const place = join(folder, runId);
      const names = await readdir(place).catch(() => []);
      if (names.length === 0) return;
      const keys = names.filter((name) => name.endsWith('.json')).map((name) => `${runId}/${name.slice(0, -'.json'.length)}`);
      const kept = new Set((await keptOf(keys)).map((key) => join(folder, `${key}.json`)));
      for (const path of names.map((name) => join(place, name))) if (!kept.has(path)) await rm(path, { force: true });
      // Another may have put something there meanwhile.
      if (kept.size === 0) await rmdir(place).catch(() => undefined);
    },
  };
}

/** A folder that is Batuta's own and was made before it was so for its owner alone; what lies in it is closed with it. */
function closeToOthers(folder: string): void {
  const own = dirname(folder);
  if (basename(own) !== '.batuta' || process.platform === 'win32') return;
  try {
    for (const place of [own, folder]) if (existsSync(place)) chmodSync(place, 0o700);
  } catch {
    // Another's: it is used as it is, and the doctor says so.
  }
}

/** Result storage that is gone with the process; for tests. */
export function memoryStorage(): ResultStorage {
  const texts = new Map<string, string>();
  const get = async (key: string): Promise<string> => {
    const text = texts.get(key);
    if (text === undefined) throw new BatutaError('RESULT_MISSING', `The stored result ${key} is gone.`, { details: { key } });
    return text;
  };
  return {
    put: async (key, text) => void texts.set(key, text),
    get,
    size: async (key) => Buffer.byteLength(await get(key)),
    async stream(key) {
      const bytes = Buffer.from(await get(key));
      return (async function* () {
        yield bytes;
      })();
    },
    remove: async (key) => void texts.delete(key),
    async sweep(runId, keptOf) {
      const keys = [...texts.keys()].filter((key) => key.startsWith(`${runId}/`));
      const kept = new Set(await keptOf(keys));
      for (const key of keys) if (!kept.has(key)) texts.delete(key);
    },
  };
}

function storageError(cause: unknown, folder: string): BatutaError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : null;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new BatutaError(
      'STORE_FULL',
      `The disk is full: a result could not be written to ${folder}. Free some space and retry the run.`,
      { cause },
    );
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new BatutaError(
      'STORE_READ_ONLY',
      `A result could not be written: ${folder} is read-only. Make it writable and retry the run.`,
      { cause },
    );
  return new BatutaError(
    'STORE_UNAVAILABLE',
    `A result could not be written to ${folder}: ${cause instanceof Error ? cause.message : String(cause)}`,
    { cause },
  );
}

/**
 * Removes what nothing points at any more: what the runs had recorded, and what a process that died in between had stored without being
 * able to record it. A result that another run names as well stays.
 *
 * A crash in the middle leaves files that nobody needs.
 */
export async function removeResults(
  { store, results, log }: { readonly store: Pick<Store, 'keptResults'>; readonly results: ResultStorage; readonly log: Logger },
  { runIds, resultRefs }: RemovedRuns,
): Promise<void> {
  for (const key of resultRefs) {
    await results.remove(key).catch((error: unknown) => {
      if (!isBatutaError(error, 'RESULT_MISSING')) throw error;
      log.warn({ err: error, code: error.code }, 'A run that was deleted named a result that is none of ours; it was left alone.');
    });
  }
  for (const runId of runIds) await results.sweep(runId, (keys) => store.keptResults(keys));
}

/** Deletes the runs that ended before an instant and takes out of the cache what has ended, with all that nothing points at any more. @throws BatutaError STORE_… */
export async function pruneStore(
  services: { readonly store: Store; readonly results: ResultStorage; readonly log: Logger; readonly clock: Clock },
  before: number,
): Promise<PruneReport> {
  const { store, clock } = services;
  const report = await store.prune(before, { onBatch: (removed) => removeResults(services, removed) });
  const { resultRefs } = await store.cache.expire(clock.now(), null);
  await removeResults(services, { runIds: [], resultRefs });
  return report;
}
