/** The pages of the dashboard, in the order of the navigation. */

import { useSeesPayloads } from '../api/session.ts';
import type { IconName } from '../parts/icon.tsx';

/** One page: its path, and its key after `g`. */
interface Place {
  readonly to:
    | '/'
    | '/runs'
    | '/flows'
    | '/inbox'
    | '/deployments'
    | '/events'
    | '/alerts'
    | '/workers'
    | '/monitoring'
    | '/limits'
    | '/cache'
    | '/artifacts'
    | '/secrets'
    | '/settings';
  readonly label: string;
  readonly icon: IconName;
  readonly key: string;
  /** Contains only what an observer may not see. */
  readonly isPayload?: true;
}

/** All pages; `g` and then the key opens one. */
export const places: readonly Place[] = [
  { to: '/', label: 'Home', icon: 'home', key: 'h' },
  { to: '/runs', label: 'Runs', icon: 'runs', key: 'r' },
  { to: '/flows', label: 'Flows', icon: 'flows', key: 'f' },
  { to: '/inbox', label: 'Inbox', icon: 'inbox', key: 'i', isPayload: true },
  { to: '/deployments', label: 'Deployments', icon: 'deployments', key: 'd' },
  { to: '/events', label: 'Events', icon: 'events', key: 'v', isPayload: true },
  { to: '/alerts', label: 'Alerts', icon: 'alerts', key: 'n', isPayload: true },
  { to: '/workers', label: 'Workers', icon: 'workers', key: 'w' },
  { to: '/monitoring', label: 'Monitoring', icon: 'monitoring', key: 'm', isPayload: true },
  { to: '/limits', label: 'Limits', icon: 'limits', key: 'l' },
  { to: '/cache', label: 'Cache', icon: 'cache', key: 'c', isPayload: true },
  { to: '/artifacts', label: 'Artifacts', icon: 'artifacts', key: 'a', isPayload: true },
  { to: '/secrets', label: 'Secrets', icon: 'secrets', key: 'e', isPayload: true },
  { to: '/settings', label: 'Settings', icon: 'settings', key: 's', isPayload: true },
];

/** Those with content for the viewer. */
export function usePlaces(): readonly Place[] {
  const seesPayloads = useSeesPayloads();
  return places.filter(({ isPayload }) => seesPayloads || isPayload !== true);
}
