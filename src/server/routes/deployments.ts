/** Deployments: read, deploy, run, pause, resume, delete. */
import { toWire } from '../../client/wire.ts';
import type { App, RouteParts } from '../parts.ts';
import { submittedFrom } from '../correlation.ts';
import { explainMissingFlow } from '../missing-flow.ts';
import { runJson } from '../run-json.ts';
import { documented, given, nameParams } from '../schemas/common.ts';
import { deployBody, deployManyBody, deploymentListQuery, specOf, switchBody, versionsQuery } from '../schemas/deployments.ts';
import { deploymentRunBody } from '../schemas/runs.ts';
import { triggersQuery } from '../schemas/triggers.ts';
import { givenValue } from '../values.ts';
import { submitsPerMinute } from './run-changes.ts';
import { forPeople } from '../../model/sensitive.ts';

export function deploymentRoutes(app: App, parts: RouteParts): void {
  const { client } = parts;
  const { deployments } = client;
  const about = documented('deployments');

  app.get(
    '/api/deployments',
    about('Deployments with their schedules, by name.', { querystring: deploymentListQuery }),
    async (request) => {
      const { items, next } = await deployments.list(given(request.query));
      return { items: items.map((item) => maskParams(toWire(item))), next };
    },
  );

  app.post('/api/deployments', about('Creates or changes a deployment.', { body: deployBody }), async (request) => {
    const { dryRun = false, params, ...rest } = request.body;
    const [report] = await deployments
      .deploy([specOf(rest, givenValue(params))], { dryRun })
      .catch((error: unknown) => explainMissingFlow(parts, error, rest.flow));
    request.change = dryRun ? null : { target: report?.deployment.name ?? null, details: { outcome: report?.outcome } };
    return maskParams(toWire(report));
  });

  app.post(
    '/api/deployments/deploy',
    about('Creates or changes many deployments, all or none.', { body: deployManyBody }),
    async (request) => {
      const { specs, ...options } = request.body;
      const reports = await deployments.deploy(
        specs.map(({ params, ...rest }) => specOf(rest, givenValue(params))),
        given(options),
      );
      const changed = reports.filter(({ outcome }) => outcome !== 'unchanged').map(({ deployment }) => deployment.name);
      request.change = options.dryRun === true ? null : { details: { deployments: changed.slice(0, 100), changed: changed.length } };
      return { items: reports.map((report) => maskParams(toWire(report))) };
    },
  );

  app.get('/api/deployments/:name', about('A deployment with its schedules.', { params: nameParams }), async (request) =>
    maskParams(toWire(await deployments.get(request.params.name))),
  );

  app.delete(
    '/api/deployments/:name',
    about('Deletes a deployment with its schedules; its runs stay.', { params: nameParams }),
    async (request, reply) => {
      await deployments.delete(request.params.name);
      return reply.code(204).send();
    },
  );

  app.post(
    '/api/deployments/:name/run',
    {
      ...about('A run now; the parameters are laid over those of the deployment.', {
        params: nameParams,
        body: deploymentRunBody.nullish(),
      }),
      config: { rateLimit: { max: submitsPerMinute, timeWindow: 60_000 } },
    },
    async (request, reply) => {
      const { name } = request.params;
      const { params, ...options } = request.body ?? {};
      const flow = (await deployments.get(name)).flow;
      const handle = await deployments
        .run(
          name,
          givenValue(params) as Readonly<Record<string, unknown>> | undefined,
          given({ ...options, ...submittedFrom(request, options) }),
        )
        .catch((error: unknown) => explainMissingFlow(parts, error, flow));
      const run = await handle.get();
      request.runId = run.id;
      request.change = { target: name, details: { run: run.id } };
      return reply.code(201).send(runJson(run));
    },
  );

  for (const act of ['pause', 'resume'] as const) {
    const description =
      act === 'pause'
        ? 'Pauses it, or one of its schedules.'
        : 'Lets it tick again, from now on; without a schedule the deployment itself.';
    app.post(`/api/deployments/:name/${act}`, about(description, { params: nameParams, body: switchBody.nullish() }), async (request) => {
      const { name } = request.params;
      const schedule = request.body?.schedule;
      const view = await deployments[act](name, schedule);
      request.change = { target: name, details: schedule === undefined ? null : { schedule } };
      return maskParams(toWire(view));
    });
  }

  app.get(
    '/api/deployments/:name/versions',
    about('Its versions, newest first, 50 by default.', { params: nameParams, querystring: versionsQuery }),
    async (request) => {
      const { limit = 50, cursor } = request.query;
      const page = { limit: limit + 1, ...given({ before: cursor }) };
      const versions = await deployments.versions(request.params.name, page);
      const items = versions.slice(0, limit);
      return {
        items: items.map((version) => maskParams(toWire(version))),
        next: versions.length > limit ? String(items.at(-1)?.version) : null,
      };
    },
  );

  app.get(
    '/api/deployments/:name/triggers',
    about('What its triggers wait for, and their firings, newest first, 20 by default.', {
      params: nameParams,
      querystring: triggersQuery,
    }),
    async (request) => toWire(await deployments.triggers(request.params.name, given(request.query))),
  );

  app.get(
    '/api/deployments/:name/days',
    about('A year of days with outcomes and durations; days without runs are left out.', { params: nameParams }),
    async (request) => {
      const { name } = await deployments.get(request.params.name);
      return { items: (await client.figures.days({ deployment: name })).map((day) => toWire(day)) };
    },
  );
}

/** The same data; returned as is if it holds none. */
function maskParams<T>(value: T): T {
  return walk(value) as T;
}

function walk(value: unknown): unknown {
  if (typeof value === 'string') return forPeople(value);
  if (Array.isArray(value)) return value.map(walk);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, walk(inner)]));
}
