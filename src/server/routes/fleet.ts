/** The fleet: workers, and the settings of this server. */
import { toWire } from '../../client/wire.ts';
import type { App, RouteParts } from '../app.ts';

export function fleetRoutes(app: App, { client, settings }: RouteParts): void {
  const tags = ['fleet'];

  app.get('/api/workers', { schema: { tags, description: 'Workers as they tell of themselves, by name.' } }, async () => ({
    items: (await client.engine.services.store.workers.list()).map((worker) => toWire(worker)),
  }));

  app.get(
    '/api/settings',
    { schema: { tags, description: 'Settings of the server with where they come from; secrets are hidden.' } },
    async () => ({
      items: settings(),
    }),
  );
}
