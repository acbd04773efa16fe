/** A run's emissions: their streams, page by page, one value alone, and live. */
import { z } from 'zod';
import { checkStreamName } from '../../model/emission.ts';
import { toWire } from '../../client/wire.ts';
import { shownEmission } from '../events/emission-reader.ts';
import type { App, RouteParts } from '../parts.ts';
import { documented, idParams, idText, limitText, line } from '../schemas/common.ts';
import { sendValue } from '../send-value.ts';

const seq = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const streamParams = z.strictObject({ id: idText, stream: line(100, 1) });
const valueParams = z.strictObject({ id: idText, stream: line(100, 1), seq });
const pageQuery = z.strictObject({ after: seq.describe('Only values after this `seq`').optional(), limit: limitText.optional() });

/** Characters of values per page. */
const pageChars = 512 * 1024;

export function emissionRoutes(app: App, { client, live }: RouteParts): void {
  const about = documented('streams');
  const { store, results, leaseClock: clock, emissions } = client.engine.services;

  app.get(
    '/api/runs/:id/streams',
    about('By which streams the run has emitted values: `count`, `newest` (the `seq` of the last) and `at` of each.', { params: idParams }),
    async (request) => {
      const { id } = await client.runs.get(request.params.id);
      request.runId = id;
      return { items: (await store.emissions.streams(id)).map((stream) => toWire(stream)) };
    },
  );

  app.get(
    '/api/runs/:id/streams/:stream',
    about('Values of a stream in their order, as many as 512 KiB hold, at least one; `next` is the `seq` to continue after.', {
      params: streamParams,
      querystring: pageQuery,
    }),
    async (request) => {
      const { stream } = request.params;
      checkStreamName(stream);
      const { id } = await client.runs.get(request.params.id);
      request.runId = id;
      const { items, hasMore } = await store.emissions.page(id, stream, request.query);
      const shown: object[] = [];
      let chars = 0;
      for (const stored of items) {
        const one = await shownEmission(results, id, stored);
        // Large ones are stored elsewhere, so the store did not count them.
        chars += JSON.stringify(one).length;
        if (shown.length > 0 && chars > pageChars) break;
        shown.push(one);
      }
      return { items: shown, next: hasMore || shown.length < items.length ? (items[shown.length - 1]?.seq ?? null) : null };
    },
  );

  app.get(
    '/api/runs/:id/streams/:stream/events',
    {
      ...about(
        'Server-sent events. `value`: a value of the stream, those of before first; its id is its `seq`. `end`: the run has ended and all was ' +
          'sent. `hello`, `beat` and `gap` as of `/api/events`. Continues after Last-Event-ID.',
        { params: streamParams },
      ),
      // A stream without a body would hold its connection and never end.
      exposeHeadRoute: false,
    },
    async (request, reply) => {
      const { stream } = request.params;
      checkStreamName(stream);
      const { id: runId } = await client.runs.get(request.params.id);
      await live.openEmissions(request, reply, { store, clock, emissions, runId, stream, results });
    },
  );

  app.get('/api/runs/:id/streams/:stream/:seq', about('One value alone, as a file.', { params: valueParams }), async (request, reply) => {
    const { stream, seq } = request.params;
    checkStreamName(stream);
    const { id } = await client.runs.get(request.params.id);
    request.runId = id;
    const { items } = await store.emissions.page(id, stream, { after: Math.max(0, seq - 1), limit: 1 });
    const found = items.find((item) => item.seq === seq);
    const missing = { message: `Run ${id} emitted no value ${seq} by the stream '${stream}'.`, details: { runId: id, stream, seq } };
    const stored = found && { result: found.value, resultRef: found.ref };
    return await sendValue(reply, { results, stored, name: `${id}-${seq}`, missing });
  });
}
