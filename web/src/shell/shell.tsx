/** The frame around every page: navigation, the viewer, and the status of the event stream. Asks for a login if needed. */
import { Notifications } from '@mantine/notifications';
import { useQuery } from '@tanstack/react-query';
import { Navigate, Outlet, useLocation } from '@tanstack/react-router';
import { useState } from 'react';
import { useLiveStream } from '../api/live.ts';
import { meQuery, usePermission } from '../api/session.ts';
import { Failed, NotAllowed } from '../parts/notices.tsx';
import { Page } from '../parts/page.tsx';
import { useKeys } from './keys.ts';
import { KeysHelp } from './keys-help.tsx';
import { places } from './navigation.ts';
import { Navigation } from './navigation-bar.tsx';
import { StreamBar } from './stream-bar.tsx';
import style from './shell.module.css';

/** Shows a page to those who may see it; everyone else goes to the login page and returns. */
export function Shell() {
  const { data: me, error, refetch } = useQuery(meQuery);
  const { href, pathname } = useLocation();
  if (error !== null && me === undefined) return <Failed what="The dashboard" error={error} retry={() => void refetch()} />;
  if (me === undefined) return null;
  // While the login page is loading, this frame is still shown, at the login page's address.
  if (me.role === null && pathname === '/login') return null;
  if (me.role === null) return <Navigate to="/login" search={href === '/' ? {} : { next: href }} replace />;
  return <Frame />;
}

/** The page, or why it is not shown: one with only payloads is not loaded for a key that sees none. */
function ShownPage() {
  const { pathname } = useLocation();
  const { why } = usePermission('viewer');
  const place = places.find(({ to, isPayload }) => isPayload === true && pathname.startsWith(to));
  if (why === null || place === undefined) return <Outlet />;
  return (
    <Page title={place.label}>
      <NotAllowed what="This page" why={`An observer sees states, times and graphs, but no payloads and no logs. ${why}`} />
    </Page>
  );
}

function Frame() {
  const [helpShown, showHelp] = useState(false);
  useLiveStream();
  useKeys(() => showHelp(true));
  return (
    <div className={style.frame}>
      <a
        className={style.skip}
        href="#page"
        onClick={(event) => {
          // Fragment links resolve against the page's base, not this address.
          event.preventDefault();
          document.getElementById('page')?.focus();
        }}
      >
        Skip to the page
      </a>
      <Navigation onHelp={() => showHelp(true)} />
      <div className={style.column}>
        <StreamBar />
        <main id="page" className={style.main} tabIndex={-1}>
          <ShownPage />
        </main>
      </div>
      <Notifications position="bottom-right" autoClose={5000} />
      <KeysHelp opened={helpShown} onClose={() => showHelp(false)} />
    </div>
  );
}
