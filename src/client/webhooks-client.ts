/** Contract of webhooks: sources of events over HTTP. */
import type { Duration } from '../base/duration.ts';
import type { Webhook, WebhookStyle } from '../model/triggers/webhook.ts';

export type { Webhook } from '../model/triggers/webhook.ts';

export interface WebhookSpec {
  /** Default `standard`. */
  readonly style?: WebhookStyle;
  /** Names of secrets that may sign, one or several while one takes the place of another. */
  readonly secrets: readonly string[];
  /** Of `header` and `token`: the name of the header that holds the signature, or the token. */
  readonly header?: string;
  /** Of `header`: what stands before the signature. */
  readonly prefix?: string;
  /** Of `header`; default `hex`. */
  readonly encoding?: 'hex' | 'base64';
  /** Of `header`: header with the time, which is signed as `<time>.<body>`. */
  readonly timestampHeader?: string;
  /** Name of its events, with `{name}`, `{payload.…}` and `{headers.…}`; default by its style, e.g. `{name}.{payload.type}`. */
  readonly event?: string;
  /** Path of what makes an event one: `payload.id`, `headers.x-request-id`. Default as its style has it. */
  readonly eventId?: string;
  /** What the event carries, by paths; default the whole body. */
  readonly payload?: Readonly<Record<string, string>>;
  /** How old a signed time may be; default 5 minutes. */
  readonly tolerance?: Duration;
  /** For how long what was taken is known again; default 30 days. */
  readonly replayWindow?: Duration;
  readonly description?: string | null;
}

/** What a delivery would do. */
export interface WebhookTest {
  /** Name and id of the event, and what it would carry. */
  readonly event: string;
  readonly id: string;
  readonly data: unknown;
  /** Deployments that it would start. */
  readonly starts: readonly string[];
}

export interface WebhooksClient {
  /** By name. */
  list(): Promise<readonly Webhook[]>;
  /** @throws BatutaError WEBHOOK_NOT_FOUND */
  get(name: string): Promise<Webhook>;
  /** Creates or replaces. @throws BatutaError NAME_INVALID, WEBHOOK_INVALID, SECRET_NOT_FOUND, DURATION_INVALID */
  set(name: string, spec: WebhookSpec): Promise<Webhook>;
  /** Its events stay. @throws BatutaError WEBHOOK_NOT_FOUND */
  delete(name: string): Promise<void>;
  /**
   * Signs a body with its secret, verifies it as if it had come, and tells what it would do. Nothing is stored.
   *
   * @throws BatutaError WEBHOOK_NOT_FOUND, WEBHOOK_REFUSED, EVENT_INVALID, SECRET_…
   */
  test(name: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<WebhookTest>;
}
