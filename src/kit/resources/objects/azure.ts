/** Objects in an Azure Blob Storage container, by the package `@azure/storage-blob`. */
import type { Readable } from 'node:stream';
import { systemClock } from '../../../base/clock.ts';
import { importOptional, mayBeMissing } from '../../../base/packages.ts';
import { checkKey, defaultExpiresMs, notFound, type ObjectStore } from './contract.ts';
import { readableOf } from './folder.ts';

export interface AzurePlace {
  readonly container: string;
  /** Of all keys, ending in `/`; or empty. */
  readonly prefix: string;
  readonly connectionString: string;
}

/** @throws BatutaError PACKAGE_MISSING */
export async function openAzure({ container, prefix, connectionString }: AzurePlace, wantedBy: string): Promise<ObjectStore> {
  const sdk = await importOptional('@azure/storage-blob', wantedBy, () => import('@azure/storage-blob').catch(mayBeMissing));
  const client = sdk.BlobServiceClient.fromConnectionString(connectionString).getContainerClient(container);
  const where = `azure://${container}/${prefix}`;
  const blobOf = (key: string) => client.getBlockBlobClient(prefix + checkKey(key));
  const find = async <T>(key: string, read: () => Promise<T>): Promise<T> => {
    try {
      return await read();
    } catch (error) {
      throw isMissing(error) ? notFound(key, where, error) : error;
    }
  };
  return {
    async put(key, body, { contentType } = {}) {
      const options = contentType === undefined ? {} : { blobHTTPHeaders: { blobContentType: contentType } };
      if (typeof body === 'string' || body instanceof Uint8Array) {
        const bytes = Buffer.from(body);
        await blobOf(key).upload(bytes, bytes.length, options);
      } else await blobOf(key).uploadStream(readableOf(body), undefined, undefined, options);
    },
    get: (key) => find(key, () => blobOf(key).downloadToBuffer()),
    stream: (key) => find(key, async () => (await blobOf(key).download()).readableStreamBody as Readable),
    async head(key) {
      try {
        const { contentLength = 0, lastModified = new Date(0) } = await blobOf(key).getProperties();
        return { key, bytes: contentLength, modifiedAt: lastModified };
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    },
    async *list(below = '') {
      for await (const { name, properties } of client.listBlobsFlat({ prefix: prefix + below }))
        yield { key: name.slice(prefix.length), bytes: properties.contentLength ?? 0, modifiedAt: properties.lastModified };
    },
    async delete(key) {
      await blobOf(key).deleteIfExists();
    },
    async signedUrl(key, { method = 'get', expiresMs = defaultExpiresMs } = {}) {
      const permissions = sdk.BlobSASPermissions.parse(method === 'get' ? 'r' : 'cw');
      return await blobOf(key).generateSasUrl({ permissions, expiresOn: new Date(systemClock.now() + expiresMs) });
    },
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'statusCode' in error && error.statusCode === 404;
}
