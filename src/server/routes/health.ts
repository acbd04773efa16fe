/** Whether the server lives, and whether it can do its work; asked by containers and balancers without a key. */
import { BatutaError } from '../../base/errors.ts';
import type { App, RouteParts } from '../parts.ts';

export function healthRoutes(app: App, { client }: RouteParts): void {
  app.get('/health/live', { schema: { description: 'The process answers.', tags: ['health'] } }, async () => ({ ok: true }));
  app.get('/health/ready', { schema: { description: 'The database answers; 503 while it does not.', tags: ['health'] } }, async () => {
    await client.engine.services.store.schemaVersion().catch(unready);
    return { ok: true };
  });
}

function unready(cause: unknown): never {
  throw new BatutaError('STORE_UNAVAILABLE', 'The database does not answer.', { cause });
}
