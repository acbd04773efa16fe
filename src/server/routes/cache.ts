/** Values of tasks that later runs take. */
import { z } from 'zod';
import { toWire } from '../../client/wire.ts';
import type { App, RouteParts } from '../parts.ts';
import { cursorText, documented, flag, given, idParams, limitText, line, nameText } from '../schemas/common.ts';

const filter = {
  flow: nameText.optional(),
  task: nameText.optional(),
  key: line(500, 1).optional().describe('Id of an entry, its first 4 characters or more, or a part of what its value was made of'),
};
const listQuery = z.strictObject({ ...filter, expired: flag.optional(), limit: limitText.optional(), cursor: cursorText.optional() });
const clearBody = z.strictObject({ ...filter, expired: z.boolean().optional() });

export function cacheRoutes(app: App, { client }: RouteParts): void {
  const about = documented('cache');

  app.get(
    '/api/cache',
    about('Entries of the cache, last used first, and figures of all of them.', { querystring: listQuery }),
    async (request) => {
      const { items, next, totals } = await client.cache.list(given(request.query));
      return { items: items.map((item) => toWire(item)), next, totals };
    },
  );

  app.get(
    '/api/cache/:id',
    about('One entry, with its value where that is no larger than 256 KiB.', { params: idParams }),
    async (request) => toWire(await client.cache.get(request.params.id)),
  );

  app.post(
    '/api/cache/clear',
    about('Takes entries out of the cache; without a filter all of them.', { body: clearBody }),
    async (request) => {
      const wish = given(request.body);
      const report = await client.cache.clear(wish);
      request.change = { target: wish.key ?? wish.task ?? wish.flow ?? null, details: { ...wish, entries: report.entries } };
      return report;
    },
  );
}
