/** What tasks show, and what they open. */
import { z } from 'zod';
import { toWire } from '../../client/wire.ts';
import type { App, RouteParts } from '../parts.ts';
import { cursorText, given, idParams, limitText, line, pageQuery } from '../schemas/common.ts';

const artifactQuery = z.strictObject({
  kind: z.enum(['markdown', 'table', 'link', 'json', 'rejects']).optional(),
  search: line(200, 1).optional(),
  limit: limitText.optional(),
  cursor: cursorText.optional(),
});

export function artifactRoutes(app: App, { client }: RouteParts): void {
  const tags = ['artifacts'];
  const { artifacts, resourceUses } = client.engine.services.store;

  app.get(
    '/api/artifacts',
    { schema: { tags, description: 'What tasks show, across runs, newest first; large data is left out.', querystring: artifactQuery } },
    async (request) => {
      const { items, next } = await client.artifacts.list(given(request.query));
      return { items: items.map((item) => toWire(item)), next };
    },
  );

  app.get(
    '/api/runs/:id/artifacts',
    {
      schema: {
        tags,
        description: 'What the tasks of a run show, oldest first, as much as 4 MiB hold; data over 8 MiB is left out and says so.',
        params: idParams,
        querystring: pageQuery,
      },
    },
    async (request) => {
      const { id } = await client.runs.get(request.params.id);
      request.runId = id;
      const { items, next } = await artifacts.pageOfRun(id, given(request.query));
      return { items: items.map((item) => toWire(item)), next };
    },
  );

  app.get(
    '/api/runs/:id/resources',
    {
      schema: {
        tags: ['runs'],
        description:
          'What a run and its tasks have opened, when, for how long, and why it could not be opened or closed; in the order in which opening began.',
        params: idParams,
        querystring: pageQuery,
      },
    },
    async (request) => {
      const { id } = await client.runs.get(request.params.id);
      const { items, next } = await resourceUses.pageOfRun(id, given(request.query));
      return { items: items.map((item) => toWire(item)), next };
    },
  );
}
