/** Places for large results, as named in settings. */
import { dirname, join } from 'node:path';
import { text, type Kind } from './setting-values.ts';

/** `store`: pieces in the database. */
export type PlaceSetting =
  | { readonly kind: 'store' }
  | { readonly kind: 's3'; readonly bucket: string; readonly prefix: string }
  | { readonly kind: 'folder'; readonly path: string };

/** As in S3's rules for bucket names. */
const s3Form = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/;

/** Reads a place: `store`, `s3://bucket/prefix`, or the path of a folder. @throws Error saying what it must be */
export function parsePlace(value: string): PlaceSetting {
  if (value === 'store') return { kind: 'store' };
  if (!/^[a-z0-9]+:\/\//i.test(value)) return { kind: 'folder', path: value };
  const [, bucket, prefix = ''] = s3Form.exec(value) ?? [];
  const trimmed = prefix.replace(/^\/+|\/+$/g, '');
  if (bucket === undefined || /[^\w.\-/=]/.test(trimmed)) throw new Error("must be 'store', a folder, or s3://bucket/prefix");
  return { kind: 's3', bucket, prefix: trimmed };
}

/** A place, as checked text. */
export const resultPlace: Kind<string> = {
  read(value) {
    const place = text.read(value);
    parsePlace(place);
    return place;
  },
  show: String,
};

/** Several, or text separated by commas. Frozen; may be none. */
export const resultPlaces: Kind<readonly string[]> = {
  read(value) {
    const parts: readonly unknown[] =
      typeof value === 'string' ? value.split(',').filter((part) => part.trim() !== '') : Array.isArray(value) ? value : [value];
    return Object.freeze(parts.map(resultPlace.read));
  },
  show: (value) => value.join(','),
};

/** Folder of large results if no setting names a place and they are not in the database. */
export function defaultResultsFolder(databaseUrl: string): string {
  return join(folderOf(databaseUrl), 'results');
}

function folderOf(databaseUrl: string): string {
  const path = databaseUrl.startsWith('sqlite:') ? databaseUrl.slice('sqlite:'.length).replace(/^\/\/(?=\/)|\?.*$/g, '') : '';
  return path === '' || path.startsWith(':') ? '.batuta' : dirname(path);
}
