/** Flows as they are stored. */
import { toWire } from '../../client/wire.ts';
import type { App, RouteParts } from '../app.ts';

export function flowRoutes(app: App, { client }: RouteParts): void {
  const tags = ['flows'];

  app.get('/api/flows', { schema: { tags, description: 'Flows that have run or that workers hold, by name.' } }, async () => ({
    items: (await client.flows.list()).map((flow) => toWire(flow)),
    next: null,
  }));
}
