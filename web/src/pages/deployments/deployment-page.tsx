/** One deployment. */
import { Page } from '../../parts/page.tsx';

/** One deployment. */
export function DeploymentPage() {
  return <Page title="Deployment">{null}</Page>;
}
