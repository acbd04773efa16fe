/** Events that were emitted or received by webhooks. Run events are live events, in `events.ts`. */
import { submittedFrom } from '../correlation.ts';
import { toWire } from '../../client/wire.ts';
import type { EventEntry } from '../../client/events-client.ts';
import { encodeValue, readText } from '../../model/values.ts';
import type { App, RouteParts } from '../parts.ts';
import { documented, given } from '../schemas/common.ts';
import { emitBody, emittedParams, emittedQuery } from '../schemas/triggers.ts';
import { givenValue } from '../values.ts';
import { submitsPerMinute } from './run-changes.ts';

export function emittedRoutes(app: App, { client }: RouteParts): void {
  const { events } = client;
  const about = documented('events');

  app.post(
    '/api/events',
    {
      ...about(
        'Emits an event, which starts the deployments that have a trigger for it. One of an `id` that there is already changes nothing.',
        { body: emitBody },
      ),
      config: { rateLimit: { max: submitsPerMinute, timeWindow: 60_000 } },
    },
    async (request, reply) => {
      const { name, payload, ...options } = request.body;
      const report = await events.emit(name, givenValue(payload), given({ ...options, ...submittedFrom(request, options) }));
      request.change = report.isDuplicate ? null : { target: report.id, details: { name } };
      return reply.code(report.isDuplicate ? 200 : 201).send(eventJson(report));
    },
  );

  app.get(
    '/api/events/emitted',
    about('Events that were emitted or came by webhooks, newest first.', { querystring: emittedQuery }),
    async (request) => {
      const { items, next } = await events.list(given(request.query));
      return { items: items.map(eventJson), next };
    },
  );

  app.get('/api/events/emitted/:id', about('An event with its payload.', { params: emittedParams }), async (request) =>
    eventJson(await events.get(request.params.id)),
  );
}

/** The payload is a user's, and is sent as superjson. */
function eventJson({ payload, ...event }: EventEntry): object {
  const text = encodeValue(payload, 'payload of an event');
  return { ...toWire(event), data: text === null ? null : readText(text) };
}
