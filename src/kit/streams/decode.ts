/** Bytes to text, piece by piece. Invalid bytes are located exactly, and the text before them is kept, which `TextDecoder` alone drops. */
import { Buffer } from 'node:buffer';
import { TextDecoder } from 'node:util';

export interface Decoded {
  /** Up to the fault. */
  readonly text: string;
  readonly fault: { readonly bytes: number; readonly where: string; readonly cause: unknown } | null;
}

/** Most bytes of a character that a piece may leave incomplete: of four, in UTF-8, UTF-16 and GB 18030. */
const mostOpen = 3;

/** Enough bytes to tell where characters begin. */
const enoughBefore = 64;

/** What was decoded last, for `decodePiece`: the piece, with more before it if it is short. */
export function textBefore(before: Uint8Array, piece: Uint8Array): Uint8Array {
  return piece.length >= enoughBefore ? piece : Buffer.concat([before.subarray(-enoughBefore), piece]);
}

/**
 * Decodes the next piece.
 *
 * @param decoder a fatal one, which has decoded all pieces before this
 * @param piece null at the end
 * @param from bytes before the piece
 * @param before the bytes decoded last, of `textBefore`: may begin a character
 */
export function decodePiece(decoder: TextDecoder, piece: Uint8Array | null, from: number, before: Uint8Array): Decoded {
  try {
    return { text: piece === null ? decoder.decode() : decoder.decode(piece, { stream: true }), fault: null };
  } catch (cause) {
    if (piece === null) return { text: '', fault: { bytes: from, where: `at its end, byte ${from}`, cause } };
    // A byte order mark is one only at the beginning.
    const text = new FaultyText(decoder.encoding, from > 0);
    const open = before.subarray(before.length - text.openBytes(before, from));
    const whole = Buffer.concat([open, piece]);
    const good = text.goodBytes(whole);
    const at = from - open.length + good;
    return { text: text.decode(whole.subarray(0, good)) ?? '', fault: { bytes: at, where: `at byte ${at}`, cause } };
  }
}

/** Looks for the fault in text of one encoding by decoding parts of it. */
class FaultyText {
  readonly #encoding: string;
  readonly #ignoreBOM: boolean;

  constructor(encoding: string, ignoreBOM: boolean) {
    [this.#encoding, this.#ignoreBOM] = [encoding, ignoreBOM];
  }

  /** Null for bytes that are not whole valid characters; with `stream`, the last may be incomplete. */
  decode(bytes: Uint8Array, stream = false): string | null {
    try {
      return new TextDecoder(this.#encoding, { fatal: true, ignoreBOM: this.#ignoreBOM }).decode(bytes, { stream });
    } catch {
      return null;
    }
  }

  /**
   * How many bytes at the end begin an incomplete character. The bytes themselves may begin inside one.
   *
   * @param end bytes of the text up to their end
   */
  openBytes(bytes: Uint8Array, end: number): number {
    const unit = this.#encoding.startsWith('utf-16') ? 2 : 1;
    for (let start = (end - bytes.length) % unit; start <= mostOpen; start += unit) {
      const open = this.#openAfter(bytes.subarray(start));
      if (open !== null) return open;
    }
    return 0;
  }

  /** How many bytes come before the first invalid character. They begin with a character. */
  goodBytes(bytes: Uint8Array): number {
    let [good, bad] = [0, bytes.length];
    while (bad - good > 1) {
      const middle = Math.floor((good + bad) / 2);
      if (this.decode(bytes.subarray(0, middle), true) === null) bad = middle;
      else good = middle;
    }
    return good - (this.#openAfter(bytes.subarray(0, good)) ?? 0);
  }

  /** The same, for bytes that begin with a character; null if they are invalid. */
  #openAfter(bytes: Uint8Array): number | null {
    for (let open = 0; open <= Math.min(mostOpen, bytes.length); open++) {
      if (this.decode(bytes.subarray(0, bytes.length - open)) !== null) return open;
    }
    return null;
  }
}
