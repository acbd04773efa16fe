/** Home. */
import { Page } from '../../parts/page.tsx';

/** Home. */
export function HomePage() {
  return <Page title="Home">{null}</Page>;
}
