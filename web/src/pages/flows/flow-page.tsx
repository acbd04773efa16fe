/** One flow. */
import { Page } from '../../parts/page.tsx';

/** One flow. */
export function FlowPage() {
  return <Page title="Flow">{null}</Page>;
}
