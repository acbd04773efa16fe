/** Deployments and backfills over HTTP. */
import { checkOptions } from '../call-options.ts';
import { checkFilter } from '../../model/list-filters.ts';
import type { DeploymentVersion } from '../../model/deployment.ts';
import type { RunHandle } from '../client.ts';
import type {
  BackfillPreview,
  BackfillsClient,
  DeploymentsClient,
  DeploymentSpec,
  DeployReport,
  ScheduleSpec,
} from '../deployments-client.ts';
import { fromWire, toWire } from '../wire.ts';
import type { Api } from './api.ts';
import {
  enqueueBody,
  nameOfFlow,
  pathTo,
  read,
  readFiltered,
  readItems,
  readPage,
  remove,
  send,
  valueToWire,
  type WirePage,
} from './wire-values.ts';

/** Versions per request: each has a graph. */
const pageVersions = 50;

/** @param handleOf makes a handle by run id */
export function httpDeployments(api: Api, handleOf: (id: string) => RunHandle): DeploymentsClient {
  return {
    async deploy(specs, options = {}) {
      const named = await Promise.all(specs.map(async (spec) => ({ ...spec, flow: await nameOfFlow(spec.flow) })));
      const { items } = await api.post<WirePage<DeployReport>>('deployments/deploy', { specs: named.map(plainSpec), ...options });
      return items.map((report) => fromWire<DeployReport>(report));
    },
    list: (filter) => readFiltered(api, 'deployments', ['deployments'], filter),
    get: (name) => read(api, ['deployments', name]),
    async versions(name, { limit = 1_000, before } = {}) {
      const all: DeploymentVersion[] = [];
      for (let cursor = before === undefined ? undefined : String(before); all.length < limit; ) {
        const query = { limit: Math.min(pageVersions, limit - all.length), cursor };
        const { items, next } = await readPage<DeploymentVersion>(api, ['deployments', name, 'versions'], query);
        all.push(...items);
        if (next === null) break;
        cursor = next;
      }
      return all;
    },
    async run(name, params, options = {}) {
      checkOptions('enqueue', options);
      const { id } = await api.post<{ readonly id: string }>(pathTo(['deployments', name, 'run']), enqueueBody(params, options), {
        repeatable: options.idempotencyKey !== undefined,
      });
      return handleOf(id);
    },
    pause: (name, schedule) => send(api, ['deployments', name, 'pause'], { schedule }, { repeatable: true }),
    resume: (name, schedule) => send(api, ['deployments', name, 'resume'], { schedule }, { repeatable: true }),
    async triggers(name, options = {}) {
      checkFilter('firings', options);
      return await read(api, ['deployments', name, 'triggers'], { ...options });
    },
    delete: (name) => remove(api, ['deployments', name]),
    upcoming: (options) => readItems(api, ['ticks'], options),
  };
}

export function httpBackfills(api: Api): BackfillsClient {
  return {
    async preview(spec) {
      const { total, exact, first, last } = await api.post<
        Omit<BackfillPreview, 'first' | 'last'> & { first: readonly string[]; last: readonly string[] }
      >('backfills/preview', toWire(spec));
      return { total, exact, first: first.map(Date.parse), last: last.map(Date.parse) };
    },
    start: (spec, options) => send(api, ['backfills'], { ...toWire(spec), ...options }),
    list: (filter) => readFiltered(api, 'backfills', ['backfills'], filter),
    get: (id) => read(api, ['backfills', id]),
    cancel: (id) => send(api, ['backfills', id, 'cancel'], {}, { repeatable: true }),
    resume: (id) => send(api, ['backfills', id, 'resume']),
  };
}

/** Its parameters as superjson, to preserve dates and similar; the rest is written as is. */
function plainSpec({ params, schedules, ...rest }: DeploymentSpec): object {
  return {
    ...rest,
    ...(params === undefined ? {} : { params: valueToWire(params, 'parameters') }),
    ...(schedules === undefined ? {} : { schedules: schedules.map(plainSchedule) }),
  };
}

function plainSchedule({ params, ...rest }: ScheduleSpec): object {
  return { ...rest, ...(params === undefined ? {} : { params: valueToWire(params, 'parameters of a schedule') }) };
}
