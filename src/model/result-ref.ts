/**
 * How a row names a value that is kept elsewhere: `<locator>#<bytes>-<sha256>`.
 *
 * The locator says where it lies, `<run>/<name>` in a folder, `store:<run>/<name>` in the database, `s3://<bucket>/<prefix>/<run>/<name>` in S3;
 * so what was stored stays readable when other values go elsewhere. Rows of before have the locator alone.
 */

/** A reference, read. */
export interface ResultRef {
  readonly locator: string;
  /** What the locators of its place begin with: nothing for a folder, `store:`, `s3://bucket/prefix/`, or `elsewhere:`. */
  readonly place: string;
  /** `<run>/<name>`. */
  readonly key: string;
  /** Length in bytes as it was stored; null in references of before. */
  readonly bytes: number | null;
  /** SHA-256 of the bytes as they were stored, 64 hexadecimal digits; null in references of before. */
  readonly sha256: string | null;
}

/** What the locators of results in the database begin with. */
export const storePlace = 'store:';

/** What the locators of a place in S3 begin with. @param prefix without slashes at its ends */
export function s3Prefix({ bucket, prefix }: { readonly bucket: string; readonly prefix: string }): string {
  return `s3://${bucket}/${prefix === '' ? '' : `${prefix}/`}`;
}

const form =
  /^(?<locator>(?<place>store:|elsewhere:|s3:\/\/.*\/(?=[^/]*\/[^/]*$))?(?<key>.*?))(?:#(?<bytes>\d{1,15})-(?<sha256>[0-9a-f]{64}))?$/s;

/** Reads a reference or a locator. A text that is none is a key, which nothing is stored under. */
export function parseRef(ref: string): ResultRef {
  const { locator = ref, place = '', key = ref, bytes, sha256 = null } = form.exec(ref)?.groups ?? {};
  return { locator, place, key, bytes: bytes === undefined ? null : Number(bytes), sha256 };
}

/** The text of a reference. */
export function refText(locator: string, bytes: number, sha256: string): string {
  return `${locator}#${bytes}-${sha256}`;
}

/** What the locators of results begin with that stayed where their run ran; nothing here can read them. */
export const elsewherePlace = 'elsewhere:';

/** The reference to a value that was not sent along when its run was reported. @param id of the run or task run */
export function elsewhereRef(id: string, bytes: number): string {
  return refText(`${elsewherePlace}${id}`, bytes, '0'.repeat(64));
}
