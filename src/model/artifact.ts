/** What tasks show: the kinds, their input, and what is recorded. Plain data. */

/** Every kind, in the order in which they are offered. */
export const artifactKinds = ['markdown', 'table', 'link', 'json', 'image', 'file', 'chart', 'progress', 'rejects'] as const;
export type ArtifactKind = (typeof artifactKinds)[number];

/** Kinds whose bytes are in the result storage. */
export const fileKinds: ReadonlySet<ArtifactKind> = new Set(['image', 'file']);

export interface ArtifactOptions {
  /**
   * Name under which the artifact has versions: each run that writes different content adds one. 1 to 200 characters. Without one it
   * belongs to its run alone.
   */
  readonly key?: string;
}

/**
 * Where the bytes of a file or image come from: bytes, a file on this machine (`{ path }` or a `file:` URL), or a stream, read in chunks
 * and never held whole.
 */
export type ArtifactSource =
  | Uint8Array
  | ArrayBuffer
  | Blob
  | URL
  | { readonly path: string }
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string>;

export interface ArtifactFileOptions extends ArtifactOptions {
  /** Media type, such as `text/csv`. Default: from the first bytes, else from the file extension, else `application/octet-stream`. */
  readonly type?: string;
  /** File name for downloads. Default: that of the file at `path`, else the name of the artifact. */
  readonly fileName?: string;
}

export interface ArtifactImageOptions extends ArtifactFileOptions {
  /** Text for people who cannot see it. Default: the name of the artifact. */
  readonly alt?: string;
}

/** Recorded for a file or image. */
export interface ArtifactFile {
  /** Last part of a path: no slashes and no control characters. */
  readonly fileName: string;
  /** Media type, in lower case, without parameters. */
  readonly type: string;
  readonly bytes: number;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
  /** Of an image of known size, CSS pixels. */
  readonly width?: number;
  readonly height?: number;
  /** Of an image. */
  readonly alt?: string;
}

/** Recorded for progress. */
export interface ArtifactProgress {
  /** From 0 to 1. */
  readonly value: number;
  readonly label: string | null;
  /** When it was set, epoch ms. */
  readonly updated: number;
}

/** Allowed image types. */
export const imageTypes: readonly string[] = ['image/png', 'image/jpeg', 'image/webp', 'image/svg+xml'];

/** What is recorded for a file or image; null for other artifacts and invalid data. */
export function artifactFileOf({ kind, data }: { readonly kind: ArtifactKind; readonly data: unknown }): ArtifactFile | null {
  if (!fileKinds.has(kind) || typeof data !== 'object' || data === null) return null;
  const { fileName, type, sha256, bytes } = data as Partial<ArtifactFile>;
  const isWhole = typeof fileName === 'string' && typeof type === 'string' && typeof sha256 === 'string' && typeof bytes === 'number';
  return isWhole ? (data as ArtifactFile) : null;
}
