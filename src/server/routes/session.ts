/** Who asks; login with a key, and logout. */
import { z } from 'zod';
import { BatutaError } from '../../base/errors.ts';
import { sessionMs } from '../../client/local-access.ts';
import type { App, RouteParts } from '../parts.ts';
import { documented } from '../schemas/common.ts';
import { csrfOf, type Identity, sessionCookie } from '../identity.ts';

/** Logins per address and minute; a key cannot be guessed, but trying costs us. */
const loginsPerMinute = 10;
/** Largest body read before authentication, bytes. */
const maxBodyBytes = 4096;

/** `needsKey`: nobody may do anything without a key. Other fields are null without one. */
function meOf(identity: Identity | null, needsKey: boolean): object {
  return { role: identity?.role ?? null, who: identity?.who ?? null, csrf: identity?.csrf ?? null, needsKey };
}

export function sessionRoutes(app: App, { client, authenticator, basePath }: RouteParts): void {
  const path = basePath === '' ? '/' : basePath;
  const about = documented('session');
  app.get('/api/me', about('Who asks, with which role.'), async (request) => {
    const identity = await authenticator.identify(request).catch(nobody);
    return meOf(identity, !(await authenticator.isOpen()));
  });

  app.post(
    '/api/login',
    {
      ...about('Opens a session for a browser.', { body: z.strictObject({ key: z.string().max(300) }) }),
      bodyLimit: maxBodyBytes,
      // Counted before the body is read: an unauthenticated caller causes no work.
      config: { rateLimit: { hook: 'onRequest', max: loginsPerMinute, timeWindow: 60_000, keyGenerator: ({ ip }) => `login ${ip}` } },
    },
    async (request, reply) => {
      const { token, entry } = await authenticator.logIn(request.body.key.trim(), request.ip);
      if (entry.role === 'reporter') {
        await client.keys.logOut(token);
        throw new BatutaError(
          'FORBIDDEN',
          'This key is for programs that report, and opens no dashboard: log in with one of another role.',
        );
      }
      void reply.setCookie(sessionCookie, token, { ...cookieOf(request.protocol, path), maxAge: sessionMs / 1000 });
      return meOf({ role: entry.role, who: entry.name, keyId: entry.id, by: 'session', csrf: csrfOf(token) }, true);
    },
  );

  app.post(
    '/api/logout',
    {
      ...about('Ends the session.'),
      bodyLimit: maxBodyBytes,
    },
    async (request, reply) => {
      const token = request.cookies[sessionCookie];
      if (token !== undefined) await client.keys.logOut(token);
      void reply.clearCookie(sessionCookie, cookieOf(request.protocol, path));
      return { ok: true };
    },
  );
}

/** Inaccessible to scripts, and not sent with requests begun by another site. */
function cookieOf(protocol: string, path: string): { path: string; httpOnly: boolean; sameSite: 'strict'; secure: boolean } {
  return { path, httpOnly: true, sameSite: 'strict', secure: protocol === 'https' };
}

function nobody(error: unknown): null {
  if (error instanceof BatutaError && error.code === 'UNAUTHENTICATED') return null;
  throw error;
}
