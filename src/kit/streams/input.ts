/** What sources read from: a file, a web stream, a response body, pieces of bytes or text. */
import { Buffer } from 'node:buffer';
import { TextDecoder } from 'node:util';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { BatutaError } from '../../base/errors.ts';
import { filePieces } from '../../base/file-pieces.ts';
import { currentScope } from '../../model/run-context.ts';
import { countedError } from './read-counts.ts';

/** Text or bytes: the path of a file, its `file:` URL, bytes, a `fetch` response, a Node or web stream, pieces one by one. */
export type Source =
  | string
  | URL
  | { readonly body: ReadableStream<Uint8Array> | null; readonly url?: string }
  | Uint8Array
  | ReadableStream<Uint8Array>
  | Readable
  | AsyncIterable<Uint8Array | string>
  | Iterable<Uint8Array | string>;

export interface TextOptions {
  /** An encoding that `TextDecoder` knows. Default: UTF-8, or UTF-16 by its byte order mark. Invalid text is refused. */
  readonly encoding?: string | undefined;
  /** Name of the source in messages. Default: its path or address. */
  readonly name?: string | undefined;
}

/** An open source: its name, and its pieces. */
export interface OpenSource {
  readonly name: string;
  pieces(): AsyncIterable<Uint8Array | string>;
}

export function openSource(source: Source, name?: string): OpenSource {
  if (typeof source === 'string' || source instanceof URL) {
    const path = source instanceof URL ? fileURLToPath(source) : source;
    return { name: name ?? path, pieces: () => filePieces(path) };
  }
  if (source instanceof Uint8Array) return { name: name ?? 'the bytes', pieces: () => piecesOf([source]) };
  if ('body' in source) {
    const { body } = source;
    return { name: name ?? (source.url || 'the response'), pieces: () => piecesOf(body ?? []) };
  }
  return { name: name ?? 'the stream', pieces: () => piecesOf(source) };
}

async function* piecesOf(
  source: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>,
): AsyncGenerator<Uint8Array | string, void, void> {
  yield* source as AsyncIterable<Uint8Array | string>;
}

/** The text of a source in pieces, without its byte order mark. @throws BatutaError RECORD_INVALID for bytes invalid in its encoding */
export async function* textOf(source: OpenSource, encoding?: string): AsyncGenerator<string, void, void> {
  let decoder: TextDecoder | null = null;
  let isFirst = true;
  let bytes = 0;
  /** A first byte that arrived alone: the encoding takes two. */
  let start: Uint8Array | null = null;
  let before: Uint8Array = new Uint8Array();
  for await (let piece of source.pieces()) {
    if (typeof piece === 'string') {
      yield isFirst && piece.startsWith('\uFEFF') ? piece.slice(1) : piece;
      isFirst = false;
      continue;
    }
    if (decoder === null && start !== null) piece = Buffer.concat([start, piece]);
    start = null;
    if (decoder === null && piece.length < 2) {
      start = piece;
      continue;
    }
    decoder ??= new TextDecoder(encoding ?? encodingOf(source.name, piece), { fatal: true });
    yield decode(decoder, piece, source.name, bytes, before);
    bytes += piece.length;
    before = piece;
    isFirst = false;
  }
  if (start !== null) {
    decoder = new TextDecoder(encoding ?? 'utf-8', { fatal: true });
    yield decode(decoder, start, source.name, bytes);
  }
  if (decoder) yield decode(decoder, null, source.name, bytes);
}

/** By the first bytes. */
function encodingOf(name: string, [first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  // It would be read as UTF-8 with a zero next to letters.
  if (second !== undefined && (first === 0) !== (second === 0)) {
    const seen = second === 0 ? 'utf-16le' : 'utf-16be';
    throw countedError(recordInvalid(name, { bytes: 0 }, `looks like ${seen} and has no byte order mark; give the option encoding`));
  }
  return 'utf-8';
}

/** @param before the last decoded piece: may begin a character */
function decode(decoder: TextDecoder, piece: Uint8Array | null, name: string, from: number, before?: Uint8Array): string {
  try {
    return piece === null ? decoder.decode() : decoder.decode(piece, { stream: true });
  } catch (cause) {
    const refuse = (bytes: number, where: string): BatutaError =>
      countedError(recordInvalid(name, { bytes }, `is not ${decoder.encoding} ${where}; give the option encoding`, cause));
    if (piece === null) throw refuse(from, `at its end, byte ${from}`);
    if (decoder.encoding !== 'utf-8') throw refuse(from, `between bytes ${from} and ${from + piece.length}`);
    const bytes = from + firstBadByte(piece, openCharacter(before));
    throw refuse(bytes, `at byte ${bytes}`);
  }
}

/** The bytes at the end of a piece that begin an incomplete UTF-8 character; at most three. */
function openCharacter(piece: Uint8Array = new Uint8Array()): Uint8Array {
  for (let count = 1; count <= Math.min(3, piece.length); count++) {
    const byte = piece[piece.length - count] ?? 0;
    if (byte < 0x80) break;
    if (byte >= 0xc0) return piece.subarray(piece.length - (count < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? count : 0));
  }
  return new Uint8Array();
}

/**
 * Index in a piece of the first character that is not UTF-8; negative if it began in the previous piece.
 *
 * @param open bytes of a character that the piece continues
 */
function firstBadByte(piece: Uint8Array, open: Uint8Array): number {
  const whole = Buffer.concat([open, piece]);
  const isText = (length: number): boolean => {
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(whole.subarray(0, length), { stream: true });
      return true;
    } catch {
      return false;
    }
  };
  let [good, bad] = [0, whole.length];
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (isText(middle)) good = middle;
    else bad = middle;
  }
  return good - openCharacter(whole.subarray(0, good)).length - open.length;
}

/** Place of a fault in a source. */
export interface RecordPlace {
  readonly line?: number;
  readonly record?: number;
  readonly bytes?: number;
}

/** RECORD_INVALID: the content of a source is unreadable. Names the source, the place and the task. */
export function recordInvalid(name: string, place: RecordPlace, what: string, cause?: unknown): BatutaError {
  const task = currentScope()?.task ?? null;
  const { line, record } = place;
  const at = line === undefined ? (record === undefined ? '' : `, record ${record}`) : `:${line}`;
  return new BatutaError('RECORD_INVALID', `${name}${at}${task === null ? '' : ` (task ${task})`} ${what}.`, {
    ...(cause === undefined ? {} : { cause }),
    details: { source: name, task, ...place },
  });
}
