/** Contract of webhooks: sources of events over HTTP. */
import type { Duration } from '../base/duration.ts';
import type { Webhook, WebhookStyle } from '../model/triggers/webhook.ts';

export type { Webhook } from '../model/triggers/webhook.ts';

export interface WebhookSpec {
  /** Default `standard`. */
  readonly style?: WebhookStyle;
  /** Names of secrets that may sign; several during a rotation. */
  readonly secrets: readonly string[];
  /** For `header` and `token`: the name of the header with the signature, or the token. */
  readonly header?: string;
  /** For `header`: prefix of the signature. */
  readonly prefix?: string;
  /** For `header`; default `hex`. */
  readonly encoding?: 'hex' | 'base64';
  /** For `header`: header with the time, which is signed as `<time>.<body>`. */
  readonly timestampHeader?: string;
  /** Name of its events, with `{name}`, `{payload.…}` and `{headers.…}`; default by its style, e.g. `{name}.{payload.type}`. */
  readonly event?: string;
  /** Path of the event's identity: `payload.id`, `headers.x-request-id`. Default by its style. */
  readonly eventId?: string;
  /** Payload of the event, by paths; default the whole body. */
  readonly payload?: Readonly<Record<string, string>>;
  /** Maximum age of a signed time; default 5 minutes. */
  readonly tolerance?: Duration;
  /** How long accepted deliveries are remembered; default 30 days. */
  readonly replayWindow?: Duration;
  readonly description?: string | null;
}

/** What a delivery would do. */
export interface WebhookTest {
  /** Name, id and payload of the event. */
  readonly event: string;
  readonly id: string;
  readonly data: unknown;
  /** Deployments it would start. */
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
   * Signs a body with its secret, verifies it as if received, and reports what it would do. Nothing is stored.
   *
   * @throws BatutaError WEBHOOK_NOT_FOUND, WEBHOOK_REFUSED, EVENT_INVALID, SECRET_…
   */
  test(name: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<WebhookTest>;
}
