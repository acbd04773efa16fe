/** The fleet as a whole, keys and the audit, over HTTP. */
import { checkFilter } from '../../model/list-filters.ts';
import type { Reporter } from '../../model/report.ts';
import type { Page, RunFilter } from '../../store/store.ts';
import type { ApiKey, AuditClient, AuditEntry, KeysClient } from '../access-client.ts';
import type {
  DayFigures,
  Figures,
  FiguresClient,
  FlowFigures,
  HistogramBucket,
  HistogramOptions,
  LimitsClient,
  LimitView,
  Overview,
  QueueView,
  TaskWorkerView,
  WorkerView,
  RunListItem,
} from '../fleet-client.ts';
import type { TagRate } from '../../model/rate.ts';
import { fromWire, toWire, type Wire } from '../wire.ts';
import type { Api } from './api.ts';
import { pageFromWire, runQuery } from './wire-values.ts';

export class HttpLimits implements LimitsClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async list(): Promise<readonly LimitView[]> {
    return pageFromWire<LimitView>(await this.#api.get('limits')).items;
  }

  async set(name: string, slots: number): Promise<LimitView> {
    return fromWire<LimitView>(await this.#api.request<Wire<LimitView>>('PUT', `limits/${encodeURIComponent(name)}`, { body: { slots } }));
  }

  async setRate(name: string, rate: TagRate): Promise<LimitView> {
    return fromWire<LimitView>(await this.#api.request<Wire<LimitView>>('PUT', `limits/${encodeURIComponent(name)}`, { body: rate }));
  }

  async delete(name: string, which?: 'slots' | 'rate'): Promise<void> {
    await this.#api.request('DELETE', `limits/${encodeURIComponent(name)}`, which === undefined ? {} : { query: { which } });
  }
}

export class HttpFigures implements FiguresClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async overview({ sinceAt }: { readonly sinceAt?: number } = {}): Promise<Overview> {
    return fromWire<Overview>(await this.#api.get<Wire<Overview>>('overview', { since: iso(sinceAt) }));
  }

  async runs(filter: RunFilter = {}): Promise<Page<RunListItem>> {
    return pageFromWire<RunListItem>(await this.#api.get('runs', runQuery(filter)), listItemOf);
  }

  async histogram(filter: RunFilter = {}, { buckets, fromAt, untilAt }: HistogramOptions = {}): Promise<readonly HistogramBucket[]> {
    const query = { ...runQuery(filter), buckets, from: iso(fromAt), to: iso(untilAt) };
    return pageFromWire<HistogramBucket>(await this.#api.get('runs/histogram', query)).items;
  }

  async flows({ sinceAt }: { readonly sinceAt?: number } = {}): Promise<readonly Figures[]> {
    const { items } = await this.#api.get<{ readonly items: readonly { readonly figures: Figures | null }[] }>('flows', {
      since: iso(sinceAt),
      graph: false,
    });
    return items.flatMap(({ figures }) => figures ?? []);
  }

  async flow(name: string, { sinceAt }: { readonly sinceAt?: number } = {}): Promise<FlowFigures> {
    const path = `flows/${encodeURIComponent(name)}`;
    return (await this.#api.get<{ readonly figures: FlowFigures }>(path, { since: iso(sinceAt) })).figures;
  }

  async taskWorkers(name: string, { sinceAt }: { readonly sinceAt?: number } = {}): Promise<readonly TaskWorkerView[]> {
    const path = `flows/${encodeURIComponent(name)}/workers`;
    return (await this.#api.get<{ readonly items: readonly TaskWorkerView[] }>(path, { since: iso(sinceAt) })).items;
  }

  async days({ flow, deployment }: { readonly flow?: string; readonly deployment?: string }): Promise<readonly DayFigures[]> {
    const path = flow === undefined ? `deployments/${encodeURIComponent(deployment ?? '')}` : `flows/${encodeURIComponent(flow)}`;
    return pageFromWire<DayFigures>(await this.#api.get(`${path}/days`)).items;
  }

  async queues(): Promise<readonly QueueView[]> {
    return pageFromWire<QueueView>(await this.#api.get('queues')).items;
  }

  async workers(): Promise<readonly WorkerView[]> {
    return pageFromWire<WorkerView>(await this.#api.get('workers')).items;
  }

  async reporters(): Promise<readonly Reporter[]> {
    return pageFromWire<Reporter>(await this.#api.get('reporters')).items;
  }

  facets(): ReturnType<FiguresClient['facets']> {
    return this.#api.get('facets');
  }
}

export class HttpKeys implements KeysClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async create(options: Parameters<KeysClient['create']>[0]): ReturnType<KeysClient['create']> {
    const { key, entry } = await this.#api.post<{ readonly key: string; readonly entry: Wire<ApiKey> }>('keys', toWire(options));
    return { key, entry: fromWire<ApiKey>(entry) };
  }

  async list(): Promise<readonly ApiKey[]> {
    return pageFromWire<ApiKey>(await this.#api.get('keys')).items;
  }

  async revoke(id: string): Promise<ApiKey> {
    return fromWire<ApiKey>(await this.#api.request<Wire<ApiKey>>('DELETE', `keys/${encodeURIComponent(id)}`));
  }
}

export class HttpAudit implements AuditClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async list(filter: { readonly limit?: number; readonly cursor?: string } = {}): Promise<Page<AuditEntry>> {
    checkFilter('changes', filter);
    return pageFromWire<AuditEntry>(await this.#api.get('audit', filter));
  }
}

function listItemOf(
  item: Wire<RunListItem> & { readonly durationMs?: unknown; readonly waitingMs?: unknown; readonly wallMs?: unknown },
): RunListItem {
  const { durationMs: _durationMs, waitingMs: _waitingMs, wallMs: _wallMs, ...rest } = item;
  // Older servers do not send it.
  return { ...fromWire<RunListItem>(rest), pinnedTo: item.pinnedTo ?? null };
}

function iso(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString();
}
