/** Artifacts over HTTP. */
import { artifactFileOf } from '../../model/artifact.ts';
import { plainContent } from '../../model/artifact-content.ts';
import type { ArtifactsClient, FoundArtifact } from '../artifacts-client.ts';
import type { Api } from './api.ts';
import { read, readFiltered } from './wire-values.ts';

export function httpArtifacts(api: Api): ArtifactsClient {
  const get = (id: string): Promise<FoundArtifact> => read(api, ['artifacts', id]);
  return {
    list: (filter) => readFiltered(api, 'artifacts', ['artifacts'], filter),
    keys: (filter) => readFiltered(api, 'keys of artifacts', ['artifacts', 'keys'], filter),
    get,
    async content(id) {
      const artifact = await get(id);
      const file = artifactFileOf(artifact);
      if (file === null) return plainContent(artifact);
      const pieces = await api.openStream(`artifacts/${artifact.id}/content`, {}, { accept: '*/*' });
      return { fileName: file.fileName, type: file.type, bytes: file.bytes, pieces };
    },
    async compare(before, after, options = {}) {
      const { compareArtifacts } = await import('../../model/compare-artifacts.ts');
      return compareArtifacts(await get(before), await get(after), options);
    },
  };
}
