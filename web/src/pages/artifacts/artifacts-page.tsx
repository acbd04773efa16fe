/** Artifacts across runs. */
import { Page } from '../../parts/page.tsx';

/** Artifacts across runs. */
export function ArtifactsPage() {
  return <Page title="Artifacts">{null}</Page>;
}
