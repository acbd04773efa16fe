/** Artifacts over HTTP. */
import { artifactFileOf } from '../../model/artifact.ts';
import { plainContent } from '../../model/artifact-content.ts';
import type { ArtifactComparison } from '../../model/compare-artifacts.ts';
import { checkFilter } from '../../model/list-filters.ts';
import type { ArtifactFilter, ArtifactKey, ArtifactKeyFilter, ListedArtifact, Page } from '../../store/store.ts';
import type { ArtifactContent, ArtifactsClient, FoundArtifact } from '../artifacts-client.ts';
import { fromWire, type Wire } from '../wire.ts';
import type { Api } from './api.ts';
import { pageFromWire } from './wire-values.ts';

export class HttpArtifacts implements ArtifactsClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async list(filter: ArtifactFilter = {}): Promise<Page<ListedArtifact>> {
    checkFilter('artifacts', filter);
    return pageFromWire<ListedArtifact>(await this.#api.get('artifacts', { ...filter }));
  }

  async keys(filter: ArtifactKeyFilter = {}): Promise<Page<ArtifactKey>> {
    checkFilter('keys of artifacts', filter);
    return pageFromWire<ArtifactKey>(await this.#api.get('artifacts/keys', { ...filter }));
  }

  async get(id: string): Promise<FoundArtifact> {
    return fromWire<FoundArtifact>(await this.#api.get<Wire<FoundArtifact>>(`artifacts/${encodeURIComponent(id)}`));
  }

  async content(id: string): Promise<ArtifactContent> {
    const artifact = await this.get(id);
    const file = artifactFileOf(artifact);
    if (file === null) return plainContent(artifact);
    const pieces = await this.#api.openStream(`artifacts/${artifact.id}/content`, {}, { accept: '*/*' });
    return { fileName: file.fileName, type: file.type, bytes: file.bytes, pieces };
  }

  async compare(before: string, after: string, options: { readonly by?: string } = {}): Promise<ArtifactComparison> {
    const { compareArtifacts } = await import('../../model/compare-artifacts.ts');
    return compareArtifacts(await this.get(before), await this.get(after), options);
  }
}
