/** The fleet as a whole: overview, values of filters, workers, queues, and the settings of this server. */
import { z } from 'zod';
import { toWire } from '../../client/wire.ts';
import type { App, RouteParts } from '../parts.ts';
import { runJson } from '../run-json.ts';
import { documented, instant } from '../schemas/common.ts';

const sinceQuery = z.strictObject({ since: instant.optional() });

export function fleetRoutes(app: App, { client, settings }: RouteParts): void {
  const about = documented('fleet');
  const { figures } = client;

  app.get(
    '/api/overview',
    about('Overview: figures since an instant, what runs, upcoming ticks, what needs attention.', { querystring: sinceQuery }),
    async (request) => {
      const { since } = request.query;
      const { runningNow, ...rest } = await figures.overview(since === undefined ? {} : { sinceAt: since });
      return { ...toWire(rest), runningNow: runningNow.map(runJson) };
    },
  );

  app.get('/api/facets', about('Values that filters may take, 200 at most of each.'), async () => figures.facets());

  app.get('/api/workers', about('Workers as they report themselves, by name.'), async () => ({
    items: (await figures.workers()).map((worker) => toWire(worker)),
  }));

  app.get('/api/queues', about('Queues with what waits in them, by name.'), async () => ({
    items: (await figures.queues()).map((queue) => toWire(queue)),
  }));

  app.get('/api/settings', about('Settings of the server with where they come from; secrets are hidden.'), async () => ({
    items: settings(),
  }));
}
