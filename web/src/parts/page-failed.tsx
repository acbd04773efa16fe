/** Shown for an unknown address, a page that failed to render, or one that cannot be loaded because the server is down. */
import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useEffect } from 'react';
import { apiAddress } from '../api/http.ts';
import { Empty, Failed } from './notices.tsx';
import { Page } from './page.tsx';

/** Interval of checks whether the server is back, ms. */
const askMs = 2_000;
/** A page that fails to load this soon after a reload is not waited for again, ms. */
const againMs = 10_000;
const reloadedKey = 'batuta.reloaded';

/** The code of a page could not be loaded. */
export class NotLoaded extends Error {
  /** Whether the dashboard was just reloaded for it, without success. */
  readonly isRepeated = Date.now() - Number(sessionStorage.getItem(reloadedKey)) <= againMs;

  constructor(cause: unknown) {
    super('The code of this page could not be loaded.', { cause });
  }
}

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

/** A page failed; the rest of the dashboard keeps working. */
export function PageFailed({ error, reset }: { readonly error: unknown; readonly reset: () => void }) {
  if (error instanceof NotLoaded) return error.isRepeated ? <CodeMissing /> : <ServerAway />;
  return (
    <Page title="This page broke">
      <Failed what="This page" error={error} retry={reset} />
    </Page>
  );
}

/** Reloading the dashboard has not helped. */
function CodeMissing() {
  return (
    <Page title="This page could not be loaded">
      <Empty
        title="The server does not have the code of this page"
        action={
          <Button variant="default" onClick={() => location.reload()}>
            Reload
          </Button>
        }
      >
        It may be in the middle of an update. Wait a moment, then reload.
      </Empty>
    </Page>
  );
}

/** A page's code is loaded on its first visit. When the server answers again, the page is reloaded at its address. */
function ServerAway() {
  useEffect(() => {
    const stop = new AbortController();
    const ask = (): void => {
      fetch(apiAddress('/me'), { signal: stop.signal })
        .then(({ status }) => {
          if (status >= 500) return;
          sessionStorage.setItem(reloadedKey, String(Date.now()));
          location.reload();
        })
        .catch(() => undefined);
    };
    const timer = setInterval(ask, askMs);
    return () => {
      clearInterval(timer);
      stop.abort();
    };
  }, []);
  return (
    <Page title="The server is away">
      <Empty title="This page has not been loaded yet">It opens by itself once the server answers.</Empty>
    </Page>
  );
}
