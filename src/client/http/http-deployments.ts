/** Deployments and backfills over HTTP. */
import { checkFilter } from '../../model/list-filters.ts';
import type { DeploymentVersion } from '../../model/deployment.ts';
import type { Page } from '../../store/store.ts';
import type { EnqueueOptions, RunHandle } from '../client.ts';
import type {
  BackfillsClient,
  BackfillPreview,
  BackfillSpec,
  BackfillView,
  DeploymentFilter,
  DeploymentsClient,
  DeploymentSpec,
  DeploymentView,
  DeployReport,
  ScheduleSpec,
  TriggersView,
  UpcomingTick,
} from '../deployments-client.ts';
import { fromWire, toWire, type Wire } from '../wire.ts';
import type { Api } from './api.ts';
import { type WirePage, enqueueBody, nameOfFlow, pageFromWire, valueToWire } from './wire-values.ts';

/** Versions per request: each has a graph. */
const pageVersions = 50;

export class HttpDeployments implements DeploymentsClient {
  readonly #api: Api;
  readonly #handleOf: (id: string) => RunHandle;

  constructor(api: Api, handleOf: (id: string) => RunHandle) {
    this.#api = api;
    this.#handleOf = handleOf;
  }

  async deploy(
    specs: readonly DeploymentSpec[],
    options: Parameters<DeploymentsClient['deploy']>[1] = {},
  ): Promise<readonly DeployReport[]> {
    const named = await Promise.all(specs.map(async (spec) => ({ ...spec, flow: await nameOfFlow(spec.flow) })));
    const { items } = await this.#api.post<WirePage<DeployReport>>('deployments/deploy', { specs: named.map(plainSpec), ...options });
    return items.map((report) => fromWire<DeployReport>(report));
  }

  async list(filter: DeploymentFilter = {}): Promise<Page<DeploymentView>> {
    checkFilter('deployments', filter);
    return pageFromWire<DeploymentView>(await this.#api.get('deployments', { ...filter }));
  }

  get(name: string): Promise<DeploymentView> {
    return this.#view(this.#api.get(pathOf(name)));
  }

  async versions(
    name: string,
    { limit = 1_000, before }: Parameters<DeploymentsClient['versions']>[1] = {},
  ): Promise<readonly DeploymentVersion[]> {
    const all: DeploymentVersion[] = [];
    for (let cursor = before === undefined ? undefined : String(before); all.length < limit; ) {
      const query = { limit: Math.min(pageVersions, limit - all.length), cursor };
      const { items, next } = pageFromWire<DeploymentVersion>(await this.#api.get(`${pathOf(name)}/versions`, query));
      all.push(...items);
      if (next === null) break;
      cursor = next;
    }
    return all;
  }

  async run(name: string, params?: Readonly<Record<string, unknown>>, options: EnqueueOptions = {}): Promise<RunHandle> {
    const { id } = await this.#api.post<{ readonly id: string }>(`${pathOf(name)}/run`, enqueueBody(params, options), {
      repeatable: options.idempotencyKey !== undefined,
    });
    return this.#handleOf(id);
  }

  pause(name: string, schedule?: string): Promise<DeploymentView> {
    return this.#view(this.#api.post(`${pathOf(name)}/pause`, schedule === undefined ? {} : { schedule }, { repeatable: true }));
  }

  resume(name: string, schedule?: string): Promise<DeploymentView> {
    return this.#view(this.#api.post(`${pathOf(name)}/resume`, schedule === undefined ? {} : { schedule }, { repeatable: true }));
  }

  async triggers(name: string, options: { readonly limit?: number } = {}): Promise<TriggersView> {
    checkFilter('firings', options);
    return fromWire<TriggersView>(await this.#api.get(`${pathOf(name)}/triggers`, { ...options }));
  }

  async delete(name: string): Promise<void> {
    await this.#api.request('DELETE', pathOf(name));
  }

  async upcoming(options: { readonly deployment?: string; readonly limit?: number } = {}): Promise<readonly UpcomingTick[]> {
    return pageFromWire<UpcomingTick>(await this.#api.get('ticks', options)).items;
  }

  async #view(answer: Promise<unknown>): Promise<DeploymentView> {
    return fromWire<DeploymentView>((await answer) as Wire<DeploymentView>);
  }
}

export class HttpBackfills implements BackfillsClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async preview(spec: BackfillSpec): ReturnType<BackfillsClient['preview']> {
    const { total, exact, first, last } = await this.#api.post<
      Omit<BackfillPreview, 'first' | 'last'> & { first: readonly string[]; last: readonly string[] }
    >('backfills/preview', toWire(spec));
    return { total, exact, first: first.map(Date.parse), last: last.map(Date.parse) };
  }

  start(spec: BackfillSpec, options: { readonly allowLarge?: boolean } = {}): Promise<BackfillView> {
    return this.#view(this.#api.post('backfills', { ...toWire(spec), ...options }));
  }

  async list(filter: Parameters<BackfillsClient['list']>[0] = {}): Promise<Page<BackfillView>> {
    checkFilter('backfills', filter);
    return pageFromWire<BackfillView>(await this.#api.get('backfills', { ...filter }));
  }

  get(id: string): Promise<BackfillView> {
    return this.#view(this.#api.get(`backfills/${encodeURIComponent(id)}`));
  }

  cancel(id: string): Promise<BackfillView> {
    return this.#view(this.#api.post(`backfills/${encodeURIComponent(id)}/cancel`, {}, { repeatable: true }));
  }

  resume(id: string): Promise<BackfillView> {
    return this.#view(this.#api.post(`backfills/${encodeURIComponent(id)}/resume`));
  }

  async #view(answer: Promise<unknown>): Promise<BackfillView> {
    return fromWire<BackfillView>((await answer) as Wire<BackfillView>);
  }
}

function pathOf(name: string): string {
  return `deployments/${encodeURIComponent(name)}`;
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
