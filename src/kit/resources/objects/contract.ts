/** One interface to stores of objects by key: a folder, S3 and compatible storage, Azure Blob. */
import type { Readable } from 'node:stream';
import { cutText } from '../../../base/cut-text.ts';
import { BatutaError } from '../../../base/errors.ts';

/** Metadata of an object. */
export interface ObjectFacts {
  /** Below the prefix, parts divided by `/`. */
  readonly key: string;
  readonly bytes: number;
  readonly modifiedAt: Date;
}

/** What can be stored. */
export type ObjectBody = string | Uint8Array | Readable | AsyncIterable<Uint8Array | string>;

/** Options of `put`. */
export interface PutOptions {
  /** Media type, for readers by URL. Default none. */
  readonly contentType?: string | undefined;
}

/** Options of `signedUrl`. */
export interface SignedUrlOptions {
  /** What it allows. Default `get`. */
  readonly method?: 'get' | 'put' | undefined;
  /** Time it is valid, ms. Default 15 minutes. */
  readonly expiresMs?: number | undefined;
}

/** Objects by key. A key is 1 to 900 characters without `.` or `..` as a part, and does not begin with `/`. */
export interface ObjectStore {
  /** Stores it whole, replacing the previous one: nobody sees half of it. @throws BatutaError OPTION_INVALID for an invalid key */
  put(key: string, body: ObjectBody, options?: PutOptions): Promise<void>;
  /** The bytes. @throws BatutaError OBJECT_NOT_FOUND */
  get(key: string): Promise<Buffer>;
  /** The bytes, streamed. @throws BatutaError OBJECT_NOT_FOUND */
  stream(key: string): Promise<Readable>;
  /** Size and time; null if there is no such object. */
  head(key: string): Promise<ObjectFacts | null>;
  /** All with the prefix, in key order, page by page. Default all. */
  list(prefix?: string): AsyncIterable<ObjectFacts>;
  /** Removes it, if there is one. */
  delete(key: string): Promise<void>;
  /** A URL with which anyone may read or write it for a while. @throws BatutaError OPTION_INVALID if the storage has none (a folder) */
  signedUrl(key: string, options?: SignedUrlOptions): Promise<string>;
}

export const defaultExpiresMs = 15 * 60 * 1000;
const maxKeyLength = 900;

/** @throws BatutaError OPTION_INVALID */
export function checkKey(key: unknown): string {
  const parts = typeof key === 'string' ? key.split('/') : [];
  const isFine = typeof key === 'string' && key !== '' && key.length <= maxKeyLength && !key.includes('\0') && !key.includes('\\');
  if (isFine && !parts.some((part) => part === '' || part === '.' || part === '..')) return key;
  throw new BatutaError(
    'OPTION_INVALID',
    `'${cutText(String(key), 100)}' is no key of an object: 1 to ${maxKeyLength} characters, parts divided by / and none of them empty, . or ..`,
  );
}

/** @param place where it was sought */
export function notFound(key: string, place: string, cause?: unknown): BatutaError {
  return new BatutaError('OBJECT_NOT_FOUND', `There is no object '${key}' in ${place}.`, {
    details: { key, place },
    ...(cause === undefined ? {} : { cause }),
  });
}
