/** The list of flows. */
import { Page } from '../../parts/page.tsx';

/** The list of flows. */
export function FlowsPage() {
  return <Page title="Flows">{null}</Page>;
}
