/** Where an address leads nowhere, or a page broke while it was drawn. */
import { Link } from '@tanstack/react-router';
import { Empty, Failed } from './notices.tsx';
import { Page } from './page.tsx';

/** No page has this address. */
export function PageMissing() {
  return (
    <Page title="Nothing here">
      <Empty title="No page has this address" action={<Link to="/">Home</Link>}>
        It may be mistyped, or from another version of Batuta.
      </Empty>
    </Page>
  );
}

/** A page broke; the rest of the dashboard goes on. */
export function PageFailed({ error, reset }: { readonly error: unknown; readonly reset: () => void }) {
  return (
    <Page title="This page broke">
      <Failed what="This page" error={error} retry={reset} />
    </Page>
  );
}
