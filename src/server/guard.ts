/**
 * What every request goes through before its route, and every change after it.
 *
 * Host name (DNS rebinding) → who asks → whether the table allows it → token of the session → route → audit entry.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { BatutaError } from '../base/errors.ts';
import { isSameSecret } from '../base/secret.ts';
import type { LocalAudit } from '../client/local-access.ts';
import { mayAct } from '../model/access.ts';
import { type Access, accessOf, isSafe } from './access.ts';
import type { App } from './parts.ts';
import type { Authenticator, Identity } from './identity.ts';
import { hostnameOf, isLoopbackHost } from '../base/loopback.ts';
import { programName } from '../base/program-name.ts';
import { refusalOf } from './observer.ts';

/** What a route reports about its change. */
export interface Change {
  readonly target?: string | null;
  readonly details?: unknown;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
  }
  interface FastifyRequest {
    /** Who asks; null on public routes, and until known. */
    identity: Identity | null;
    /** Audit details besides the name of the action; null: nothing was changed. Default the id or name in the address. */
    change: Change | null | undefined;
  }
}

export const csrfHeader = 'x-batuta-csrf';

/** Adds the guard to an app without routes. */
export function addGuard(
  app: App,
  parts: { readonly authenticator: Authenticator; readonly audit: LocalAudit; readonly logger: Logger },
): void {
  const { authenticator, audit, logger } = parts;
  app.decorateRequest('identity', null);
  app.decorateRequest('change', undefined);
  app.addHook('onRoute', (route) => {
    for (const method of [route.method].flat()) route.config = { ...route.config, access: accessOf(method, route.url) };
  });
  app.addHook('onRequest', async (request) => {
    const row = request.routeOptions.config.access;
    // Health is served without the database, and for any host name: a balancer uses its own.
    if (/^\/health(\/|$)/.test(request.routeOptions.url ?? '')) return;
    if (await authenticator.isOpen()) refuseForeignNames(request);
    refuseForeignOrigin(request);
    if (!row || row.needs === 'public') return;
    const identity = await authenticator.identify(request);
    if (!identity) return authenticator.refuse(request);
    if (!mayAct(identity.role, row.needs)) {
      throw new BatutaError('FORBIDDEN', refusalOf(identity, row.needs), {
        details: { needs: row.needs, has: identity.role },
      });
    }
    refuseWithoutToken(request, identity);
    request.identity = identity;
  });
  app.addHook('onSend', async (request, reply, payload) => {
    await note(request, reply, audit).catch((error: unknown) => logger.error({ err: error }, 'A change could not be noted in the audit.'));
    return payload;
  });
}

/**
 * A website may point its name to this computer and then ask as if from here; the name in the request reveals it. With keys this does not
 * matter, as such a page has none.
 */
function refuseForeignNames(request: FastifyRequest): void {
  const { host = '', origin } = request.headers;
  for (const given of origin === undefined ? [host] : [host, origin]) {
    const name = hostnameOf(given);
    if (name !== null && isLoopbackHost(name)) continue;
    throw new BatutaError(
      'FORBIDDEN',
      `Without API keys the server answers only to localhost, and was addressed by another name. Create a key to allow that: ${programName()} key create`,
    );
  }
}

/** Refuses changes requested by a page of another origin, whatever the browser sends along. */
function refuseForeignOrigin(request: FastifyRequest): void {
  const { origin, host, authorization } = request.headers;
  if (origin === undefined || isSafe(request.method) || authorization !== undefined) return;
  const [from, to] = [URL.canParse(origin) ? new URL(origin).host : null, host ?? null];
  const bothHere = [from, to].every((name) => name !== null && isLoopbackHost(hostnameOf(name) ?? ''));
  if (from !== null && (from === to || bothHere)) return;
  throw new BatutaError('FORBIDDEN', 'A page of another origin requested a change.');
}

function refuseWithoutToken(request: FastifyRequest, { csrf }: Identity): void {
  if (csrf === null || isSafe(request.method)) return;
  const given = request.headers[csrfHeader];
  if (typeof given === 'string' && isSameSecret(given, csrf)) return;
  throw new BatutaError('FORBIDDEN', `Changes of a session need the token of GET /api/me in the header ${csrfHeader}.`);
}

async function note(request: FastifyRequest, reply: FastifyReply, audit: LocalAudit): Promise<void> {
  const { identity, change } = request;
  const action = request.routeOptions.config.access?.audit;
  if (!identity || action === undefined || action === null || change === null || reply.statusCode >= 300) return;
  const { id, name } = request.params as { readonly id?: string; readonly name?: string };
  await audit.record({
    keyId: identity.keyId,
    who: identity.who,
    action,
    target: change?.target ?? id ?? name ?? null,
    details: change?.details ?? null,
  });
}
