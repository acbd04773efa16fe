/** All routes of the dashboard. Each page is its own chunk, loaded when first opened. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet } from '@tanstack/react-router';
import { artifactKinds } from '../../src/model/artifact.ts';
import { basePath } from './api/http.ts';
import { queryClient } from './api/query-client.ts';
import { runQuery } from './pages/run/run-data.ts';
import { readRunSearch } from './pages/run/run-search.ts';
import { listQuery, overTimeQuery } from './pages/runs/runs-queries.ts';
import { readRunsSearch, type RunsSearch } from './pages/runs/runs-search.ts';
import { NotLoaded, PageFailed, PageMissing } from './parts/page-failed.tsx';
import { one, oneOf, parseSearch, type RawSearch, stringifySearch } from './search.ts';
import { Shell } from './shell/shell.tsx';

/** A page by its chunk. If loading fails, the page reports it: the router would reload the whole dashboard from a server that is down. */
function pageOf<Module extends Record<string, unknown>, Name extends keyof Module & string>(load: () => Promise<Module>, name: Name) {
  const orNotLoaded = (cause: unknown): never => {
    throw new NotLoaded(cause);
  };
  return lazyRouteComponent<Module, Name>(() => load().catch(orNotLoaded), name);
}

const root = createRootRoute({ component: Outlet });

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  validateSearch: (raw: RawSearch) => optional({ next: one(raw, 'next') }),
  component: pageOf(() => import('./shell/login-page.tsx'), 'LoginPage'),
});

/** Everything inside the frame, after login. */
const shell = createRoute({ getParentRoute: () => root, id: 'shell', component: Shell });

const home = createRoute({
  getParentRoute: () => shell,
  path: '/',
  validateSearch: (raw: RawSearch) => optional({ last: oneOf(raw, 'last', ['1h', '24h', '7d', '30d']) }),
  component: pageOf(() => import('./pages/home/home-page.tsx'), 'HomePage'),
});

const runs = createRoute({
  getParentRoute: () => shell,
  path: '/runs',
  validateSearch: readRunsSearch,
  beforeLoad: ({ search, cause }) => void (cause === 'enter' && askForRuns(search)),
  component: pageOf(() => import('./pages/runs/runs-page.tsx'), 'RunsPage'),
});

const run = createRoute({
  getParentRoute: () => shell,
  path: '/runs/$id',
  // The page reads its tabs and selection itself, with search.ts.
  validateSearch: (raw: RawSearch) => raw,
  beforeLoad: ({ params, search, cause }) => void (cause === 'enter' && askForRun(params.id, search)),
  component: pageOf(() => import('./pages/run/run-page.tsx'), 'RunPage'),
});

const flows = createRoute({
  getParentRoute: () => shell,
  path: '/flows',
  validateSearch: (raw: RawSearch) => raw,
  component: pageOf(() => import('./pages/flows/flows-page.tsx'), 'FlowsPage'),
});

const flow = createRoute({
  getParentRoute: () => shell,
  path: '/flows/$name',
  validateSearch: (raw: RawSearch) => raw,
  component: pageOf(() => import('./pages/flows/flow-page.tsx'), 'FlowPage'),
});

const deployments = createRoute({
  getParentRoute: () => shell,
  path: '/deployments',
  validateSearch: (raw: RawSearch) => raw,
  component: pageOf(() => import('./pages/deployments/deployments-page.tsx'), 'DeploymentsPage'),
});

const deployment = createRoute({
  getParentRoute: () => shell,
  path: '/deployments/$name',
  validateSearch: (raw: RawSearch) => raw,
  component: pageOf(() => import('./pages/deployments/deployment-page.tsx'), 'DeploymentPage'),
});

const inbox = createRoute({
  getParentRoute: () => shell,
  path: '/inbox',
  validateSearch: (raw: RawSearch) => optional({ show: oneOf(raw, 'show', ['open', 'all']), item: one(raw, 'item') }),
  component: pageOf(() => import('./pages/inbox/inbox-page.tsx'), 'InboxPage'),
});

const events = createRoute({
  getParentRoute: () => shell,
  path: '/events',
  component: pageOf(() => import('./pages/events/events-page.tsx'), 'EventsPage'),
});

const alerts = createRoute({
  getParentRoute: () => shell,
  path: '/alerts',
  validateSearch: (raw: RawSearch) =>
    optional({
      tab: oneOf(raw, 'tab', ['alerts', 'errors', 'rules']),
      show: oneOf(raw, 'show', ['all']),
      alert: one(raw, 'alert'),
      rule: one(raw, 'rule'),
    }),
  component: pageOf(() => import('./pages/alerts/alerts-page.tsx'), 'AlertsPage'),
});

const workers = createRoute({
  getParentRoute: () => shell,
  path: '/workers',
  component: pageOf(() => import('./pages/workers/workers-page.tsx'), 'WorkersPage'),
});

const monitoring = createRoute({
  getParentRoute: () => shell,
  path: '/monitoring',
  component: pageOf(() => import('./pages/monitoring/monitoring-page.tsx'), 'MonitoringPage'),
});

const limits = createRoute({
  getParentRoute: () => shell,
  path: '/limits',
  component: pageOf(() => import('./pages/limits/limits-page.tsx'), 'LimitsPage'),
});

const cache = createRoute({
  getParentRoute: () => shell,
  path: '/cache',
  component: pageOf(() => import('./pages/cache/cache-page.tsx'), 'CachePage'),
});

const artifacts = createRoute({
  getParentRoute: () => shell,
  path: '/artifacts',
  validateSearch: (raw: RawSearch) =>
    optional({ kind: oneOf(raw, 'kind', artifactKinds), search: one(raw, 'search'), by: oneOf(raw, 'by', ['key']) }),
  component: pageOf(() => import('./pages/artifacts/artifacts-page.tsx'), 'ArtifactsPage'),
});

const artifactVersions = createRoute({
  getParentRoute: () => shell,
  path: '/artifacts/versions',
  validateSearch: (raw: RawSearch) => optional({ key: one(raw, 'key'), before: one(raw, 'before'), after: one(raw, 'after') }),
  component: pageOf(() => import('./pages/artifacts/versions-page.tsx'), 'VersionsPage'),
});

const secrets = createRoute({
  getParentRoute: () => shell,
  path: '/secrets',
  validateSearch: (raw: RawSearch) => optional({ tab: oneOf(raw, 'tab', ['secrets', 'variables', 'connections']) }),
  component: pageOf(() => import('./pages/secrets/secrets-page.tsx'), 'SecretsPage'),
});

const settings = createRoute({
  getParentRoute: () => shell,
  path: '/settings',
  validateSearch: (raw: RawSearch) => optional({ tab: oneOf(raw, 'tab', ['keys', 'audit', 'values']) }),
  component: pageOf(() => import('./pages/settings/settings-page.tsx'), 'SettingsPage'),
});

/** An unknown address keeps the frame with its navigation. */
const missing = createRoute({ getParentRoute: () => shell, path: '$', component: PageMissing });

/** The router; addresses are checked by the types of its routes. */
export const router = createRouter({
  routeTree: root.addChildren([
    login,
    shell.addChildren([
      home,
      runs,
      run,
      flows,
      flow,
      deployments,
      deployment,
      inbox,
      events,
      alerts,
      workers,
      monitoring,
      limits,
      cache,
      artifacts,
      artifactVersions,
      secrets,
      settings,
      missing,
    ]),
  ]),
  ...(basePath === '' ? {} : { basepath: basePath }),
  parseSearch,
  stringifySearch,
  defaultPreload: 'intent',
  scrollRestoration: true,
  defaultNotFoundComponent: PageMissing,
  defaultErrorComponent: PageFailed,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}

/** Leaves out undefined values, so that they do not appear in the address. */
function optional<T extends object>(search: T): { readonly [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as {
    readonly [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** Prefetches the list of runs and its histogram. The page repeats failed requests, and reports them. */
export function askForRuns(search: RunsSearch): void {
  void queryClient.infiniteQuery({ ...listQuery(search), staleTime: 0 }).catch(ignore);
  void queryClient.query(overTimeQuery(search)).catch(ignore);
}

/** Prefetches a run, and the graph chunk if that tab comes first. */
export function askForRun(id: string, search: RawSearch): void {
  void queryClient.query(runQuery(id)).catch(ignore);
  if (readRunSearch(search).tab === 'graph') void import('./pages/run/graph-tab.tsx').catch(ignore);
}

function ignore(): void {}
