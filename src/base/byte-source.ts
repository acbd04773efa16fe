/** Where the bytes of a file come from: bytes, a file on disk, or a stream. */
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import { BatutaError } from './errors.ts';
import { filePieces } from './file-pieces.ts';

export interface OpenedSource {
  /** As they arrive; read once. Bytes or texts, if the source is correct. */
  readonly pieces: AsyncIterable<unknown>;
  /** Of a disk file. */
  readonly fileName: string | null;
}

/** Reads nothing yet. @throws BatutaError ARTIFACT_INVALID if it is no source */
export function openSource(source: unknown, name: string): OpenedSource {
  const path = pathOf(source);
  if (path !== null) return { pieces: fileAt(path, name), fileName: basename(path) };
  if (source instanceof Uint8Array) return { pieces: one(source), fileName: null };
  if (types.isAnyArrayBuffer(source)) return { pieces: one(new Uint8Array(source)), fileName: null };
  if (source instanceof Blob) return { pieces: source.stream(), fileName: 'name' in source ? String(source.name) : null };
  if (typeof source === 'object' && source !== null && Symbol.asyncIterator in source)
    return { pieces: source as AsyncIterable<unknown>, fileName: null };
  throw new BatutaError(
    'ARTIFACT_INVALID',
    `The artifact '${name}' is given ${shownSource(source)}: give it bytes, { path }, or a stream of bytes${hintFor(source)}.`,
    { details: { artifact: name } },
  );
}

function shownSource(source: unknown): string {
  if (source === null || source === undefined) return String(source);
  if (source instanceof URL) return `the address ${source.href}`;
  return typeof source === 'object' ? 'an object' : `a ${typeof source}`;
}

function hintFor(source: unknown): string {
  if (typeof source === 'string') return '; for a text Buffer.from(text)';
  return source instanceof URL ? ', such as the body of a response of fetch' : '';
}

/** The same bytes in a buffer of their own: a view sent to another thread takes its whole buffer along. Copied if part of a larger one. */
export function cutOut(bytes: Uint8Array): Uint8Array {
  const { buffer, byteLength } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? bytes : new Uint8Array(bytes);
}

/** The path of a file, if given by path. */
export function pathOf(source: unknown): string | null {
  if (source instanceof URL) return source.protocol === 'file:' ? fileURLToPath(source) : null;
  if (typeof source !== 'object' || source === null || Symbol.asyncIterator in source) return null;
  const { path } = source as { readonly path?: unknown };
  return typeof path === 'string' && !(source instanceof Blob) ? path : null;
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* fileAt(path: string, name: string): AsyncGenerator<Uint8Array> {
  try {
    yield* filePieces(path);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : null;
    if (code === null || cause instanceof BatutaError) throw cause;
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : (cause as Error).message;
    throw new BatutaError('ARTIFACT_INVALID', `The file of artifact '${name}' cannot be read: ${why} (${path}).`, {
      cause,
      details: { artifact: name, path },
    });
  }
}
