/** Stored flows, with their figures. */
import { z } from 'zod';
import { toWire } from '../../client/wire.ts';
import type { App, RouteParts } from '../parts.ts';
import { documented, flag, instant, nameParams } from '../schemas/common.ts';

const sinceQuery = z.strictObject({ since: instant.optional() });
const listQuery = sinceQuery.extend({ graph: flag.optional().describe('`false` leaves the graphs out') });

export function flowRoutes(app: App, { client }: RouteParts): void {
  const about = documented('flows');
  const { figures } = client;
  const since = (at: number | undefined): { readonly sinceAt?: number } => (at === undefined ? {} : { sinceAt: at });

  app.get(
    '/api/flows',
    about('Flows by name, each with figures over its runs (null when none ended).', { querystring: listQuery }),
    async (request) => {
      const [flows, all] = await Promise.all([client.flows.list(), figures.flows(since(request.query.since))]);
      const byName = new Map(all.map((one) => [one.name, one]));
      const shown = request.query.graph === false ? flows.map(({ graph: _graph, ...flow }) => flow) : flows;
      return { items: shown.map((flow) => ({ ...toWire(flow), figures: byName.get(flow.name) ?? null })), next: null };
    },
  );

  app.get(
    '/api/flows/:name',
    about('A flow with figures over its runs and tasks.', { params: nameParams, querystring: sinceQuery }),
    async (request) => {
      const flow = await client.flows.get(request.params.name);
      return { flow: toWire(flow), figures: toWire(await figures.flow(flow.name, since(request.query.since))) };
    },
  );

  app.get(
    '/api/flows/:name/workers',
    about('How often each process executed each task, how often it failed, and its mean time.', {
      params: nameParams,
      querystring: sinceQuery,
    }),
    async (request) => ({ items: await figures.taskWorkers(request.params.name, since(request.query.since)) }),
  );

  app.get(
    '/api/flows/:name/days',
    about('A year of days with outcomes and durations; days without runs are left out.', { params: nameParams }),
    async (request) => {
      const { name } = await client.flows.get(request.params.name);
      return { items: (await figures.days({ flow: name })).map((day) => toWire(day)) };
    },
  );
}
