/**
 * Large results in the database, in pieces: a fleet needs no other shared storage.
 *
 * A piece is one row and one statement, so that neither side holds a whole value, and no transaction spans one. Pieces of a value that was
 * never recorded go with its run. An unavailable server is waited for, as the recorder does.
 */
import type { Clock } from '../../base/clock.ts';
import { isBatutaError } from '../../base/errors.ts';
import { storePlace as prefix } from '../../model/result-ref.ts';
import type { ResultStore } from '../../store/store.ts';
import { gathered } from './pieces.ts';
import { checkKey, missing, type ResultPlace } from './place.ts';

const partBytes = 1024 * 1024;
/** As long as a flush of the recorder waits, ms. */
const patienceMs = 15_000;
const firstWaitMs = 50;

/** @param clock to wait by */
export function storePlace(results: ResultStore, clock: Clock): ResultPlace {
  const name = 'the database';
  const ask = <T>(work: () => Promise<T>): Promise<T> => patiently(work, clock);
  return {
    prefix,
    name,
    async write(key, pieces) {
      checkKey(key);
      let part = 0;
      for await (const bytes of gathered(pieces, partBytes)) {
        const at = part++;
        await ask(() => results.writePart(key, at, bytes));
      }
      if (part === 0) await ask(() => results.writePart(key, part++, new Uint8Array()));
      // Left by a longer value of an earlier attempt.
      await ask(() => results.removeParts(key, part));
    },
    async read(key) {
      checkKey(key);
      const first = await ask(() => results.readPart(key, 0));
      if (first === null) throw missing(key, name);
      return (async function* () {
        let piece: Uint8Array | null = first;
        for (let part = 1; piece !== null; part++) {
          yield piece;
          piece = await ask(() => results.readPart(key, part));
        }
      })();
    },
    async size(key) {
      checkKey(key);
      const bytes = await ask(() => results.size(key));
      if (bytes === null) throw missing(key, name);
      return bytes;
    },
    async remove(key) {
      checkKey(key);
      await ask(() => results.removeParts(key, 0));
    },
    // The transaction that deletes a run deletes its pieces.
    sweep: async () => undefined,
  };
}

async function patiently<T>(work: () => Promise<T>, clock: Clock): Promise<T> {
  const startedAt = clock.monotonic();
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(2 * waitMs, 1_000)) {
    try {
      return await work();
    } catch (error) {
      if (!isBatutaError(error, 'STORE_UNAVAILABLE') || clock.monotonic() - startedAt + waitMs > patienceMs) throw error;
    }
    await clock.sleep(waitMs);
  }
}
