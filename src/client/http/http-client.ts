/** The client that talks to a server. It holds no store, no flows and no connection of its own. */
import { checkOptions } from '../call-options.ts';
import { remoteHandle } from '../remote-handle.ts';
import type { EmitsOf, FlowRef, ResultOf, StartArguments } from '../../model/flow-types.ts';
import type { StoredFlow } from '../../store/store.ts';
import type { Client, EnqueueOptions, FlowsClient, RunHandle } from '../client.ts';
import { fromWire, type Wire } from '../wire.ts';
import type { Api } from './api.ts';
import { enqueueBody, nameOfFlow, pageFromWire, runQuery, pathTo } from './wire-values.ts';
import { httpAlerts, httpErrors } from './http-alerts.ts';
import { httpArtifacts } from './http-artifacts.ts';
import { httpInbox } from './http-inbox.ts';
import { httpBackfills, httpDeployments } from './http-deployments.ts';
import { httpAudit, httpCache, httpFigures, httpKeys, httpLimits } from './http-fleet.ts';
import { httpConnections, httpSecrets, httpVariables } from './http-secrets.ts';
import { HttpRuns } from './http-runs.ts';
import { httpEvents, httpWebhooks } from './http-events.ts';
import { checkExport, type ExportsClient } from '../export/export-client.ts';
import { unreachable } from './api-errors.ts';

/** Timeout for many runs at once, ms. */
const manyTimeoutMs = 300_000;

export class HttpClient implements Client {
  readonly runs: HttpRuns;
  readonly flows: Client['flows'];
  readonly deployments: Client['deployments'];
  readonly backfills: Client['backfills'];
  readonly limits: Client['limits'];
  readonly cache: Client['cache'];
  readonly inbox: Client['inbox'];
  readonly figures: Client['figures'];
  readonly artifacts: Client['artifacts'];
  readonly events: Client['events'];
  readonly webhooks: Client['webhooks'];
  readonly exports: Client['exports'];
  readonly alerts: Client['alerts'];
  readonly errors: Client['errors'];
  readonly keys: Client['keys'];
  readonly audit: Client['audit'];
  readonly secrets: Client['secrets'];
  readonly variables: Client['variables'];
  readonly connections: Client['connections'];
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
    this.runs = new HttpRuns(api, (id) => this.#handle(id));
    this.flows = httpFlows(api);
    this.deployments = httpDeployments(api, (id) => this.#handle(id));
    this.backfills = httpBackfills(api);
    this.limits = httpLimits(api);
    this.cache = httpCache(api);
    this.inbox = httpInbox(api);
    this.figures = httpFigures(api);
    this.artifacts = httpArtifacts(api);
    this.events = httpEvents(api);
    this.webhooks = httpWebhooks(api);
    this.exports = httpExports(api);
    this.alerts = httpAlerts(api);
    this.errors = httpErrors(api);
    this.keys = httpKeys(api);
    this.audit = httpAudit(api);
    this.secrets = httpSecrets(api);
    this.variables = httpVariables(api);
    this.connections = httpConnections(api);
  }

  async enqueue<const C extends FlowRef>(
    flow: C,
    ...[params, options = {}]: StartArguments<C, [options?: EnqueueOptions]>
  ): Promise<RunHandle<ResultOf<C>, EmitsOf<C>>> {
    checkOptions('enqueue', options);
    const body = { flow: await nameOfFlow(flow), ...enqueueBody(params, options) };
    const { id } = await this.#api.post<{ readonly id: string }>('runs', body, { repeatable: options.idempotencyKey !== undefined });
    return this.#handle(id) as RunHandle<ResultOf<C>, EmitsOf<C>>;
  }

  async enqueueMany(flow: FlowRef, runs: Parameters<Client['enqueueMany']>[1]): Promise<readonly string[]> {
    if (runs.length === 0) return [];
    for (const run of runs) checkOptions('enqueue', run);
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

function httpFlows(api: Api): FlowsClient {
  return {
    list: async () => pageFromWire<StoredFlow>(await api.get('flows'), flowOf).items,
    get: async (name) => fromWire<StoredFlow>((await api.get<{ readonly flow: Wire<StoredFlow> }>(pathTo(['flows', name]))).flow),
  };
}

function httpExports(api: Api): ExportsClient {
  return {
    async *bytes(kind, { format, filter = {}, signal }) {
      checkExport(kind, format, filter);
      const { minLevel, by, ...runs } = filter;
      const query = { ...runQuery(runs), format, level: minLevel, by };
      const pieces = await api.openStream(`export/${kind}`, query, { accept: '*/*' }, signal);
      try {
        yield* pieces;
      } catch (error) {
        signal?.throwIfAborted();
        api.closed.throwIfAborted();
        // An incomplete export.
        throw unreachable(api.server, error);
      }
    },
  };
}
