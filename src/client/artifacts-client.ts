/** Contract of the client for artifacts: what tasks show, its versions by key across runs, and its bytes. */
import type { ArtifactComparison } from '../model/compare-artifacts.ts';
import type { Artifact } from '../model/run.ts';
import type { ArtifactFilter, ArtifactKey, ArtifactKeyFilter, ListedArtifact, Page } from '../store/store.ts';

/** An artifact with all its data. */
export type FoundArtifact = Artifact & Pick<ListedArtifact, 'flow' | 'runName'>;

/** What an artifact holds, as a file. */
export interface ArtifactContent {
  readonly fileName: string;
  /** Media type, with its charset where it is text of ours. */
  readonly type: string;
  /** Null where it is not known before. */
  readonly bytes: number | null;
  /** Read once. @throws BatutaError RESULT_MISSING where it turns out to be damaged */
  readonly pieces: AsyncIterable<Uint8Array>;
}

export interface ArtifactsClient {
  /** Across runs, newest first; with `key` its versions. @throws BatutaError FILTER_INVALID */
  list(filter?: ArtifactFilter): Promise<Page<ListedArtifact>>;
  /** Keys in their order, each with its newest version. @throws BatutaError FILTER_INVALID */
  keys(filter?: ArtifactKeyFilter): Promise<Page<ArtifactKey>>;
  /** By its id, or the last 8 characters of it. @throws BatutaError ARTIFACT_NOT_FOUND */
  get(id: string): Promise<FoundArtifact>;
  /** The bytes of a file or image; of others what they hold as Markdown or JSON. @throws BatutaError ARTIFACT_NOT_FOUND, RESULT_MISSING */
  content(id: string): Promise<ArtifactContent>;
  /**
   * How two artifacts of one kind differ.
   *
   * @param by column by which the rows of tables are matched; default: the first whose values tell all rows apart, else their places
   * @throws BatutaError ARTIFACT_NOT_FOUND, ARTIFACT_INVALID (they are of different kinds, or have no such column)
   */
  compare(before: string, after: string, options?: { readonly by?: string }): Promise<ArtifactComparison>;
}
