/** Whether the server is alive and ready, and the health of the fleet; for containers and balancers, without a key. */
import { BatutaError } from '../../base/errors.ts';
import type { App, RouteParts } from '../parts.ts';

export function healthRoutes(app: App, { client, health }: RouteParts): void {
  app.get('/health/live', { schema: { description: 'The process answers.', tags: ['health'] } }, async () => ({ ok: true }));
  app.get('/health/ready', { schema: { description: 'The database answers; 503 while it does not.', tags: ['health'] } }, async () => {
    await client.engine.services.store.schemaVersion().catch(unready);
    return { ok: true };
  });
  const description = 'How the fleet is: healthy, degraded or unhealthy, with its checks by name; 503 when unhealthy.';
  app.get('/health', { schema: { description, tags: ['health'] } }, async (_request, reply) => {
    const { status, checks } = await health.read();
    // Findings contain addresses, which are not for everyone.
    return await reply
      .status(status === 'unhealthy' ? 503 : 200)
      .send({ status, checks: checks.map(({ name, status: is }) => ({ name, status: is })) });
  });
  const about = 'The same with what each check has found, what to do about it, and how that has changed since the server began to look.';
  app.get('/api/health', { schema: { description: about, tags: ['health'] } }, async () => {
    const { status, checks, history } = await health.read();
    return {
      status,
      checks: checks.map(({ at, ...check }) => ({ ...check, at: new Date(at).toISOString() })),
      history: history.map(({ at, ...change }) => ({ ...change, at: new Date(at).toISOString() })),
    };
  });
}

function unready(cause: unknown): never {
  throw new BatutaError('STORE_UNAVAILABLE', 'The database does not answer.', { cause });
}
