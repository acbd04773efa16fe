/**
 * Large results in a bucket of S3, or of a compatible server.
 *
 * Credentials, region and endpoint come from where the AWS SDK looks for them: the usual variables, profiles, the role of the machine or
 * pod. What is larger than a piece is uploaded in parts; an upload that is never finished is aborted, and counts for nothing. The SDK is an
 * optional package, loaded on first use.
 */
import type { GetObjectCommandOutput, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { BatutaError } from '../../base/errors.ts';
import { importOptional, mayBeMissing } from '../../base/packages.ts';
import { s3Prefix } from '../../model/result-ref.ts';
import { partsOf } from './pieces.ts';
import { checkKey, isRunId, missing, type Pieces, type ResultPlace } from './place.ts';

export interface S3Options {
  readonly bucket: string;
  /** Prefix of keys, without slashes at its ends; empty for none. */
  readonly prefix: string;
  /** Whether a custom endpoint is used, which rarely has a host name for each bucket. */
  readonly hasEndpoint: boolean;
}

/** All parts but the last must have at least 5 MiB and, on some servers, the same length; there are at most 10,000. */
const partBytes = 16 * 1024 * 1024;
const connectTimeoutMs = 5_000;
const requestTimeoutMs = 60_000;
const attempts = 5;
/** How many runs are swept at the same time. */
const sweepsAtOnce = 8;

type Sdk = typeof import('@aws-sdk/client-s3');
interface Opened {
  readonly sdk: Sdk;
  readonly client: S3Client;
}

export function s3Place({ bucket, prefix, hasEndpoint }: S3Options): ResultPlace {
  const place = s3Prefix({ bucket, prefix });
  const name = place.slice(0, -1);
  const inBucket = (key: string): string => `${prefix === '' ? '' : `${prefix}/`}${key}`;
  const objectOf = (key: string) => ({ Bucket: bucket, Key: `${inBucket(checkKey(key))}.json` });
  let opening: Promise<Opened> | undefined;
  const open = (): Promise<Opened> => (opening ??= openClient(hasEndpoint));
  const ask = async <T>(work: (opened: Opened) => Promise<T>): Promise<T> => {
    try {
      return await work(await open());
    } catch (error) {
      throw placeError(error, name);
    }
  };
  const askFor = async <T>(key: string, work: (opened: Opened) => Promise<T>): Promise<T> => {
    try {
      return await work(await open());
    } catch (error) {
      throw isAbsent(error) ? missing(key, name, error) : placeError(error, name);
    }
  };
  return {
    prefix: place,
    name,
    write: (key, pieces) => ask((opened) => upload(opened, objectOf(key), pieces)),
    async read(key) {
      const object = objectOf(key);
      const answer = await askFor(key, ({ sdk, client }) => client.send(new sdk.GetObjectCommand(object)));
      return received(answer, name);
    },
    async size(key) {
      const object = objectOf(key);
      const { ContentLength: bytes = 0 } = await askFor(key, ({ sdk, client }) => client.send(new sdk.HeadObjectCommand(object)));
      return bytes;
    },
    async remove(key) {
      const object = objectOf(key);
      await ask(({ sdk, client }) => client.send(new sdk.DeleteObjectCommand(object)));
    },
    async sweep(runIds, keptOf) {
      const left = runIds.filter(isRunId);
      const sweepSome = async (): Promise<void> => {
        for (let runId = left.pop(); runId !== undefined; runId = left.pop()) await sweepRun(runId);
      };
      await Promise.all(Array.from({ length: sweepsAtOnce }, sweepSome));

      async function sweepRun(runId: string): Promise<void> {
        const start = inBucket('');
        for (let from: string | undefined; ; ) {
          const page = await ask(({ sdk, client }) =>
            client.send(new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: inBucket(`${runId}/`), ContinuationToken: from })),
          );
          const keys = (page.Contents ?? []).flatMap(({ Key: key = '' }) =>
            key.endsWith('.json') ? [key.slice(start.length, -'.json'.length)] : [],
          );
          const kept = new Set(keys.length === 0 ? [] : await keptOf(keys));
          for (const key of keys)
            if (!kept.has(key)) await ask(({ sdk, client }) => client.send(new sdk.DeleteObjectCommand(objectOf(key))));
          from = page.NextContinuationToken;
          if (from === undefined) return;
        }
      }
    },
    close() {
      opening?.then(
        ({ client }) => client.destroy(),
        () => undefined,
      );
      opening = undefined;
    },
  };
}

async function openClient(hasEndpoint: boolean): Promise<Opened> {
  const sdk = await importOptional('@aws-sdk/client-s3', 'Results in S3', () => import('@aws-sdk/client-s3').catch(mayBeMissing));
  const client = new sdk.S3Client({
    forcePathStyle: hasEndpoint,
    maxAttempts: attempts,
    requestHandler: { connectionTimeout: connectTimeoutMs, requestTimeout: requestTimeoutMs },
  });
  return { sdk, client };
}

/** One request if it is small, else part by part. */
async function upload({ sdk, client }: Opened, object: { readonly Bucket: string; readonly Key: string }, pieces: Pieces): Promise<void> {
  const type = { ContentType: 'application/json' };
  let uploadId: string | undefined;
  const parts: { PartNumber: number; ETag: string | undefined }[] = [];
  const send = async (body: Buffer): Promise<void> => {
    const number = parts.length + 1;
    const sent = await client.send(new sdk.UploadPartCommand({ ...object, UploadId: uploadId, PartNumber: number, Body: body }));
    parts.push({ PartNumber: number, ETag: sent.ETag });
  };
  let waiting: Buffer | null = null;
  try {
    for await (const body of partsOf(pieces, partBytes)) {
      if (waiting !== null) {
        uploadId ??= (await client.send(new sdk.CreateMultipartUploadCommand({ ...object, ...type }))).UploadId;
        // Its memory is used again for the part after `body`.
        await send(waiting);
      }
      waiting = body;
    }
    const last = waiting ?? Buffer.alloc(0);
    if (uploadId === undefined) {
      await client.send(new sdk.PutObjectCommand({ ...object, ...type, Body: last }));
      return;
    }
    await send(last);
    await client.send(new sdk.CompleteMultipartUploadCommand({ ...object, UploadId: uploadId, MultipartUpload: { Parts: parts } }));
  } catch (error) {
    if (uploadId !== undefined)
      await client.send(new sdk.AbortMultipartUploadCommand({ ...object, UploadId: uploadId })).catch(() => undefined);
    throw error;
  }
}

async function* received({ Body: body }: GetObjectCommandOutput, name: string): AsyncIterable<Uint8Array> {
  if (body === undefined) return;
  try {
    yield* body as unknown as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw placeError(error, name);
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && (error.name === 'NoSuchKey' || error.name === 'NotFound');
}

function placeError(error: unknown, name: string): unknown {
  if (error instanceof BatutaError) return error;
  const { name: kind = 'Error', message = String(error), $metadata } = error as Partial<S3ServiceException>;
  const status = $metadata?.httpStatusCode;
  const code = status === 403 ? 'STORE_READ_ONLY' : 'STORE_UNAVAILABLE';
  const hint = kind === 'CredentialsProviderError' || status === 403 ? ' Look at the AWS credentials and what they allow.' : '';
  return new BatutaError(code, `${name} does not take or give results: ${kind}: ${message}.${hint}`, {
    cause: error,
    details: { place: name, status: status ?? null },
  });
}
