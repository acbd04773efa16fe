/** The ready resource `objects`: objects by key in a folder, in S3 or similar, or in Azure Blob. */
import { fileURLToPath } from 'node:url';
import { resolve } from 'node:path';
import { BatutaError } from '../../../base/errors.ts';
import type { ResourceContext } from '../../../model/context.ts';
import type { Resource, ResourceScopeName } from '../../../model/resource.ts';
import { resource } from '../../../resources/resource.ts';
import { type TextOption, textOption } from '../options.ts';
import { openAzure } from './azure.ts';
import type { ObjectStore } from './contract.ts';
import { folderObjects } from './folder.ts';
import { openS3 } from './s3.ts';

/** Options of `objects`. */
export interface ObjectsOptions<S extends ResourceScopeName = 'worker'> {
  /**
   * Where they are, or a function called when the resource is opened: `file:data/objects` or a path, `s3://bucket/prefix`,
   * `gs://bucket/prefix`, `azure://container/prefix`.
   */
  readonly url: TextOption<S>;
  /** Region of S3. Default `us-east-1`. */
  readonly region?: string | undefined;
  /** Address of an S3-compatible storage. Default Amazon's; for `gs://` Google's. */
  readonly endpoint?: string | undefined;
  /** Key for S3 (for `gs://` an HMAC key), or a function called when the resource is opened. Default: where the AWS SDK looks. */
  readonly credentials?: S3Credentials | (() => S3Credentials | Promise<S3Credentials>) | undefined;
  /** For `azure://`, or a function called when the resource is opened. */
  readonly connectionString?: TextOption<S> | undefined;
  /** How long it stays open. Default `worker`. */
  readonly scope?: S | undefined;
}

/** An S3 key. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const googleEndpoint = 'https://storage.googleapis.com';

/**
 * Objects by key, with one interface for all storages. S3 needs the package `@aws-sdk/client-s3` (`@aws-sdk/s3-request-presigner` for
 * signed URLs), Azure `@azure/storage-blob`.
 *
 * @throws BatutaError NAME_INVALID, OPTION_INVALID; on opening RESOURCE_OPEN_FAILED, with PACKAGE_MISSING as its cause
 * @example
 * ```ts
 * const exports = objects('exports', { url: 's3://acme-exports/daily' });
 * await (await ctx.use(exports)).put('2026-01-01.csv', rows);
 * ```
 */
export function objects<const S extends ResourceScopeName = 'worker'>(
  name: string,
  options: ObjectsOptions<S>,
): Resource<ObjectStore, void, S> {
  const place = `objects('${name}')`;
  const readUrl = textOption(place, 'url', options.url);
  const readConnection = options.connectionString === undefined ? null : textOption(place, 'connectionString', options.connectionString);
  if (typeof options.url === 'string') placeOf(place, options.url);
  const open = async function* (ctx: ResourceContext<S>): AsyncGenerator<ObjectStore, void, void> {
    const { kind, first, prefix } = placeOf(place, await readUrl(ctx));
    if (kind === 'folder') return yield folderObjects(first);
    if (kind === 'azure') {
      if (readConnection === null) throw new BatutaError('OPTION_INVALID', `${place}: azure:// needs connectionString.`);
      return yield await openAzure({ container: first, prefix, connectionString: await readConnection(ctx) }, place);
    }
    const { credentials, region, endpoint = kind === 'gs' ? googleEndpoint : undefined } = options;
    const key = typeof credentials === 'function' ? await credentials() : credentials;
    const { store, close } = await openS3({ bucket: first, prefix, region, endpoint, credentials: key }, place);
    try {
      yield store;
    } finally {
      close();
    }
  };
  return resource(name, open, { scope: options.scope ?? ('worker' as S) });
}

interface Place {
  readonly kind: 'folder' | 's3' | 'gs' | 'azure';
  /** Path, bucket or container. */
  readonly first: string;
  readonly prefix: string;
}

function placeOf(place: string, url: string): Place {
  const [, kind, first = '', rest = ''] = /^(s3|gs|azure):\/\/([^/]*)\/?(.*)$/.exec(url) ?? [];
  if (kind === undefined) {
    if (/^[a-z][a-z0-9+.-]+:\/\//i.test(url) && !url.startsWith('file:'))
      throw new BatutaError(
        'OPTION_INVALID',
        `${place}: url is a path, file:…, s3://…, gs://… or azure://…, not ${url.slice(0, url.indexOf(':'))}://`,
      );
    return { kind: 'folder', first: url.startsWith('file://') ? fileURLToPath(url) : resolve(url.replace(/^file:/, '')), prefix: '' };
  }
  if (first === '')
    throw new BatutaError('OPTION_INVALID', `${place}: url names no ${kind === 'azure' ? 'container' : 'bucket'}: ${kind}://NAME/prefix`);
  const trimmed = rest.replace(/\/+$/, '');
  return { kind: kind as Place['kind'], first, prefix: trimmed === '' ? '' : `${trimmed}/` };
}
