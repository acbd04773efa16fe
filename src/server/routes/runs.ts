/** Looking at runs. */
import { BatutaError, isBatutaError } from '../../base/errors.ts';
import { toWire } from '../../client/wire.ts';
import type { StoredFlow } from '../../store/store.ts';
import type { App, RouteParts } from '../parts.ts';
import { runJson } from '../run-json.ts';
import { given, idParams } from '../schemas/common.ts';
import { filterOf, histogramQuery, runListQuery } from '../schemas/runs.ts';
import { sendValue } from '../send-value.ts';
import { textOf, wireValue } from '../values.ts';

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
      textOf(services.results, run).catch(unlessMissing),
      client.runs.taskCounts(run.id),
      client.runs.list({ parentRunId: run.id, limit: shownChildren }),
      flowOf(run.flow),
      client.runs.why(run.id),
      client.runs.alike(run.id),
    ]);
    const path = `/api/runs/${run.id}`;
    return {
      run: runJson(run),
      params: wireValue(run.params, `${path}/params`),
      result: wireValue(result, `${path}/result`),
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
      return sendValue(reply, run.params, `${run.id}-params`);
    },
  );

  app.get(
    '/api/runs/:id/result',
    { schema: { tags, description: 'The result alone, as a file.', params: idParams } },
    async (request, reply) => {
      const run = await client.runs.get(request.params.id);
      const text = await textOf(services.results, run);
      if (text === null) throw new BatutaError('RESULT_MISSING', `Run ${run.id} has no result.`, { details: { runId: run.id } });
      return sendValue(reply, text, `${run.id}-result`);
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
