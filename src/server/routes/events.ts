/** Live events. */
import { z } from 'zod';
import type { App, RouteParts } from '../parts.ts';
import { idText, nameText } from '../schemas/common.ts';

const query = z.strictObject({ run: idText.optional(), flow: nameText.optional(), deployment: nameText.optional() });

export function eventRoutes(app: App, { client, live }: RouteParts): void {
  app.get(
    '/api/events',
    {
      // A stream without a body would hold its connection and never end.
      exposeHeadRoute: false,
      schema: {
        tags: ['events'],
        description:
          'Server-sent events. `run`: a run changed its state. With `run=` also `task` and `log` of that run. `hello`: the stream is live. ' +
          '`beat`: a sign of life, every `beatMs`, also in `hello`; a stream without one for much longer is lost. ' +
          '`gap`: events are missing; fetch what is shown again. Continues after Last-Event-ID.',
        querystring: query,
      },
    },
    async (request, reply) => {
      const { run } = request.query;
      const id = run === undefined ? undefined : (await client.runs.get(run)).id;
      await live.open(request, reply, { ...request.query, run: id });
    },
  );
}
