/**
 * Where large values are kept: new ones go to one place, stored ones are read from wherever they are.
 *
 * Each value is identified by a reference (`model/result-ref.ts`) that holds its location, size and hash; what is read is checked against
 * that.
 */
import { Buffer } from 'node:buffer';
import { byteSize } from '../../base/byte-size.ts';
import { BatutaError } from '../../base/errors.ts';
import { elsewherePlace, parseRef, refText, type ResultRef } from '../../model/result-ref.ts';
import { Measure, piecesOf } from './pieces.ts';
import { damaged, type ResultPlace } from './place.ts';

export interface ResultStorage {
  /** Where new values go. */
  readonly place: ResultPlace;
  /**
   * Stores a text, durable once resolved; replaces what the key held. Returns its reference.
   *
   * @throws BatutaError STORE_…, PACKAGE_MISSING
   */
  put(key: string, text: string): Promise<string>;
  /**
   * Stores bytes as they arrive, unencrypted even if texts are encrypted; leaves nothing if they end in an error, which is rethrown.
   * Returns their reference.
   *
   * @throws as `put`
   */
  putBytes(key: string, pieces: AsyncIterable<Uint8Array>): Promise<string>;
  /** Such bytes, piece by piece. @throws as `stream` */
  streamBytes(ref: string): Promise<AsyncIterable<Uint8Array>>;
  /** @throws BatutaError RESULT_MISSING: gone, or damaged; STORE_… */
  get(ref: string): Promise<string>;
  /** Its size, bytes of UTF-8. @throws BatutaError RESULT_MISSING, STORE_… */
  size(ref: string): Promise<number>;
  /**
   * What is stored there, piece by piece.
   *
   * @throws BatutaError RESULT_MISSING, before the first piece, or when it turns out to be damaged
   */
  stream(ref: string): Promise<AsyncIterable<Uint8Array>>;
  /** Removes it; no error if there is nothing. @throws BatutaError RESULT_MISSING for a reference that cannot be ours, STORE_… */
  remove(ref: string): Promise<void>;
  /**
   * Removes all that is stored for these runs except what is kept, at every place: no row names what an owner stored if it died before
   * recording it.
   *
   * @param keptOf returns which of these locators, all of the runs, stay
   */
  sweep(runIds: readonly string[], keptOf: (locators: readonly string[]) => Promise<readonly string[]>): Promise<void>;
  /** The place that a reference names. @throws BatutaError RESULT_MISSING if it is not a known one */
  placeOf(ref: ResultRef): ResultPlace;
  /** The place whose locators have that prefix; null if none is known. */
  known(prefix: string): ResultPlace | null;
  /** Closes connections. */
  close(): void;
}

/** @param others places that may hold values stored earlier */
export function resultStorage(place: ResultPlace, others: readonly ResultPlace[] = []): ResultStorage {
  const places = [place, ...others.filter(({ prefix }) => prefix !== place.prefix)];
  const placeOf = (ref: ResultRef): ResultPlace => {
    const found = places.find(({ prefix }) => prefix === ref.place);
    if (found) return found;
    if (ref.place === elsewherePlace) {
      throw new BatutaError(
        'RESULT_MISSING',
        `The value (${byteSize(ref.bytes ?? 0)}) was not sent along with the report of its run; it is kept where that ran.`,
        { details: { key: ref.key, bytes: ref.bytes, reason: 'elsewhere' } },
      );
    }
    throw new BatutaError(
      'RESULT_MISSING',
      `The stored result ${ref.key} lies in ${ref.place}, which is not one of the known places. Name it in BATUTA_FORMER_RESULTS.`,
      { details: { key: ref.key, place: ref.place, reason: 'unknown place' } },
    );
  };
  const streamOf = async (text: string): Promise<AsyncIterable<Uint8Array>> => {
    const ref = parseRef(text);
    const at = placeOf(ref);
    return checked(ref, at, await at.read(ref.key));
  };
  return {
    place,
    placeOf,
    known: (prefix) => places.find((one) => one.prefix === prefix) ?? null,
    async put(key, text) {
      const measure = new Measure();
      await place.write(key, measure.through(piecesOf(text)));
      return refText(place.prefix + key, measure.bytes, measure.sha256());
    },
    async putBytes(key, pieces) {
      const measure = new Measure();
      const faults: unknown[] = [];
      try {
        await place.write(key, measure.along(noting(pieces, (fault) => faults.push(fault))));
      } catch (error) {
        // The pieces of a value in the database are written one by one.
        await place.remove(key).catch(() => undefined);
        throw faults.length === 0 ? error : faults[0];
      }
      return refText(place.prefix + key, measure.bytes, measure.sha256());
    },
    streamBytes: (text) => streamOf(text),
    async get(text) {
      const ref = parseRef(text);
      const at = placeOf(ref);
      return await readWhole(ref, at);
    },
    async size(text) {
      const ref = parseRef(text);
      const at = placeOf(ref);
      const bytes = await at.size(ref.key);
      if (ref.bytes !== null && bytes !== ref.bytes) throw damaged(ref.key, at.name, lengthOf(ref.bytes, bytes));
      return bytes;
    },
    stream: (text) => streamOf(text),
    async remove(text) {
      const ref = parseRef(text);
      await placeOf(ref).remove(ref.key);
    },
    async sweep(runIds, keptOf) {
      for (const { prefix, sweep } of places)
        await sweep(runIds, async (keys) => (await keptOf(keys.map((key) => prefix + key))).map((locator) => locator.slice(prefix.length)));
    },
    close() {
      for (const each of places) each.close?.();
    },
  };
}

/** Bytes from a source whose error is not that of the place they go to. */
async function* noting(pieces: AsyncIterable<Uint8Array>, onFault: (error: unknown) => void): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
  } catch (error) {
    onFault(error);
    throw error;
  }
}

/** Reads into memory of the known length, so that nothing is joined; never decodes a partial value. */
async function readWhole(ref: ResultRef, at: ResultPlace): Promise<string> {
  const pieces = checked(ref, at, await at.read(ref.key));
  if (ref.bytes === null) {
    const all: Uint8Array[] = [];
    for await (const piece of pieces) all.push(piece);
    return Buffer.concat(all).toString('utf8');
  }
  const whole = Buffer.allocUnsafeSlow(ref.bytes);
  let length = 0;
  for await (const piece of pieces) {
    // An excess is reported once everything is counted.
    if (length + piece.byteLength <= whole.byteLength) whole.set(piece, length);
    length += piece.byteLength;
  }
  return whole.toString('utf8');
}

/** Passes the pieces on, and throws at the end if they are not what was stored. */
async function* checked(ref: ResultRef, at: ResultPlace, pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  if (ref.sha256 === null) return yield* pieces;
  const measure = new Measure();
  for await (const piece of pieces) {
    measure.add(piece);
    yield piece;
  }
  if (measure.bytes !== ref.bytes) throw damaged(ref.key, at.name, lengthOf(ref.bytes ?? 0, measure.bytes));
  if (measure.sha256() !== ref.sha256) throw damaged(ref.key, at.name, 'its hash is not that of what was stored');
}

function lengthOf(stored: number, found: number): string {
  return `it has ${found} bytes, and ${stored} were stored`;
}
