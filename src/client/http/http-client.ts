/** The client that talks to a server. It holds no store, no flows and no connection of its own. */
import { remoteHandle } from '../remote-handle.ts';
import type { EmitsOf, FlowRef, ResultOf, StartArguments } from '../../model/flow-types.ts';
import type { StoredFlow } from '../../store/store.ts';
import type { Client, EnqueueOptions, FlowsClient, RunHandle } from '../client.ts';
import { fromWire, type Wire } from '../wire.ts';
import type { Api } from './api.ts';
import { enqueueBody, nameOfFlow, pageFromWire } from './wire-values.ts';
import { HttpAlerts, HttpErrors } from './http-alerts.ts';
import { HttpArtifacts } from './http-artifacts.ts';
import { HttpCache } from './http-cache.ts';
import { HttpInbox } from './http-inbox.ts';
import { HttpBackfills, HttpDeployments } from './http-deployments.ts';
import { HttpAudit, HttpFigures, HttpKeys, HttpLimits } from './http-fleet.ts';
import { HttpConnections, HttpSecrets, HttpVariables } from './http-secrets.ts';
import { HttpRuns } from './http-runs.ts';
import { type HttpEvents, httpEvents } from './http-events.ts';
import type { ExportsClient } from '../export/export-client.ts';
import { httpExports } from './http-exports.ts';
import { HttpWebhooks } from './http-webhooks.ts';

/** Timeout for many runs at once, ms. */
const manyTimeoutMs = 300_000;

export class HttpClient implements Client {
  readonly runs: HttpRuns;
  readonly flows: FlowsClient;
  readonly deployments: HttpDeployments;
  readonly backfills: HttpBackfills;
  readonly limits: HttpLimits;
  readonly cache: HttpCache;
  readonly inbox: HttpInbox;
  readonly figures: HttpFigures;
  readonly artifacts: HttpArtifacts;
  readonly events: HttpEvents;
  readonly webhooks: HttpWebhooks;
  readonly exports: ExportsClient;
  readonly alerts: HttpAlerts;
  readonly errors: HttpErrors;
  readonly keys: HttpKeys;
  readonly audit: HttpAudit;
  readonly secrets: HttpSecrets;
  readonly variables: HttpVariables;
  readonly connections: HttpConnections;
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
    this.runs = new HttpRuns(api, (id) => this.#handle(id));
    this.flows = flowsOf(api);
    this.deployments = new HttpDeployments(api, (id) => this.#handle(id));
    this.backfills = new HttpBackfills(api);
    this.limits = new HttpLimits(api);
    this.cache = new HttpCache(api);
    this.inbox = new HttpInbox(api);
    this.figures = new HttpFigures(api);
    this.artifacts = new HttpArtifacts(api);
    this.events = httpEvents(api);
    this.webhooks = new HttpWebhooks(api);
    this.exports = httpExports(api);
    this.alerts = new HttpAlerts(api);
    this.errors = new HttpErrors(api);
    this.keys = new HttpKeys(api);
    this.audit = new HttpAudit(api);
    this.secrets = new HttpSecrets(api);
    this.variables = new HttpVariables(api);
    this.connections = new HttpConnections(api);
  }

  async enqueue<const C extends FlowRef>(
    flow: C,
    ...[params, options = {}]: StartArguments<C, [options?: EnqueueOptions]>
  ): Promise<RunHandle<ResultOf<C>, EmitsOf<C>>> {
    const body = { flow: await nameOfFlow(flow), ...enqueueBody(params, options) };
    const { id } = await this.#api.post<{ readonly id: string }>('runs', body, { repeatable: options.idempotencyKey !== undefined });
    return this.#handle(id) as RunHandle<ResultOf<C>, EmitsOf<C>>;
  }

  async enqueueMany(flow: FlowRef, runs: Parameters<Client['enqueueMany']>[1]): Promise<readonly string[]> {
    if (runs.length === 0) return [];
    const body = { flow: await nameOfFlow(flow), runs: runs.map(({ params, ...options }) => enqueueBody(params, options)) };
    const repeatable = runs.every(({ idempotencyKey }) => idempotencyKey !== undefined);
    return (
      await this.#api.request<{ readonly ids: readonly string[] }>('POST', 'runs/many', { body, repeatable, timeoutMs: manyTimeoutMs })
    ).ids;
  }

  async close(): Promise<void> {
    this.#api.close();
  }

  #handle(id: string): RunHandle {
    return remoteHandle(this.runs, id, (run) => this.runs.resultOf(run));
  }
}

/** Without the figures that accompany it in the list. */
function flowOf(flow: Wire<StoredFlow> & { readonly figures?: unknown }): StoredFlow {
  const { figures: _figures, ...stored } = flow;
  return fromWire<StoredFlow>(stored);
}

function flowsOf(api: Api): FlowsClient {
  return {
    list: async () => pageFromWire<StoredFlow>(await api.get('flows'), flowOf).items,
    get: async (name) =>
      fromWire<StoredFlow>((await api.get<{ readonly flow: Wire<StoredFlow> }>(`flows/${encodeURIComponent(name)}`)).flow),
  };
}
