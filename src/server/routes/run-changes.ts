/** Changing one run: submit, cancel, retry, signal, delete. */
import { BatutaError, isBatutaError } from '../../base/errors.ts';
import type { App, RouteParts } from '../app.ts';
import { runJson } from '../run-json.ts';
import { given, idParams } from '../schemas/common.ts';
import { cancelBody, deleteQuery, signalBody, submitBody, submitManyBody } from '../schemas/runs.ts';
import { givenValue } from '../values.ts';

/** Submits of one key a minute. */
const submitsPerMinute = 6_000;
/** Largest body of a request that submits many runs, bytes. */
const maxManyBytes = 64 * 1024 * 1024;

export function runChangeRoutes(app: App, { client, flows }: RouteParts): void {
  const tags = ['runs'];

  app.post(
    '/api/runs',
    {
      schema: { tags, description: 'Hands a run to the workers.', body: submitBody },
      config: { rateLimit: { max: submitsPerMinute, timeWindow: 60_000 } },
    },
    async (request, reply) => {
      const { flow, params, ...options } = request.body;
      const handle = await client.enqueue(flow, givenValue(params), given(options)).catch((error: unknown) => explain(error, flow));
      const run = await handle.get();
      request.change = { target: run.id, details: { flow: run.flow } };
      return reply.code(201).send(runJson(run));
    },
  );

  app.post(
    '/api/runs/many',
    {
      schema: { tags, description: 'Hands many runs of a flow to the workers, all or none.', body: submitManyBody },
      bodyLimit: maxManyBytes,
      config: { rateLimit: { max: submitsPerMinute, timeWindow: 60_000 } },
    },
    async (request, reply) => {
      const { flow, runs } = request.body;
      const wanted = runs.map(({ params, ...options }) => ({ params: givenValue(params), ...given(options) }));
      const ids = await client.enqueueMany(flow, wanted).catch((error: unknown) => explain(error, flow));
      request.change = { target: flow, details: { runs: ids.length } };
      return reply.code(201).send({ ids });
    },
  );

  app.post(
    '/api/runs/:id/cancel',
    { schema: { tags, description: 'Asks for the end of a run.', params: idParams, body: cancelBody.nullish() } },
    async (request) => {
      const run = await client.runs.cancel(request.params.id, request.body?.message ?? `Cancelled by ${request.identity?.who ?? 'local'}.`);
      request.change = { target: run.id };
      return runJson(run);
    },
  );

  app.post(
    '/api/runs/:id/signal',
    { schema: { tags, description: 'Sends a signal to a run.', params: idParams, body: signalBody } },
    async (request) => {
      const { name, data } = request.body;
      const { id } = await client.runs.get(request.params.id);
      const number = await client.runs.signal(id, name, givenValue(data));
      request.change = { target: id, details: { signal: name, number } };
      return { number };
    },
  );

  app.delete(
    '/api/runs/:id',
    { schema: { tags, description: 'Deletes a run with all that belongs to it.', params: idParams, querystring: deleteQuery } },
    async (request, reply) => {
      const { id, name } = await client.runs.get(request.params.id);
      await client.runs.delete(id, given({ force: request.query.force }));
      request.change = { target: id, details: { name } };
      return reply.code(204).send();
    },
  );

  /** A flow that ran elsewhere is known here, but its files may not be. */
  async function explain(error: unknown, flow: string): Promise<never> {
    if (!isBatutaError(error, 'FLOW_NOT_FOUND') || !(await client.engine.services.store.flows.get(flow))) throw error;
    throw new BatutaError(
      'FLOW_NOT_FOUND',
      `The flow ${flow} is known from earlier, but the server does not have its file, which it needs for checking the parameters: ` +
        `it looked in ${flows.join(', ')}. Start the server where the flows are, or point BATUTA_FLOWS there.`,
      { cause: error, details: { flow } },
    );
  }
}
