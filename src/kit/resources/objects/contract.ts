/** One interface over what stores objects by key: a folder, S3 and what speaks its protocol, Azure Blob. */
import type { Readable } from 'node:stream';
import { cutText } from '../../../base/cut-text.ts';
import { BatutaError } from '../../../base/errors.ts';

/** What is known of an object without reading it. */
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
  /** Media type, for those who read it by URL. Default none. */
  readonly contentType?: string | undefined;
}

/** Options of `signedUrl`. */
export interface SignedUrlOptions {
  /** What may be done with it. Default `get`. */
  readonly method?: 'get' | 'put' | undefined;
  /** How long it holds, ms. Default 15 minutes. */
  readonly expiresMs?: number | undefined;
}

/** Objects by key. A key is 1 to 900 characters without `.` or `..` as a part, and does not begin with `/`. */
export interface ObjectStore {
  /** Stores it whole, in place of what the key had: nobody sees half of it. @throws BatutaError OPTION_INVALID for a key that is none */
  put(key: string, body: ObjectBody, options?: PutOptions): Promise<void>;
  /** The bytes. @throws BatutaError OBJECT_NOT_FOUND */
  get(key: string): Promise<Buffer>;
  /** The bytes as they come. @throws BatutaError OBJECT_NOT_FOUND */
  stream(key: string): Promise<Readable>;
  /** Size and time; null where there is no such object. */
  head(key: string): Promise<ObjectFacts | null>;
  /** All whose key begins with the prefix, in the order of their keys, page by page. Default all. */
  list(prefix?: string): AsyncIterable<ObjectFacts>;
  /** Removes it; nothing where there is none. */
  delete(key: string): Promise<void>;
  /** A URL by which anyone may read or write it for a while. @throws BatutaError OPTION_INVALID where the storage has none (a folder) */
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

/** @param place where it was looked for */
export function notFound(key: string, place: string, cause?: unknown): BatutaError {
  return new BatutaError('OBJECT_NOT_FOUND', `There is no object '${key}' in ${place}.`, {
    details: { key, place },
    ...(cause === undefined ? {} : { cause }),
  });
}
