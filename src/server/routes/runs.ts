/** Looking at runs. */
import { isBatutaError } from '../../base/errors.ts';
import { toWire } from '../../client/wire.ts';
import type { StoredFlow } from '../../store/store.ts';
import type { App, RouteParts } from '../parts.ts';
import { runJson } from '../run-json.ts';
import { given, idParams } from '../schemas/common.ts';
import { filterOf, histogramQuery, runListQuery } from '../schemas/runs.ts';
import { sendValue, type ValueToSend } from '../send-value.ts';
import { shownValue, wireValue } from '../values.ts';

/** Sub-flow runs that are shown with a run; the list of runs has them all, by `parent`. */
const shownChildren = 200;

export function runRoutes(app: App, { client }: RouteParts): void {
  const tags = ['runs'];
  const { services } = client.engine;

  app.get('/api/runs', { schema: { tags, description: 'Runs, newest first.', querystring: runListQuery } }, async (request) => {
    const { items, next } = await client.figures.runs(filterOf(request.query));
    return { items: items.map(runJson), next };
  });

  app.get(
    '/api/runs/histogram',
    { schema: { tags, description: 'How many runs were in which state, by when they were created.', querystring: histogramQuery } },
    async (request) => {
      const { buckets, from, to, ...filter } = request.query;
      const options = given({ buckets, fromAt: from, untilAt: to });
      return { items: (await client.figures.histogram(filterOf(filter), options)).map((bucket) => toWire(bucket)) };
    },
  );

  app.get('/api/runs/:id', { schema: { tags, description: 'A run with its values.', params: idParams } }, async (request) => {
    const run = await client.runs.get(request.params.id);
    const [result, counts, children, flow, why, alike] = await Promise.all([
      shownValue(services.results, run, `/api/runs/${run.id}/result`).catch(unlessMissing),
      client.runs.taskCounts(run.id),
      client.runs.list({ parentRunId: run.id, limit: shownChildren }),
      flowOf(run.flow),
      client.runs.why(run.id),
      client.runs.alike(run.id),
    ]);
    return {
      run: runJson(run),
      params: wireValue(run.params, `/api/runs/${run.id}/params`),
      result,
      // Oldest first, as they were started.
      children: children.items.toReversed().map(runJson),
      why: why === null ? null : toWire(why),
      alike: alike === null ? null : toWire(alike),
      counts,
      flow: flow === null ? null : toWire(flow),
    };
  });

  app.get(
    '/api/runs/:id/params',
    { schema: { tags, description: 'The parameters alone, as a file.', params: idParams } },
    async (request, reply) => {
      const run = await client.runs.get(request.params.id);
      const stored = { result: run.params, resultRef: null };
      return await sendValue(reply, { results: services.results, stored, name: `${run.id}-params`, missing: missingOf(run) });
    },
  );

  app.get(
    '/api/runs/:id/result',
    { schema: { tags, description: 'The result alone, as a file.', params: idParams } },
    async (request, reply) => {
      const run = await client.runs.get(request.params.id);
      return await sendValue(reply, { results: services.results, stored: run, name: `${run.id}-result`, missing: missingOf(run) });
    },
  );

  /** Null for a flow that the store does not know. */
  async function flowOf(name: string): Promise<StoredFlow | null> {
    return services.store.flows.get(name);
  }
}

/** A large result whose file is gone does not hide the run. */
function unlessMissing(error: unknown): null {
  if (isBatutaError(error, 'RESULT_MISSING')) return null;
  throw error;
}

function missingOf({ id }: { readonly id: string }): ValueToSend['missing'] {
  return { message: `Run ${id} has no result.`, details: { runId: id } };
}
