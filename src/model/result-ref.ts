/**
 * How a row refers to a value stored elsewhere: `<locator>#<bytes>-<sha256>`.
 *
 * The locator says where it is: `<run>/<name>` in a folder, `store:<run>/<name>` in the database, `s3://<bucket>/<prefix>/<run>/<name>` in
 * S3; so what was stored stays readable when other values go elsewhere. Old rows have only the locator.
 */

/** A read reference. */
export interface ResultRef {
  readonly locator: string;
  /** Prefix of the locators of its place: empty for a folder, `store:`, `s3://bucket/prefix/`, or `elsewhere:`. */
  readonly place: string;
  /** `<run>/<name>`. */
  readonly key: string;
  /** Length in bytes as stored; null in old references. */
  readonly bytes: number | null;
  /** SHA-256 of the bytes as stored, 64 hexadecimal digits; null in old references. */
  readonly sha256: string | null;
}

/** Prefix of locators of results in the database. */
export const storePlace = 'store:';

/** Prefix of the locators of a place in S3. @param prefix without slashes at either end */
export function s3Prefix({ bucket, prefix }: { readonly bucket: string; readonly prefix: string }): string {
  return `s3://${bucket}/${prefix === '' ? '' : `${prefix}/`}`;
}

const form =
  /^(?<locator>(?<place>store:|elsewhere:|s3:\/\/.*\/(?=[^/]*\/[^/]*$))?(?<key>.*?))(?:#(?<bytes>\d{1,15})-(?<sha256>[0-9a-f]{64}))?$/s;

/** Reads a reference or a locator. Any other text is a key under which nothing is stored. */
export function parseRef(ref: string): ResultRef {
  const { locator = ref, place = '', key = ref, bytes, sha256 = null } = form.exec(ref)?.groups ?? {};
  return { locator, place, key, bytes: bytes === undefined ? null : Number(bytes), sha256 };
}

/** The text of a reference. */
export function refText(locator: string, bytes: number, sha256: string): string {
  return `${locator}#${bytes}-${sha256}`;
}

/** Prefix of locators of results that stayed where their run ran; unreadable here. */
export const elsewherePlace = 'elsewhere:';

/** Reference to a value that was not sent when its run was reported. @param id of the run or task run */
export function elsewhereRef(id: string, bytes: number): string {
  return refText(`${elsewherePlace}${id}`, bytes, '0'.repeat(64));
}
