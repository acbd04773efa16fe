/** Changing many runs at once: by id, or by filter. */
import type { BulkReport, BulkWish } from '../../client/fleet-client.ts';
import type { App, RouteParts } from '../parts.ts';
import { documented, given } from '../schemas/common.ts';
import { bulkBody, bulkCancelBody, filterOf, submitManyBody } from '../schemas/runs.ts';
import { letOthersIn } from '../../base/clock.ts';
import type { RunRequest } from '../../client/enqueue.ts';
import { validateRunsInSlices } from '../validate-slices.ts';
import { submittedFrom } from '../correlation.ts';
import { explainMissingFlow } from '../missing-flow.ts';
import { givenValue } from '../values.ts';
import { submitsPerMinute } from './run-changes.ts';

/** Values of runs read in one turn of the event loop. */
const readAtOnce = 500;

type BulkBody = (typeof bulkBody)['_output'];

export function bulkRoutes(app: App, parts: RouteParts): void {
  const { client } = parts;
  const about = documented('runs');

  app.post('/api/runs/cancel', about('Cancels many runs.', { body: bulkCancelBody }), async (request) => {
    const { message = `Cancelled by ${request.identity?.who ?? 'local'}.`, ...body } = request.body;
    const report = await client.runs.cancelMany({ ...wishOf(body), message });
    request.change = changeOf(body, report);
    return report;
  });

  app.post('/api/runs/retry', about('New attempts of many runs, by the workers.', { body: bulkBody }), async (request) => {
    const report = await client.runs.requeueMany(wishOf(request.body));
    request.change = changeOf(request.body, report);
    return report;
  });

  app.post('/api/runs/delete', about('Deletes many runs that have ended.', { body: bulkBody }), async (request) => {
    const report = await client.runs.deleteMany(wishOf(request.body));
    request.change = changeOf(request.body, report);
    return report;
  });

  app.post(
    '/api/runs/unpin',
    about('Lets many pinned runs continue with any version of their flow.', { body: bulkBody }),
    async (request) => {
      const report = await client.runs.unpinMany(wishOf(request.body));
      request.change = changeOf(request.body, report);
      return report;
    },
  );

  app.post(
    '/api/runs/many',
    {
      ...about('Hands many runs of a flow to the workers; when one is refused, none is made.', { body: submitManyBody }),
      validatorCompiler: validateRunsInSlices,
      bodyLimit: parts.bounds.maxBulkBodyBytes,
      config: { rateLimit: { max: submitsPerMinute, timeWindow: 60_000 } },
    },
    async (request, reply) => {
      const { flow, runs } = request.body;
      const wanted: RunRequest[] = [];
      for (const { params, ...options } of runs) {
        if (wanted.length % readAtOnce === 0) await letOthersIn();
        wanted.push({ ...given({ ...options, ...submittedFrom(request, options) }), params: givenValue(params) });
      }
      const ids = await client.enqueueMany(flow, wanted).catch((error: unknown) => explainMissingFlow(parts, error, flow));
      request.change = { target: flow, details: { runs: ids.length } };
      return reply.code(201).send({ ids });
    },
  );
}

function wishOf({ ids, filter, dryRun }: BulkBody): BulkWish {
  return given({ ids, filter: filter === undefined ? undefined : filterOf(filter), dryRun });
}

/** The request is recorded, not each run: their own records have it. */
function changeOf({ ids, filter, dryRun }: BulkBody, { matched, changed }: BulkReport) {
  return dryRun === true ? null : { details: { ids: ids?.slice(0, 20), filter, matched, changed } };
}
