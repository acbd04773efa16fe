/** Text as pieces of bytes and back, so that only one piece exists besides it. */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { Pieces } from './place.ts';

/** Characters of a piece; its bytes are up to three times as many. */
const pieceChars = 512 * 1024;

/** A text as UTF-8. */
export function* piecesOf(text: string): Iterable<Uint8Array> {
  for (let start = 0; start < text.length; ) {
    let end = Math.min(text.length, start + pieceChars);
    // Splitting a surrogate pair would leave two invalid characters.
    if (end < text.length && isHighHalf(text.charCodeAt(end - 1))) end -= 1;
    yield Buffer.from(text.slice(start, end), 'utf8');
    start = end;
  }
}

function isHighHalf(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

/** Counts and hashes passing bytes. */
export class Measure {
  readonly #hash = createHash('sha256');
  bytes = 0;

  *through(pieces: Iterable<Uint8Array>): Iterable<Uint8Array> {
    for (const piece of pieces) {
      this.add(piece);
      yield piece;
    }
  }

  async *along(pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const piece of pieces) {
      this.add(piece);
      yield piece;
    }
  }

  add(piece: Uint8Array): void {
    this.bytes += piece.byteLength;
    this.#hash.update(piece);
  }

  /** Of all that passed; to be called once. 64 hexadecimal digits. */
  sha256(): string {
    return this.#hash.digest('hex');
  }
}

/** The same bytes in pieces of less than twice `bytes` each, and, except the last, of at least `bytes`. */
export async function* gathered(pieces: Pieces, bytes: number): AsyncIterable<Buffer> {
  let waiting: Uint8Array[] = [];
  let length = 0;
  for await (const piece of pieces) {
    let rest = piece;
    for (; length + rest.byteLength >= 2 * bytes; length = 0) {
      const end = bytes - length;
      yield Buffer.concat([...waiting, rest.subarray(0, end)]);
      waiting = [];
      rest = rest.subarray(end);
    }
    waiting.push(rest);
    length += rest.byteLength;
    if (length < bytes) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(waiting);
}

/** Of a part that is being filled, bytes at first; small results need no more. */
const firstRoom = 256 * 1024;

/**
 * The same bytes in parts of exactly `bytes` each, except the last, which has at least one. A part is only good until the one after the next is
 * asked for: its memory is used again.
 */
export async function* partsOf(pieces: Pieces, bytes: number): AsyncIterable<Buffer> {
  let [filling, filled]: [Buffer, Buffer] = [Buffer.alloc(0), Buffer.alloc(0)];
  let length = 0;
  for await (const piece of pieces)
    for (let rest = piece; rest.byteLength > 0; ) {
      const some = rest.subarray(0, bytes - length);
      filling = withRoom(filling, length + some.byteLength, bytes);
      filling.set(some, length);
      length += some.byteLength;
      rest = rest.subarray(some.byteLength);
      if (length < bytes) continue;
      yield filling;
      [filling, filled, length] = [filled, filling, 0];
    }
  if (length > 0) yield filling.subarray(0, length);
}

/** The buffer, or a larger one that begins with its bytes. */
function withRoom(buffer: Buffer, needed: number, most: number): Buffer {
  if (buffer.length >= needed) return buffer;
  const larger = Buffer.allocUnsafeSlow(Math.min(most, Math.max(needed, 2 * buffer.length, firstRoom)));
  larger.set(buffer);
  return larger;
}
