/** The metrics of the server and of the fleet, in Prometheus format. */
import type { App, RouteParts } from '../parts.ts';

export function metricRoutes(app: App, { metrics }: RouteParts): void {
  const description = 'Metrics of this process and figures of the fleet, in the text format of Prometheus.';
  app.get('/metrics', { schema: { description, tags: ['monitoring'] } }, async (_request, reply) => {
    const read = await metrics();
    return await reply
      .header('content-type', read.contentType)
      .header('cache-control', 'no-store')
      .send(await read.text());
  });
}
