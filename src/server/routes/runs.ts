/** Reading runs. */
import { z } from 'zod';
import { runTimes, type SpentTimes, spentTimes } from '../../model/run-times.ts';
import { toWire } from '../../client/wire.ts';
import type { Run } from '../../model/run.ts';
import { submittedOf, traceIdOfRun } from '../../model/submitted.ts';
import { traceUrlOf } from '../../model/trace.ts';
import type { App, RouteParts } from '../parts.ts';
import { forPeople } from '../../model/sensitive.ts';
import { runJson } from '../run-json.ts';
import { documented, flag, given, idParams } from '../schemas/common.ts';
import { filterOf, histogramQuery, runListQuery } from '../schemas/runs.ts';
import { sendValue, type ValueToSend } from '../send-value.ts';
import { shownValue, unlessMissing, wireValue } from '../values.ts';

/** Sub-flow runs shown with a run; the list of runs has them all, by `parent`. */
const shownChildren = 200;

const runQuery = z.strictObject({ values: flag.optional() });

export function runRoutes(app: App, { client, traceUrl }: RouteParts): void {
  const about = documented('runs');
  const { services } = client.engine;

  app.get('/api/runs', about('Runs, newest first.', { querystring: runListQuery }), async (request) => {
    const { items, next } = await client.figures.runs(filterOf(request.query));
    return { items: items.map(runJson), next };
  });

  app.get(
    '/api/runs/histogram',
    about('How many runs were in which state, by when they were created.', { querystring: histogramQuery }),
    async (request) => {
      const { buckets, from, to, ...filter } = request.query;
      const options = given({ buckets, fromAt: from, untilAt: to });
      return { items: (await client.figures.histogram(filterOf(filter), options)).map((bucket) => toWire(bucket)) };
    },
  );

  const description = 'A run with its parameters, its result and the flow, graph included; `values=false` leaves these three out.';
  app.get('/api/runs/:id', about(description, { params: idParams, querystring: runQuery }), async (request) => {
    const run = await client.runs.get(request.params.id);
    request.runId = run.id;
    const [times, values, counts, children, why, alike, rollback, pin] = await Promise.all([
      timesOf(run),
      request.query.values === false ? null : valuesOf(run),
      client.runs.taskCounts(run.id),
      client.runs.list({ parentRunId: run.id, limit: shownChildren }),
      client.runs.why(run.id),
      client.runs.alike(run.id),
      client.runs.rollback(run.id),
      client.runs.pin(run.id),
    ]);
    return {
      run: runJson(run),
      submitted: toWire(submittedOf(run)),
      trace: { id: traceIdOfRun(run), url: traceUrlOf(traceUrl, traceIdOfRun(run)) },
      times,
      ...values,
      // Oldest first, in order of start.
      children: children.items.toReversed().map(runJson),
      why: why === null ? null : toWire(why),
      alike: alike === null ? null : toWire(alike),
      counts,
      rollback,
      pin: pin === null ? null : toWire(pin),
    };
  });

  app.get('/api/runs/:id/params', about('The parameters alone, as a file.', { params: idParams }), async (request, reply) => {
    const run = await client.runs.get(request.params.id);
    request.runId = run.id;
    const stored = { result: forPeople(run.params), resultRef: null };
    return await sendValue(reply, { results: services.results, stored, name: `${run.id}-params`, missing: missingOf(run) });
  });

  app.get('/api/runs/:id/result', about('The result alone, as a file.', { params: idParams }), async (request, reply) => {
    const run = await client.runs.get(request.params.id);
    request.runId = run.id;
    return await sendValue(reply, { results: services.results, stored: run, name: `${run.id}-result`, missing: missingOf(run) });
  });

  /** Reads the history of runs that have waited. */
  async function timesOf(run: Run): Promise<SpentTimes | null> {
    const now = services.clock.now();
    const times = runTimes(run, now);
    if (times === null || times.waitingMs === 0) return times && { ...times, suspendedMs: 0 };
    return spentTimes(await services.store.transitions.ofRun(run.id, null), now);
  }

  async function valuesOf(run: Run) {
    // A large result that is unavailable does not hide the run.
    const [result, flow] = await Promise.all([
      shownValue(services.results, run, `/api/runs/${run.id}/result`).catch(unlessMissing),
      services.store.flows.get(run.flow),
    ]);
    return {
      params: wireValue(forPeople(run.params), `/api/runs/${run.id}/params`),
      result,
      // Null if the store does not know the flow.
      flow: flow === null ? null : toWire(flow),
    };
  }
}

function missingOf({ id }: { readonly id: string }): ValueToSend['missing'] {
  return { message: `Run ${id} has no result.`, details: { runId: id } };
}
