/** One run. */
import { Page } from '../../parts/page.tsx';

/** One run. */
export function RunPage() {
  return <Page title="Run">{null}</Page>;
}
