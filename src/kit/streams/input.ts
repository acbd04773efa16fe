/** What sources read from: a file, a web stream, a response body, pieces of bytes or text. */
import { Buffer } from 'node:buffer';
import { TextDecoder } from 'node:util';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { BatutaError, isBatutaError } from '../../base/errors.ts';
import { filePieces } from '../../base/file-pieces.ts';
import { currentScope } from '../../model/run-context.ts';
import { decodePiece, textBefore } from './decode.ts';
import { countedError } from './read-counts.ts';

/** An answer of `fetch`. */
export interface ResponseSource {
  readonly body: ReadableStream<Uint8Array> | null;
  readonly url?: string;
  readonly ok?: boolean;
  readonly status?: number;
}

/** Text or bytes: the path of a file, its `file:` URL, bytes, a `fetch` response, a Node or web stream, pieces one by one. */
export type Source =
  | string
  | URL
  | ResponseSource
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
  const isObject = typeof source === 'object' && source !== null;
  if (!isObject || !('body' in source || Symbol.asyncIterator in source || Symbol.iterator in source))
    throw new BatutaError(
      'OPTION_INVALID',
      `A source is a path, bytes, a response, a stream or a list of pieces, not ${isObject ? 'another object' : String(source)}.`,
    );
  if ('body' in source) {
    const shown = name ?? (source.url || 'the response');
    return { name: shown, pieces: () => responsePieces(source, shown) };
  }
  const shown = name ?? 'the stream';
  const isStream = source instanceof ReadableStream || source instanceof Readable;
  return { name: shown, pieces: () => (isStream ? whole(piecesOf(source), shown) : piecesOf(source)) };
}

async function* responsePieces({ body, ok, status }: ResponseSource, name: string): AsyncGenerator<Uint8Array | string, void, void> {
  if (ok === false) {
    // Its body is not what was asked for.
    await body?.cancel();
    throw recordInvalid(name, {}, `has the status ${status}, not a success`);
  }
  yield* whole(piecesOf(body ?? []), name);
}

/** Names the source in its errors, which connections and decompressors do not. Those of Batuta, of files and of a signal stay as they are. */
async function* whole(pieces: AsyncIterable<Uint8Array | string>, name: string): AsyncGenerator<Uint8Array | string, void, void> {
  try {
    yield* pieces;
  } catch (cause) {
    if (isBatutaError(cause) || !(cause instanceof Error) || 'path' in cause || cause.name === 'AbortError') throw cause;
    const why = cause.cause instanceof Error ? `${cause.message}: ${cause.cause.message}` : cause.message;
    throw recordInvalid(name, {}, `breaks off: ${why}`, cause);
  }
}

async function* piecesOf(
  source: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>,
): AsyncGenerator<Uint8Array | string, void, void> {
  yield* source as AsyncIterable<Uint8Array | string>;
}

/**
 * The text of a source in pieces, without its byte order mark. All text before invalid bytes is yielded before the error.
 *
 * @param lineAt number of the line after all text yielded so far, for the error
 * @throws BatutaError RECORD_INVALID for bytes invalid in its encoding
 */
export async function* textOf(source: OpenSource, encoding?: string, lineAt?: () => number): AsyncGenerator<string, void, void> {
  let decoder: TextDecoder | null = null;
  let isFirst = true;
  let bytes = 0;
  /** A first byte that arrived alone: the encoding takes two. */
  let start: Uint8Array | null = null;
  let before: Uint8Array = new Uint8Array();
  async function* decodedText(piece: Uint8Array | null): AsyncGenerator<string, void, void> {
    decoder ??= decoderOf(encoding ?? (piece === null || piece.length < 2 ? 'utf-8' : encodingOf(source.name, piece)));
    const { text, fault } = decodePiece(decoder, piece, bytes, before);
    if (text !== '') yield text;
    if (fault === null) return;
    const place = { ...(lineAt === undefined ? {} : { line: lineAt() }), bytes: fault.bytes };
    throw countedError(
      recordInvalid(source.name, place, `is not ${decoder.encoding} ${fault.where}; give the option encoding`, fault.cause),
    );
  }
  for await (let piece of source.pieces()) {
    if (typeof piece === 'string') {
      yield isFirst && piece.startsWith('\uFEFF') ? piece.slice(1) : piece;
      isFirst = false;
      continue;
    }
    if (!(piece instanceof Uint8Array))
      throw recordInvalid(
        source.name,
        { bytes },
        `gives ${piece === null ? 'null' : `a piece of type ${typeof piece}`}, not text or bytes`,
      );
    if (decoder === null && start !== null) piece = Buffer.concat([start, piece]);
    start = null;
    if (decoder === null && piece.length < 2) {
      start = piece;
      continue;
    }
    yield* decodedText(piece);
    bytes += piece.length;
    before = textBefore(before, piece);
    isFirst = false;
  }
  if (start !== null) yield* decodedText(start);
  if (decoder !== null) yield* decodedText(null);
}

/** @throws BatutaError OPTION_INVALID */
function decoderOf(encoding: string): TextDecoder {
  try {
    return new TextDecoder(encoding, { fatal: true });
  } catch (cause) {
    throw new BatutaError(
      'OPTION_INVALID',
      `The encoding '${encoding}' is none that TextDecoder knows, such as utf-16le or windows-1252.`,
      {
        cause,
      },
    );
  }
}

/** Files that are no text, by their first bytes, and what to do with them. */
const signatures: readonly (readonly [readonly number[], string])[] = [
  [[0xff, 0xfe, 0x00, 0x00], 'is UTF-32, which cannot be read; save it as UTF-8'],
  [[0x00, 0x00, 0xfe, 0xff], 'is UTF-32, which cannot be read; save it as UTF-8'],
  [[0x1f, 0x8b], 'is compressed with gzip; decompress it first, with createGunzip of node:zlib'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'is compressed with Zstandard; decompress it first'],
  [[0x50, 0x4b, 0x03, 0x04], 'is a ZIP archive (such as an Excel workbook), not text; unpack or export it first'],
  [[0x50, 0x41, 0x52, 0x31], 'is a Parquet file, not text; read it with parquet()'],
];

/** By the first bytes. @throws BatutaError RECORD_INVALID */
function encodingOf(name: string, piece: Uint8Array): string {
  const [first, second] = piece;
  const refuse = (why: string): BatutaError => countedError(recordInvalid(name, { bytes: 0 }, why));
  const known = signatures.find(([bytes]) => bytes.every((byte, at) => piece[at] === byte));
  if (known !== undefined) throw refuse(known[1]);
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  // It would be read as UTF-8 with a zero next to letters.
  if (second !== undefined && (first === 0) !== (second === 0)) {
    const seen = second === 0 ? 'utf-16le' : 'utf-16be';
    throw refuse(`looks like ${seen} and has no byte order mark; give the option encoding`);
  }
  return 'utf-8';
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
