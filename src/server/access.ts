/**
 * Who may do what: the one table. A route missing from it cannot be registered, so nothing is open by oversight.
 *
 * `public` needs no key. Otherwise each role may do what those before it may, and a reporter may only report (`src/model/access.ts`). The
 * role observer sees no payloads: its answers omit them (`src/server/observer.ts`), so a route whose answer is nothing else needs a viewer.
 */
import type { Role } from '../model/access.ts';

export interface Access {
  readonly needs: 'public' | Role;
  /** Action name of a change in the audit. Null: it changes nothing. Every unsafe route that is not public has one or the other. */
  readonly audit?: string | null;
}

const everyone: Access = { needs: 'public' };
const observer: Access = { needs: 'observer' };
const viewer: Access = { needs: 'viewer' };
const admin: Access = { needs: 'admin' };
const operatorDoes = (audit: string | null): Access => ({ needs: 'operator', audit });
/** Changes nothing, although it is a POST. */
const observerAsks: Access = { needs: 'observer', audit: null };
/** Events elsewhere are no change made by a person; the list of reporters shows who reports. */
const reporterDoes: Access = { needs: 'reporter', audit: null };
const adminDoes = (audit: string | null): Access => ({ needs: 'admin', audit });

/** By method and address, as routes are registered. */
export const access: Readonly<Record<string, Access>> = {
  'GET /health': everyone,
  'GET /health/live': everyone,
  'GET /health/ready': everyone,
  'GET /api/me': everyone,
  'POST /api/login': everyone,
  'POST /api/logout': everyone,
  'GET /*': everyone,
  // Presents no key but a signature, which the route itself checks.
  'POST /hooks/:name': everyone,
  'GET /decide/:token': everyone,
  'POST /decide/:token': everyone,
  'GET /decide.css': everyone,

  'GET /metrics': viewer,
  'GET /api/health': viewer,
  'GET /api/monitoring': viewer,
  'GET /api/openapi.json': observer,
  'GET /api/docs': observer,
  'GET /api/docs/': observer,
  'GET /api/docs/json': observer,
  'GET /api/docs/yaml': observer,
  'GET /api/docs/static/*': observer,
  'GET /api/docs/static/index.html': observer,
  'GET /api/docs/static/swagger-initializer.js': observer,

  'GET /api/overview': observer,
  'GET /api/facets': observer,
  'GET /api/settings': viewer,
  'GET /api/events': observer,
  'POST /api/events': operatorDoes('events.emit'),
  'GET /api/events/emitted': viewer,
  'GET /api/events/emitted/:id': viewer,

  'GET /api/runs': observer,
  'GET /api/runs/histogram': observer,
  'GET /api/runs/:id': observer,
  'GET /api/runs/:id/params': viewer,
  'GET /api/runs/:id/result': viewer,
  'GET /api/runs/:id/graph': observer,
  'GET /api/runs/:id/tasks': observer,
  'GET /api/runs/:id/tasks/:taskRunId': observer,
  'GET /api/runs/:id/tasks/:taskRunId/result': viewer,
  'GET /api/runs/:id/transitions': observer,
  'GET /api/runs/:id/logs': viewer,
  'GET /api/runs/:id/logs/download': viewer,
  'GET /api/runs/:id/artifacts': viewer,
  'GET /api/runs/:id/resources': observer,
  'GET /api/runs/:id/rejects': viewer,
  'GET /api/runs/:id/rejects/counts': viewer,
  'GET /api/runs/:id/rejects/download': viewer,
  'GET /api/runs/:id/streams': viewer,
  'GET /api/runs/:id/streams/:stream': viewer,
  'GET /api/runs/:id/streams/:stream/events': viewer,
  'GET /api/runs/:id/streams/:stream/:seq': viewer,
  'GET /api/artifacts': viewer,
  'GET /api/artifacts/keys': viewer,
  'GET /api/artifacts/:id': viewer,
  'GET /api/artifacts/:id/content': viewer,
  'POST /api/runs': operatorDoes('runs.submit'),
  'POST /api/runs/many': operatorDoes('runs.submit'),
  'POST /api/runs/cancel': operatorDoes('runs.cancel'),
  'POST /api/runs/retry': operatorDoes('runs.retry'),
  'POST /api/runs/delete': adminDoes('runs.delete'),
  'POST /api/runs/unpin': operatorDoes('runs.unpin'),
  'POST /api/runs/:id/cancel': operatorDoes('runs.cancel'),
  'POST /api/runs/:id/retry': operatorDoes('runs.retry'),
  'POST /api/runs/:id/unpin': operatorDoes('runs.unpin'),
  'POST /api/runs/:id/rejects/retry': operatorDoes('runs.retry-rejects'),
  'POST /api/runs/:id/signal': operatorDoes('runs.signal'),
  'DELETE /api/runs/:id': adminDoes('runs.delete'),

  'GET /api/inbox': viewer,
  'GET /api/inbox/:id': viewer,
  'POST /api/inbox/:id/decide': operatorDoes('inbox.decide'),
  'POST /api/inbox/:id/links': operatorDoes('inbox.link'),

  'GET /api/export/:kind': viewer,

  'GET /api/flows': observer,
  'GET /api/flows/:name': observer,
  'GET /api/flows/:name/days': observer,
  'GET /api/flows/:name/workers': observer,

  'GET /api/deployments': observer,
  'GET /api/deployments/:name': observer,
  'GET /api/deployments/:name/versions': observer,
  'GET /api/deployments/:name/days': observer,
  'GET /api/deployments/:name/triggers': observer,
  'GET /api/ticks': observer,
  'POST /api/schedules/preview': observerAsks,
  'POST /api/deployments': adminDoes('deployments.deploy'),
  'POST /api/deployments/deploy': adminDoes('deployments.deploy'),
  'DELETE /api/deployments/:name': adminDoes('deployments.delete'),
  'POST /api/deployments/:name/run': operatorDoes('deployments.run'),
  'POST /api/deployments/:name/pause': operatorDoes('deployments.pause'),
  'POST /api/deployments/:name/resume': operatorDoes('deployments.resume'),

  'GET /api/backfills': observer,
  'GET /api/backfills/:id': observer,
  'POST /api/backfills/preview': observerAsks,
  'POST /api/backfills': operatorDoes('backfills.start'),
  'POST /api/backfills/:id/cancel': operatorDoes('backfills.cancel'),
  'POST /api/backfills/:id/resume': operatorDoes('backfills.resume'),

  'GET /api/workers': observer,
  'GET /api/reporters': observer,
  'POST /api/reports': reporterDoes,
  'POST /api/reports/:id/batches': reporterDoes,
  'GET /api/queues': observer,
  'GET /api/limits': observer,
  'PUT /api/limits/:name': adminDoes('limits.set'),
  'DELETE /api/limits/:name': adminDoes('limits.delete'),

  'GET /api/cache': viewer,
  'GET /api/cache/:id': viewer,
  'POST /api/cache/clear': operatorDoes('cache.clear'),

  'GET /api/webhooks': viewer,
  'GET /api/webhooks/:name': viewer,
  'PUT /api/webhooks/:name': adminDoes('webhooks.set'),
  'DELETE /api/webhooks/:name': adminDoes('webhooks.delete'),
  'POST /api/webhooks/:name/test': operatorDoes('webhooks.test'),

  'GET /api/alerts': viewer,
  'GET /api/alerts/:id': viewer,
  'POST /api/alerts/:id/resolve': operatorDoes('alerts.resolve'),
  'GET /api/alert-rules': viewer,
  'GET /api/alert-rules/:name': viewer,
  'GET /api/alert-rules/:name/firings': viewer,
  'PUT /api/alert-rules/:name': adminDoes('alert-rules.set'),
  'DELETE /api/alert-rules/:name': adminDoes('alert-rules.delete'),
  'POST /api/alert-rules/:name/pause': operatorDoes('alert-rules.pause'),
  'POST /api/alert-rules/:name/resume': operatorDoes('alert-rules.resume'),
  'POST /api/alert-rules/:name/test': operatorDoes('alert-rules.test'),
  'GET /api/alert-silences': viewer,
  'POST /api/alert-silences': operatorDoes('alerts.silence'),
  'DELETE /api/alert-silences/:id': operatorDoes('alerts.unsilence'),
  'GET /api/errors': viewer,
  'GET /api/errors/:key': viewer,
  'POST /api/errors/:key/mark': operatorDoes('errors.mark'),

  'GET /api/secrets': viewer,
  'GET /api/secrets/:name': admin,
  'PUT /api/secrets/:name': adminDoes('secrets.set'),
  'DELETE /api/secrets/:name': adminDoes('secrets.delete'),
  'POST /api/secrets/rotate': adminDoes('secrets.rotate'),
  'GET /api/variables': viewer,
  'GET /api/variables/:name': viewer,
  'PUT /api/variables/:name': adminDoes('variables.set'),
  'DELETE /api/variables/:name': adminDoes('variables.delete'),
  'GET /api/connections': viewer,
  'GET /api/connections/:name': admin,
  'PUT /api/connections/:name': adminDoes('connections.set'),
  'DELETE /api/connections/:name': adminDoes('connections.delete'),

  'GET /api/keys': admin,
  'POST /api/keys': adminDoes('keys.create'),
  'DELETE /api/keys/:id': adminDoes('keys.revoke'),
  'GET /api/audit': admin,
};

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whether a method only reads. */
export function isSafe(method: string): boolean {
  return safeMethods.has(method);
}

/** What a route needs. @throws Error if the table does not name it, or its changes have no audit entry */
export function accessOf(method: string, url: string): Access {
  const found = access[`${method === 'HEAD' ? 'GET' : method} ${url}`];
  if (!found) throw new Error(`The route ${method} ${url} is in no row of src/server/access.ts, so nobody may ask for it.`);
  if (!isSafe(method) && found.needs !== 'public' && found.audit === undefined)
    throw new Error(`The row of ${method} ${url} in src/server/access.ts does not say how its changes are noted.`);
  return found;
}
