/** Reports from elsewhere: reporters register and send what happens where they run; also lists them. */
import { BatutaError } from '../../base/errors.ts';
import { toWire } from '../../client/wire.ts';
import type { App, RouteParts } from '../parts.ts';
import { readItems } from '../report-items.ts';
import { documented, idParams } from '../schemas/common.ts';
import { batchBody, reporterBody } from '../schemas/reports.ts';

/** Registrations per key and minute; a program registers once at start. */
const registrationsPerMinute = 600;
/** Most refused items named in one answer. */
const mostNamed = 20;

export function reportRoutes(app: App, { client, clock, bounds }: RouteParts): void {
  const about = documented('reports');
  const { reports } = client.engine.services.store;

  app.post(
    '/api/reports',
    {
      ...about('Registers a reporter, or finds it.', { body: reporterBody }),
      config: { rateLimit: { max: registrationsPerMinute, timeWindow: 60_000 } },
    },
    async (request) => {
      const registered = await reports.register(request.body);
      if (registered !== null) return registered;
      throw new BatutaError('REPORTER_UNKNOWN', `The id ${request.body.id} belongs to another reporter, or to a copy of it.`, {
        details: { id: request.body.id },
      });
    },
  );

  app.post(
    '/api/reports/:id/batches',
    {
      ...about('Writes what a reporter sends, each item once. Without items it is a sign of life.', { params: idParams, body: batchBody }),
      bodyLimit: bounds.maxBulkBodyBytes,
    },
    async (request) => {
      const { secret, token, after, note, items: given } = request.body;
      const { items, refused } = await readItems(given, clock.now());
      const outcome = await reports.apply({ reporterId: request.params.id, secret, token, after, items, refused, note });
      if (outcome.ok) return { last: outcome.last, refused: outcome.refused.slice(0, mostNamed), refusedCount: outcome.refused.length };
      throw refusalOf(outcome, request.params.id, after);
    },
  );

  app.get('/api/reporters', about('Those who report from elsewhere, by name, newest first.'), async () => ({
    items: (await client.figures.reporters()).map((reporter) => toWire(reporter)),
  }));
}

function refusalOf(
  { reason, last }: { readonly reason: 'unknown' | 'replaced' | 'gap'; readonly last: number },
  id: string,
  after: number,
): BatutaError {
  const details = { id, last };
  if (reason === 'unknown')
    return new BatutaError('REPORTER_UNKNOWN', `No reporter ${id} is registered with this secret; register first.`, { details });
  if (reason === 'replaced') return new BatutaError('REPORTER_REPLACED', `The reporter ${id} goes on as another version.`, { details });
  return new BatutaError('REPORT_GAP', `The batch follows item ${after}, and the last that came from ${id} is ${last}.`, { details });
}
