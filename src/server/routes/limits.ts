/** Limits on what runs at the same time. */
import { z } from 'zod';
import { toWire } from '../../client/wire.ts';
import type { App, RouteParts } from '../parts.ts';
import type { TagRate } from '../../model/rate.ts';
import { documented, nameParams } from '../schemas/common.ts';
import { rateBody } from '../schemas/deployments.ts';

const slotsBody = z.strictObject({ slots: z.number().int().min(0).max(1_000_000) });
const limitBody = z.union([slotsBody, rateBody]).describe('Slots, or starts in a window of time');
const whichQuery = z.strictObject({ which: z.enum(['slots', 'rate']).optional() });

export function limitRoutes(app: App, { client }: RouteParts): void {
  const about = documented('limits');

  app.get('/api/limits', about('Limits with who holds them and who waits, by name.'), async () => ({
    items: (await client.limits.list()).map((limit) => toWire(limit)),
  }));

  app.put(
    '/api/limits/:name',
    about('Sets the limit, or the rate, of a tag, e.g. tag:db.', { params: nameParams, body: limitBody }),
    async (request) => {
      const { body } = request;
      const { name } = request.params;
      const limit = 'slots' in body ? await client.limits.set(name, body.slots) : await client.limits.setRate(name, rateOf(body));
      request.change = { target: name, details: { ...body } };
      return toWire(limit);
    },
  );

  app.delete(
    '/api/limits/:name',
    about('Takes the limit and the rate of a tag away, or one of them.', { params: nameParams, querystring: whichQuery }),
    async (request, reply) => {
      await client.limits.delete(request.params.name, request.query.which);
      return reply.code(204).send();
    },
  );
}

/** Its duration is parsed, and refused, by the client. */
function rateOf({ limit, per, key }: z.output<typeof rateBody>): TagRate {
  return { limit, per, ...(key === undefined ? {} : { key }) };
}
