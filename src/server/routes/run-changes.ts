/** Changing one run: submit, cancel, retry, signal, delete. */
import type { App, RouteParts } from '../parts.ts';
import { submittedFrom } from '../correlation.ts';
import { explainMissingFlow } from '../missing-flow.ts';
import { runJson } from '../run-json.ts';
import { documented, given, idParams } from '../schemas/common.ts';
import { cancelBody, deleteQuery, retryBody, signalBody, submitBody } from '../schemas/runs.ts';
import { givenValue } from '../values.ts';
import { decodeValue } from '../../engine/values/results.ts';

/** Submits per key and minute. */
export const submitsPerMinute = 6_000;

export function runChangeRoutes(app: App, parts: RouteParts): void {
  const { client } = parts;
  const about = documented('runs');

  app.post(
    '/api/runs',
    {
      ...about('Hands a run to the workers.', { body: submitBody }),
      config: { rateLimit: { max: submitsPerMinute, timeWindow: 60_000 } },
    },
    async (request, reply) => {
      const { flow, params, paramsOf, ...options } = request.body;
      const asked = givenValue(params);
      const value =
        paramsOf === undefined ? asked : { ...fieldsOf(decodeValue((await client.runs.get(paramsOf)).params)), ...fieldsOf(asked) };
      const handle = await client
        .enqueue(flow, value, given({ ...options, ...submittedFrom(request, options) }))
        .catch((error: unknown) => explainMissingFlow(parts, error, flow));
      const run = await handle.get();
      request.runId = run.id;
      request.change = { target: run.id, details: { flow: run.flow } };
      return reply.code(201).send(runJson(run));
    },
  );

  app.post('/api/runs/:id/cancel', about('Cancels a run.', { params: idParams, body: cancelBody.nullish() }), async (request) => {
    const run = await client.runs.cancel(request.params.id, request.body?.message ?? `Cancelled by ${request.identity?.who ?? 'local'}.`);
    request.runId = run.id;
    request.change = { target: run.id };
    return runJson(run);
  });

  app.post(
    '/api/runs/:id/retry',
    about('A new attempt by the workers, of what did not complete or from a task on.', { params: idParams, body: retryBody.nullish() }),
    async (request) => {
      const from = request.body?.from;
      const run = await client.runs
        .requeue(request.params.id, given({ from }))
        .catch(async (error: unknown) => explainMissingFlow(parts, error, (await client.runs.get(request.params.id)).flow));
      request.runId = run.id;
      request.change = { target: run.id, details: from === undefined ? null : { from } };
      return runJson(run);
    },
  );

  app.post(
    '/api/runs/:id/unpin',
    about('Lets a pinned run continue with any version of its flow.', { params: idParams }),
    async (request) => {
      const pin = await client.runs.pin(request.params.id);
      const run = await client.runs.unpin(request.params.id);
      request.runId = run.id;
      request.change = { target: run.id, details: pin === null ? null : { version: pin.version } };
      return runJson(run);
    },
  );

  app.post('/api/runs/:id/signal', about('Sends a signal to a run.', { params: idParams, body: signalBody }), async (request) => {
    const { name, data } = request.body;
    const { id } = await client.runs.get(request.params.id);
    request.runId = id;
    const number = await client.runs.signal(id, name, givenValue(data));
    request.change = { target: id, details: { signal: name, number } };
    return { number };
  });

  app.delete(
    '/api/runs/:id',
    about('Deletes a run with all that belongs to it.', { params: idParams, querystring: deleteQuery }),
    async (request, reply) => {
      const { id, name } = await client.runs.get(request.params.id);
      request.runId = id;
      await client.runs.delete(id, given({ force: request.query.force }));
      request.change = { target: id, details: { name } };
      return reply.code(204).send();
    },
  );
}

function fieldsOf(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}
