/** Alerts and errors over HTTP. */
import { checkFilter } from '../../model/list-filters.ts';
import type { Alert, AlertFiring, AlertSilence } from '../../model/alerts/alert.ts';
import type { AlertRule } from '../../model/alerts/rule.ts';
import type { ErrorGroup, ErrorState } from '../../model/error-group.ts';
import type { AlertFilter, ErrorFilter, Page } from '../../store/store.ts';
import type { AlertsClient, AlertSpec, AlertView, ErrorsClient, RuleSource, SentFiring, SilenceSpec } from '../alerts-client.ts';
import { fromWire, type Wire } from '../wire.ts';
import type { Api } from './api.ts';
import { pageFromWire } from './wire-values.ts';

type Items<T> = { readonly items: readonly Wire<T>[] };

export class HttpAlerts implements AlertsClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async list({ states, ...filter }: AlertFilter = {}): Promise<Page<Alert>> {
    checkFilter('alerts', { states, ...filter });
    return pageFromWire<Alert>(await this.#api.get('alerts', { ...filter, state: states }));
  }

  async get(id: string): Promise<AlertView> {
    return fromWire<AlertView>(await this.#api.get<Wire<AlertView>>(`alerts/${encodeURIComponent(id)}`));
  }

  async resolve(id: string): Promise<Alert> {
    return fromWire<Alert>(await this.#api.post<Wire<Alert>>(`alerts/${encodeURIComponent(id)}/resolve`, {}));
  }

  async rules(): Promise<readonly AlertRule[]> {
    return (await this.#api.get<Items<AlertRule>>('alert-rules')).items.map((item) => fromWire<AlertRule>(item));
  }

  async rule(name: string): Promise<AlertRule> {
    return fromWire<AlertRule>(await this.#api.get<Wire<AlertRule>>(ruleOf(name)));
  }

  async setRule(name: string, spec: AlertSpec, source: RuleSource = {}): Promise<AlertRule> {
    return fromWire<AlertRule>(await this.#api.request<Wire<AlertRule>>('PUT', ruleOf(name), { body: { ...spec, ...source } }));
  }

  async deleteRule(name: string, { origin }: Pick<RuleSource, 'origin'> = {}): Promise<void> {
    await this.#api.request('DELETE', ruleOf(name), origin === undefined ? {} : { query: { origin } });
  }

  async pauseRule(name: string): Promise<AlertRule> {
    return fromWire<AlertRule>(await this.#api.post<Wire<AlertRule>>(`${ruleOf(name)}/pause`, {}, { repeatable: true }));
  }

  async resumeRule(name: string): Promise<AlertRule> {
    return fromWire<AlertRule>(await this.#api.post<Wire<AlertRule>>(`${ruleOf(name)}/resume`, {}, { repeatable: true }));
  }

  async testRule(name: string): Promise<AlertFiring> {
    return fromWire<AlertFiring>(await this.#api.post<Wire<AlertFiring>>(`${ruleOf(name)}/test`, {}));
  }

  async firings(rule: string, options: { readonly limit?: number } = {}): Promise<readonly SentFiring[]> {
    return (await this.#api.get<Items<SentFiring>>(`${ruleOf(rule)}/firings`, options)).items.map((item) => fromWire<SentFiring>(item));
  }

  async silences(): Promise<readonly AlertSilence[]> {
    return (await this.#api.get<Items<AlertSilence>>('alert-silences')).items.map((item) => fromWire<AlertSilence>(item));
  }

  async silence(spec: SilenceSpec): Promise<AlertSilence> {
    return fromWire<AlertSilence>(await this.#api.post<Wire<AlertSilence>>('alert-silences', spec));
  }

  async unsilence(id: string): Promise<void> {
    await this.#api.request('DELETE', `alert-silences/${encodeURIComponent(id)}`);
  }
}

export class HttpErrors implements ErrorsClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async list({ since, ...filter }: ErrorFilter = {}): Promise<Page<ErrorGroup>> {
    checkFilter('errors', { since, ...filter });
    return pageFromWire<ErrorGroup>(
      await this.#api.get('errors', { ...filter, since: since === undefined ? undefined : new Date(since).toISOString() }),
    );
  }

  async get(key: string, flow?: string): Promise<ErrorGroup> {
    return fromWire<ErrorGroup>(await this.#api.get<Wire<ErrorGroup>>(`errors/${encodeURIComponent(key)}`, { flow }));
  }

  async mark(key: string, state: ErrorState, { flow }: { readonly flow?: string } = {}): Promise<ErrorGroup> {
    const path = `errors/${encodeURIComponent(key)}/mark`;
    return fromWire<ErrorGroup>(
      await this.#api.post<Wire<ErrorGroup>>(path, { state, ...(flow === undefined ? {} : { flow }) }, { repeatable: true }),
    );
  }
}

function ruleOf(name: string): string {
  return `alert-rules/${encodeURIComponent(name)}`;
}
