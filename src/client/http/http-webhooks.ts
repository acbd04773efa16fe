/** Webhooks over HTTP. */
import type { Webhook, WebhooksClient, WebhookSpec, WebhookTest } from '../webhooks-client.ts';
import { fromWire, type Wire } from '../wire.ts';
import type { Api } from './api.ts';

export class HttpWebhooks implements WebhooksClient {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async list(): Promise<readonly Webhook[]> {
    return (await this.#api.get<{ readonly items: readonly Wire<Webhook>[] }>('webhooks')).items.map((item) => fromWire<Webhook>(item));
  }

  async get(name: string): Promise<Webhook> {
    return fromWire<Webhook>(await this.#api.get<Wire<Webhook>>(pathOf(name)));
  }

  async set(name: string, spec: WebhookSpec): Promise<Webhook> {
    return fromWire<Webhook>(await this.#api.request<Wire<Webhook>>('PUT', pathOf(name), { body: spec }));
  }

  async delete(name: string): Promise<void> {
    await this.#api.request('DELETE', pathOf(name));
  }

  test(name: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<WebhookTest> {
    return this.#api.post<WebhookTest>(`${pathOf(name)}/test`, { body, headers }, { repeatable: true });
  }
}

function pathOf(name: string): string {
  return `webhooks/${encodeURIComponent(name)}`;
}
