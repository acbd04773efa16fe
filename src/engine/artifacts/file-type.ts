/** A file's type by its first bytes, checked against the claimed one. */
import { fileTypeFromBuffer, supportedMimeTypes } from 'file-type';
import { imageSize } from 'image-size';
import mime from 'mime';
import { BatutaError } from '../../base/errors.ts';
import { type ArtifactFile, imageTypes } from '../../model/artifact.ts';
import { isSvg } from '../../model/svg.ts';

/** Bytes that determine a type. Source: `fileTypeFromBuffer`. */
export const headBytes = 4100;

const unknownType = 'application/octet-stream';
const typeForm = /^[\w.+-]{1,100}\/[\w.+-]{1,100}$/;
/** Types that are detected by their bytes, so that other bytes rule them out. */
const foundByBytes: ReadonlySet<string> = supportedMimeTypes;
/** Containers of many formats: content detected as one may be any of them. */
const wrappers: ReadonlySet<string> = new Set([
  'application/zip',
  'application/x-cfb',
  'application/xml',
  'application/gzip',
  'application/ogg',
]);

/**
 * The type of a file: the claimed one, if its bytes allow it, else that of its bytes, else that of its name.
 *
 * @throws BatutaError ARTIFACT_TYPE, ARTIFACT_INVALID (`claimed` is not a media type)
 */
export async function fileType(
  name: string,
  head: Uint8Array,
  { claimed, fileName }: { readonly claimed: string | null; readonly fileName: string },
): Promise<string> {
  const found = (await fileTypeFromBuffer(head.subarray(0, headBytes)))?.mime.split(';')[0] ?? null;
  if (claimed !== null) {
    const type = readType(name, claimed);
    if (isPossible(type, found, head)) return type;
    throw wrongType(name, type, found);
  }
  // The library takes a name without a dot for an extension.
  const byName = fileName.includes('.') ? mime.getType(fileName) : null;
  if (found === null) return byName !== null && !foundByBytes.has(byName) ? byName : unknownType;
  return byName !== null && wrappers.has(found) && isPossible(byName, found, head) ? byName : found;
}

function isPossible(type: string, found: string | null, head: Uint8Array): boolean {
  if (type === found || type === unknownType || head.byteLength === 0) return true;
  if (found === null) return !foundByBytes.has(type) || type === 'application/xml';
  if (wrappers.has(found)) return !(imageTypes.includes(type) && type !== 'image/svg+xml') && !isText(type, found);
  return false;
}

/** Whether a type is text although the bytes found are not. */
function isText(type: string, found: string): boolean {
  return found !== 'application/xml' && (type.startsWith('text/') || type === 'application/json');
}

/** Type and size of an image given as a whole. @throws BatutaError ARTIFACT_TYPE, ARTIFACT_INVALID */
export async function imageFacts(
  name: string,
  bytes: Uint8Array,
  claimed: string | null,
): Promise<Pick<ArtifactFile, 'type' | 'width' | 'height'>> {
  const found = (await fileTypeFromBuffer(bytes.subarray(0, headBytes)))?.mime ?? null;
  const type = isSvg(bytes) ? 'image/svg+xml' : found;
  if (type === null || !imageTypes.includes(type))
    throw new BatutaError(
      'ARTIFACT_TYPE',
      `The image '${name}' is ${found ?? 'of no type that is known'}: a PNG, JPEG, WebP or SVG is wanted.`,
      { details: { artifact: name, found } },
    );
  if (claimed !== null && readType(name, claimed) !== type) throw wrongType(name, claimed, type);
  return { type, ...sizeOf(bytes) };
}

function sizeOf(bytes: Uint8Array): { readonly width: number; readonly height: number } | null {
  try {
    const { width, height } = imageSize(bytes);
    return Number.isFinite(width) && Number.isFinite(height) && width > 0 && height > 0 ? { width, height } : null;
  } catch {
    // It is shown without space reserved for it.
    return null;
  }
}

function readType(name: string, claimed: string): string {
  const type = String(claimed).split(';')[0]?.trim().toLowerCase() ?? '';
  if (typeForm.test(type)) return type;
  throw new BatutaError(
    'ARTIFACT_INVALID',
    `The type of artifact '${name}' is ${JSON.stringify(claimed)}, which is no media type such as text/csv.`,
    { details: { artifact: name } },
  );
}

function wrongType(name: string, claimed: string, found: string | null): BatutaError {
  return new BatutaError(
    'ARTIFACT_TYPE',
    `The artifact '${name}' is said to be ${claimed}, and its first bytes are ${found === null ? 'not' : `those of ${found}`}.`,
    { details: { artifact: name, claimed, found } },
  );
}
