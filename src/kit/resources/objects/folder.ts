/** Objects in a folder: each a file, written next to its place and moved. */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BatutaError } from '../../../base/errors.ts';
import { makeId } from '../../../base/id.ts';
import { checkKey, notFound, type ObjectBody, type ObjectFacts, type ObjectStore } from './contract.ts';

/** Suffix of files being written. */
const half = '.batuta-half';

export function folderObjects(folder: string): ObjectStore {
  const pathOf = (key: string): string => join(folder, checkKey(key));
  const find = async <T>(key: string, read: (path: string) => Promise<T>): Promise<T> => {
    try {
      return await read(pathOf(key));
    } catch (error) {
      throw isMissing(error) ? notFound(key, folder, error) : error;
    }
  };
  return {
    async put(key, body) {
      const path = pathOf(key);
      await mkdir(dirname(path), { recursive: true });
      const beside = `${path}.${makeId()}${half}`;
      try {
        await pipeline(readableOf(body), createWriteStream(beside));
        await synced(beside);
        await rename(beside, path);
      } catch (error) {
        await rm(beside, { force: true });
        throw error;
      }
    },
    get: (key) => find(key, (path) => readFile(path)),
    stream: (key) =>
      find(key, async (path) => {
        const file = await open(path);
        return createReadStream(path, { fd: file });
      }),
    async head(key) {
      try {
        return factsOf(key, await stat(pathOf(key)));
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    },
    async *list(prefix = '') {
      const keys = (await filesIn(folder)).map((path) => relative(folder, path).split(sep).join('/'));
      for (const key of keys.filter((one) => one.startsWith(prefix) && !one.endsWith(half)).sort(byBytes)) {
        const facts = await this.head(key);
        if (facts) yield facts;
      }
    },
    async delete(key) {
      await rm(pathOf(key), { force: true });
    },
    async signedUrl() {
      throw new BatutaError('OPTION_INVALID', `Objects in a folder (${folder}) have no URL; sign those of S3 or Azure.`);
    },
  };
}

/** A stream of what to store. */
export function readableOf(body: ObjectBody): Readable {
  if (body instanceof Readable) return body;
  // As one chunk: iteration would yield text by letters, and bytes by numbers.
  return typeof body === 'string' || body instanceof Uint8Array
    ? Readable.from([Buffer.from(body)])
    : Readable.from(body, { objectMode: false });
}

async function synced(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function factsOf(key: string, { size, mtime }: { readonly size: number; readonly mtime: Date }): ObjectFacts {
  return { key, bytes: size, modifiedAt: mtime };
}

/** The order of S3 lists. */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'EISDIR');
}
