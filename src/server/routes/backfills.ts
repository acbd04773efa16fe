/** Backfills: runs of a deployment over ticks of the past. */
import { toWire } from '../../client/wire.ts';
import type { App, RouteParts } from '../parts.ts';
import { documented, given } from '../schemas/common.ts';
import { backfillBody, backfillListQuery, backfillOf, backfillParams, backfillPreviewBody } from '../schemas/deployments.ts';

export function backfillRoutes(app: App, { client }: RouteParts): void {
  const { backfills } = client;
  const about = documented('backfills');

  app.get('/api/backfills', about('Backfills with their progress, newest first.', { querystring: backfillListQuery }), async (request) => {
    const { items, next } = await backfills.list(given(request.query));
    return { items: items.map((item) => toWire(item)), next };
  });

  app.post(
    '/api/backfills/preview',
    about('How many runs it would be, and its first and last ticks.', { body: backfillPreviewBody }),
    async (request) => {
      const { first, last, ...rest } = await backfills.preview(backfillOf(request.body));
      return { ...rest, first: first.map(isoOf), last: last.map(isoOf) };
    },
  );

  app.post('/api/backfills', about('Begins a backfill.', { body: backfillBody }), async (request, reply) => {
    const { allowLarge, ...spec } = request.body;
    const view = await backfills.start(backfillOf(spec), given({ allowLarge }));
    request.change = { target: view.id, details: { deployment: view.deployment, runs: view.total } };
    return reply.code(201).send(toWire(view));
  });

  app.get('/api/backfills/:id', about('A backfill with its progress.', { params: backfillParams }), async (request) =>
    toWire(await backfills.get(request.params.id)),
  );

  app.post(
    '/api/backfills/:id/cancel',
    about('Makes no further runs, and cancels those that have not ended.', { params: backfillParams }),
    async (request) => {
      const view = await backfills.cancel(request.params.id);
      request.change = { target: view.id };
      return toWire(view);
    },
  );

  app.post(
    '/api/backfills/:id/resume',
    about('Runs those again that did not complete, and goes on.', { params: backfillParams }),
    async (request) => {
      const view = await backfills.resume(request.params.id);
      request.change = { target: view.id };
      return toWire(view);
    },
  );
}

function isoOf(at: number): string {
  return new Date(at).toISOString();
}
