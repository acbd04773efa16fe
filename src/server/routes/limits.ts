/** Limits on what goes on at the same time. */
import { z } from 'zod';
import { toWire } from '../../client/wire.ts';
import type { App, RouteParts } from '../parts.ts';
import { nameParams } from '../schemas/common.ts';

const limitBody = z.strictObject({ slots: z.number().int().min(0).max(1_000_000) });

export function limitRoutes(app: App, { client }: RouteParts): void {
  const tags = ['limits'];

  app.get('/api/limits', { schema: { tags, description: 'Limits with who holds them and who waits, by name.' } }, async () => ({
    items: (await client.limits.list()).map((limit) => toWire(limit)),
  }));

  app.put(
    '/api/limits/:name',
    { schema: { tags, description: 'Sets the limit of a tag, e.g. tag:db.', params: nameParams, body: limitBody } },
    async (request) => {
      const { slots } = request.body;
      const limit = await client.limits.set(request.params.name, slots);
      request.change = { target: request.params.name, details: { slots } };
      return toWire(limit);
    },
  );

  app.delete(
    '/api/limits/:name',
    { schema: { tags, description: 'Takes the limit of a tag away.', params: nameParams } },
    async (request, reply) => {
      await client.limits.delete(request.params.name);
      return reply.code(204).send();
    },
  );
}
