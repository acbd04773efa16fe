/** Contract of the client for artifacts: what tasks show, versions by key across runs, and bytes. */
import type { ArtifactComparison } from '../model/compare-artifacts.ts';
import type { ArtifactFilter, ArtifactKey, ArtifactKeyFilter, FoundArtifact, ListedArtifact, Page } from '../store/store.ts';

export type { FoundArtifact };

/** Content of an artifact, as a file. */
export interface ArtifactContent {
  readonly fileName: string;
  /** Media type, with charset for text we wrote. */
  readonly type: string;
  /** Null if not known in advance. */
  readonly bytes: number | null;
  /** Read once. @throws BatutaError RESULT_MISSING if found damaged */
  readonly pieces: AsyncIterable<Uint8Array>;
}

export interface ArtifactsClient {
  /** Across runs, newest first; with `key` its versions. @throws BatutaError FILTER_INVALID */
  list(filter?: ArtifactFilter): Promise<Page<ListedArtifact>>;
  /** Keys in order, each with its newest version. @throws BatutaError FILTER_INVALID */
  keys(filter?: ArtifactKeyFilter): Promise<Page<ArtifactKey>>;
  /** By its id, or its last 8 characters. @throws BatutaError ARTIFACT_NOT_FOUND */
  get(id: string): Promise<FoundArtifact>;
  /** The bytes of a file or image; other kinds as Markdown or JSON. @throws BatutaError ARTIFACT_NOT_FOUND, RESULT_MISSING */
  content(id: string): Promise<ArtifactContent>;
  /**
   * How two artifacts of one kind differ.
   *
   * @param by column by which table rows are matched; default: the first whose values are unique, else row positions
   * @throws BatutaError ARTIFACT_NOT_FOUND, ARTIFACT_INVALID (of different kinds, or no such column)
   */
  compare(before: string, after: string, options?: { readonly by?: string }): Promise<ArtifactComparison>;
}
