/**
 * The form of values on the way to and from threads and processes: the text of `encodeValue`, with bytes alongside, moved if nobody else
 * has them, otherwise copied by the channel.
 */
import { Buffer } from 'node:buffer';
import { isGiven, isOwn, noteGiven, refuseGone } from './move.ts';
import { bytesApart, decodeApart, encodeApart } from './values.ts';
import { typedArrays } from './unstorable.ts';

/** A value in transit. */
export interface Packed {
  /** Null for `undefined`. */
  readonly text: string | null;
  /** For the gaps in the text, in order. */
  readonly bytes: readonly ArrayBuffer[];
  /** Places of those that user code gave away. */
  readonly given: readonly number[];
}

/** The message, and the buffers that leave this thread with it. */
export interface Packing {
  readonly packed: Packed;
  readonly moved: readonly ArrayBuffer[];
}

/** Where bytes are: index of the buffer, then offset and length in bytes. */
type Place = readonly [buffer: number, offset: number, length: number];
type View = ArrayBufferView & { readonly BYTES_PER_ELEMENT?: number };

/** The buffers of the value being packed or unpacked; neither is interrupted. */
let writing: Writing | null = null;
let reading: readonly ArrayBuffer[] = [];

class Writing {
  readonly bytes: ArrayBuffer[] = [];
  readonly moved: ArrayBuffer[] = [];
  readonly given: number[] = [];
  readonly #places = new Map<ArrayBufferLike, number>();
  readonly #what: string;
  /** Whether nobody else has the value. */
  readonly #isOwn: boolean;

  constructor(what: string, isOwn: boolean) {
    this.#what = what;
    this.#isOwn = isOwn;
  }

  put(buffer: ArrayBufferLike, offset: number, length: number): Place {
    refuseGone(buffer, this.#what);
    const known = this.#places.get(buffer);
    if (known !== undefined) return [known, offset, length];
    const isWhole = offset === 0 && length === buffer.byteLength;
    const goes = buffer instanceof ArrayBuffer && (isGiven(buffer) || (this.#isOwn && isWhole));
    if (goes) this.moved.push(buffer);
    if (buffer instanceof ArrayBuffer && (goes || isWhole)) {
      const place = this.bytes.push(buffer) - 1;
      this.#places.set(buffer, place);
      if (isGiven(buffer)) this.given.push(place);
      return [place, offset, length];
    }
    // Part of a larger buffer is cut out: the channel would copy all of it.
    const part = new Uint8Array(new Uint8Array(buffer, offset, length)).buffer;
    this.moved.push(part);
    return [this.bytes.push(part) - 1, 0, length];
  }
}

const put = (view: View): Place | null => writing?.put(view.buffer, view.byteOffset, view.byteLength) ?? null;
const bufferAt = ([buffer]: Place): ArrayBuffer => reading[buffer] ?? new ArrayBuffer(0);

// A Buffer is a Uint8Array too, so it comes first.
bytesApart<Buffer, Place>(
  'Buffer',
  (value) => Buffer.isBuffer(value),
  put,
  (place) => Buffer.from(bufferAt(place), place[1], place[2]),
);
for (const maker of typedArrays) {
  bytesApart<View, Place>(
    maker.name,
    (value) => value instanceof maker && value.constructor === maker,
    put,
    (place) => new maker(bufferAt(place), place[1], place[2] / maker.BYTES_PER_ELEMENT),
  );
}
bytesApart<ArrayBuffer, Place>(
  'ArrayBuffer',
  (value) => value instanceof ArrayBuffer,
  (value) => writing?.put(value, 0, value.byteLength) ?? null,
  bufferAt,
);
bytesApart<DataView, Place>(
  'DataView',
  (value) => value instanceof DataView,
  put,
  (place) => new DataView(bufferAt(place), place[1], place[2]),
);

/**
 * Packs a value.
 *
 * @param what names the value in errors, e.g. `arguments of task join`
 * @param isOurs whether nobody else has it; default: as noted
 * @throws BatutaError RESULT_NOT_SERIALIZABLE, BUFFER_MOVED
 */
export function packValue(value: unknown, what: string, isOurs = isOwn(value)): Packing {
  const current = new Writing(what, isOurs);
  writing = current;
  try {
    const text = encodeApart(value, what);
    return { packed: { text, bytes: current.bytes, given: current.given }, moved: current.moved };
  } finally {
    writing = null;
  }
}

/** Unpacks a value, once: its bytes are those of the packed one. */
export function unpackValue({ text, bytes, given }: Packed): unknown {
  reading = bytes;
  for (const place of given) {
    const buffer = bytes[place];
    if (buffer) noteGiven(buffer);
  }
  try {
    return decodeApart(text);
  } finally {
    reading = [];
  }
}
