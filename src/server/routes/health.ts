/** Whether the server lives, and whether it can do its work; asked by containers and balancers without a key. */
import type { App, RouteParts } from '../parts.ts';

export function healthRoutes(app: App, { client }: RouteParts): void {
  app.get('/health/live', { schema: { description: 'The process answers.', tags: ['health'] } }, async () => ({ ok: true }));
  app.get('/health/ready', { schema: { description: 'The database answers; 503 while it does not.', tags: ['health'] } }, async () => {
    await client.engine.services.store.schemaVersion();
    return { ok: true };
  });
}
