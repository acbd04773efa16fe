/** Workers and queues. */
import { Page } from '../../parts/page.tsx';

/** Workers and queues. */
export function WorkersPage() {
  return <Page title="Workers">{null}</Page>;
}
