/** The list of runs. */
import { Page } from '../../parts/page.tsx';

/** The list of runs. */
export function RunsPage() {
  return <Page title="Runs">{null}</Page>;
}
