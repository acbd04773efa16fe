/** Artifacts, over an open store. */
import { BatutaError } from '../base/errors.ts';
import { programName } from '../base/program-name.ts';
import type { ResultStorage } from '../engine/results/storage.ts';
import { artifactFileOf } from '../model/artifact.ts';
import { plainContent } from '../model/artifact-content.ts';
import type { ArtifactComparison } from '../model/compare-artifacts.ts';
import type { ArtifactStore } from '../store/store.ts';
import type { ArtifactContent, ArtifactsClient, FoundArtifact } from './artifacts-client.ts';

export class LocalArtifacts implements ArtifactsClient {
  readonly #store: ArtifactStore;
  readonly #results: ResultStorage;
  readonly list: ArtifactsClient['list'];
  readonly keys: ArtifactsClient['keys'];

  constructor(store: ArtifactStore, results: ResultStorage) {
    this.#store = store;
    this.#results = results;
    this.list = (filter) => store.list(filter);
    this.keys = (filter) => store.keys(filter);
  }

  async get(id: string): Promise<FoundArtifact> {
    const found = await this.#store.get(id);
    if (found !== null) return found;
    throw new BatutaError('ARTIFACT_NOT_FOUND', `No artifact has the id ${id}. List them with: ${programName()} artifact ls`, {
      details: { artifactId: id },
    });
  }

  async content(id: string): Promise<ArtifactContent> {
    const artifact = await this.get(id);
    const file = artifactFileOf(artifact);
    if (file === null) return plainContent(artifact);
    if (!artifact.ref)
      throw new BatutaError('RESULT_MISSING', `The bytes of artifact ${artifact.id} were not transferred from where its run ran.`, {
        details: { artifactId: artifact.id, reason: 'missing' },
      });
    return { fileName: file.fileName, type: file.type, bytes: file.bytes, pieces: await this.#results.streamBytes(artifact.ref) };
  }

  async compare(before: string, after: string, options: { readonly by?: string } = {}): Promise<ArtifactComparison> {
    const { compareArtifacts } = await import('../model/compare-artifacts.ts');
    return compareArtifacts(await this.get(before), await this.get(after), options);
  }
}
