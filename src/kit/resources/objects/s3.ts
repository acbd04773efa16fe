/** Objects in an S3 bucket, or in compatible storage (MinIO, Google Cloud Storage, R2), by the packages `@aws-sdk/…`. */
import type { Readable } from 'node:stream';
import { importOptional, mayBeMissing } from '../../../base/packages.ts';
import { checkKey, defaultExpiresMs, notFound, type ObjectBody, type ObjectFacts, type ObjectStore } from './contract.ts';
import { readableOf } from './folder.ts';

export interface S3Place {
  readonly bucket: string;
  /** Of all keys, ending in `/`; or empty. */
  readonly prefix: string;
  readonly region: string | undefined;
  /** For storage other than Amazon's. */
  readonly endpoint: string | undefined;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}

/** Bytes per part of a body of unknown size, held in memory. S3 takes 10,000 parts. */
const partBytes = 8 * 1024 * 1024;

/** @throws BatutaError PACKAGE_MISSING */
export async function openS3(place: S3Place, wantedBy: string): Promise<{ readonly store: ObjectStore; close(): void }> {
  const sdk = await importOptional('@aws-sdk/client-s3', wantedBy, () => import('@aws-sdk/client-s3').catch(mayBeMissing));
  const { bucket: Bucket, prefix, region, endpoint, credentials } = place;
  const client = new sdk.S3Client({
    region: region ?? 'us-east-1',
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(credentials === undefined ? {} : { credentials }),
    // Other storages lack the newer checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  const where = `s3://${Bucket}/${prefix}`;
  const at = (key: string) => ({ Bucket, Key: prefix + checkKey(key) });
  const read = async (key: string) => {
    try {
      const { Body } = await client.send(new sdk.GetObjectCommand(at(key)));
      return Body as unknown as Readable & { transformToByteArray(): Promise<Uint8Array> };
    } catch (error) {
      throw isMissing(error) ? notFound(key, where, error) : error;
    }
  };
  const store: ObjectStore = {
    async put(key, body, { contentType } = {}) {
      const target = { ...at(key), ...(contentType === undefined ? {} : { ContentType: contentType }) };
      const parts = partsOf(body)[Symbol.asyncIterator]();
      const first = await parts.next();
      const second = await parts.next();
      if (second.done)
        return void (await client.send(new sdk.PutObjectCommand({ ...target, Body: first.done ? Buffer.alloc(0) : first.value })));
      const { UploadId } = await client.send(new sdk.CreateMultipartUploadCommand(target));
      try {
        const done: { ETag: string | undefined; PartNumber: number }[] = [];
        const upload = async (Body: Buffer): Promise<void> => {
          const PartNumber = done.length + 1;
          const { ETag } = await client.send(new sdk.UploadPartCommand({ ...at(key), UploadId, PartNumber, Body }));
          done.push({ ETag, PartNumber });
        };
        await upload(first.value as Buffer);
        await upload(second.value);
        for await (const part of { [Symbol.asyncIterator]: () => parts }) await upload(part);
        await client.send(new sdk.CompleteMultipartUploadCommand({ ...at(key), UploadId, MultipartUpload: { Parts: done } }));
      } catch (error) {
        await client.send(new sdk.AbortMultipartUploadCommand({ ...at(key), UploadId })).catch(() => undefined);
        throw error;
      }
    },
    get: async (key) => Buffer.from(await (await read(key)).transformToByteArray()),
    stream: read,
    async head(key) {
      try {
        const { ContentLength, LastModified } = await client.send(new sdk.HeadObjectCommand(at(key)));
        return factsOf(key, ContentLength, LastModified);
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    },
    async *list(below = '') {
      for (let token: string | undefined, isMore = true; isMore; ) {
        const page = await client.send(
          new sdk.ListObjectsV2Command({ Bucket, Prefix: prefix + below, ...(token === undefined ? {} : { ContinuationToken: token }) }),
        );
        for (const { Key = '', Size, LastModified } of page.Contents ?? []) yield factsOf(Key.slice(prefix.length), Size, LastModified);
        token = page.NextContinuationToken;
        isMore = page.IsTruncated === true && token !== undefined;
      }
    },
    async delete(key) {
      await client.send(new sdk.DeleteObjectCommand(at(key)));
    },
    async signedUrl(key, { method = 'get', expiresMs = defaultExpiresMs } = {}) {
      const name = '@aws-sdk/s3-request-presigner';
      const { getSignedUrl } = await importOptional(name, wantedBy, () => import('@aws-sdk/s3-request-presigner').catch(mayBeMissing));
      const command = method === 'get' ? new sdk.GetObjectCommand(at(key)) : new sdk.PutObjectCommand(at(key));
      return await getSignedUrl(client, command, { expiresIn: Math.ceil(expiresMs / 1000) });
    },
  };
  return { store, close: () => client.destroy() };
}

/** The body in equal parts, the last with the rest; a body in memory is one part. */
async function* partsOf(body: ObjectBody): AsyncGenerator<Buffer> {
  if (typeof body === 'string' || body instanceof Uint8Array) return yield Buffer.from(body);
  let held: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of readableOf(body)) {
    const piece = Buffer.from(chunk as Uint8Array | string);
    held.push(piece);
    bytes += piece.length;
    if (bytes < partBytes) continue;
    yield Buffer.concat(held);
    held = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(held);
}

function factsOf(key: string, bytes: number | undefined, modifiedAt: Date | undefined): ObjectFacts {
  return { key, bytes: bytes ?? 0, modifiedAt: modifiedAt ?? new Date(0) };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && (error.name === 'NoSuchKey' || error.name === 'NotFound');
}
