/** The list of deployments. */
import { Page } from '../../parts/page.tsx';

/** The list of deployments. */
export function DeploymentsPage() {
  return <Page title="Deployments">{null}</Page>;
}
