/** Artifacts, over an open store. */
import { BatutaError } from '../base/errors.ts';
import { programName } from '../base/program-name.ts';
import type { ResultStorage } from '../engine/results/storage.ts';
import { artifactFileOf } from '../model/artifact.ts';
import { plainContent } from '../model/artifact-content.ts';
import type { ArtifactStore } from '../store/store.ts';
import type { ArtifactsClient, FoundArtifact } from './artifacts-client.ts';

export function localArtifacts(store: ArtifactStore, results: ResultStorage): ArtifactsClient {
  const get = async (id: string): Promise<FoundArtifact> => {
    const found = await store.get(id);
    if (found !== null) return found;
    throw new BatutaError('ARTIFACT_NOT_FOUND', `No artifact has the id ${id}. List them with: ${programName()} artifact ls`, {
      details: { artifactId: id },
    });
  };
  return {
    list: (filter) => store.list(filter),
    keys: (filter) => store.keys(filter),
    get,
    async content(id) {
      const artifact = await get(id);
      const file = artifactFileOf(artifact);
      if (file === null) return plainContent(artifact);
      if (!artifact.ref)
        throw new BatutaError('RESULT_MISSING', `The bytes of artifact ${artifact.id} were not transferred from where its run ran.`, {
          details: { artifactId: artifact.id, reason: 'missing' },
        });
      return { fileName: file.fileName, type: file.type, bytes: file.bytes, pieces: await results.streamBytes(artifact.ref) };
    },
    async compare(before, after, options = {}) {
      const { compareArtifacts } = await import('../model/compare-artifacts.ts');
      return compareArtifacts(await get(before), await get(after), options);
    },
  };
}
