/** Sources of events over HTTP: how they authenticate, and how their bodies become events. Plain data; times are UTC epoch ms. */
import { dig } from './paths.ts';

/**
 * How a source signs. `standard`: Standard Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature`) · `github`: `X-Hub-Signature-256` ·
 * `stripe`: `Stripe-Signature` · `header`: HMAC-SHA256 of the body in a header of any name · `token`: the secret itself in a header.
 */
export const webhookStyles = ['standard', 'github', 'stripe', 'header', 'token'] as const;
export type WebhookStyle = (typeof webhookStyles)[number];

/** Checked, with defaults filled in; plain JSON. */
export interface WebhookRule {
  readonly style: WebhookStyle;
  /** Names of secrets, any of which may have signed; several during a rotation. */
  readonly secrets: readonly string[];
  /** Of `header` and `token`: the header's name, in lower case; else null. */
  readonly header: string | null;
  /** Of `header`: prefix of the signature, e.g. `sha256=`. */
  readonly prefix: string;
  readonly encoding: 'hex' | 'base64';
  /** Of `header`: header with the time in seconds, signed before the body as `<time>.<body>`; null: no time is signed. */
  readonly timestampHeader: string | null;
  /** Name of its events: text with `{name}`, `{payload.…}` and `{headers.…}`. */
  readonly event: string;
  /** Path of what identifies an event, e.g. `payload.id`; null: by its style. */
  readonly eventId: string | null;
  /** The event's data, by paths; null: the whole body. */
  readonly payload: Readonly<Record<string, string>> | null;
  /** How old a signed time may be, ms. */
  readonly toleranceMs: number;
  /** For how long duplicates are recognised, ms. */
  readonly replayMs: number;
}

export interface Webhook {
  readonly name: string;
  readonly description: string | null;
  readonly rule: WebhookRule;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Number accepted, and when the last. */
  readonly accepted: number;
  readonly acceptedAt: number | null;
  /** When one was last refused and why; noted at most every ten seconds. */
  readonly refusedAt: number | null;
  readonly refusal: string | null;
}

/** Parts of a delivery to read. */
export interface Delivery {
  readonly name: string;
  readonly payload: unknown;
  readonly headers: Readonly<Record<string, unknown>>;
}

export const eventDefaults: Readonly<Record<WebhookStyle, string>> = {
  standard: '{name}.{payload.type}',
  github: '{name}.{headers.x-github-event}',
  stripe: '{name}.{payload.type}',
  header: '{name}',
  token: '{name}',
};

/** Parses a path into a delivery: `payload.data.id`, `headers.x-github-event`, `name`; null if it is none. */
export function deliveryPath(text: string): readonly string[] | null {
  const segments = text.split('.');
  const [root = ''] = segments;
  if (text.length > 200 || segments.includes('') || /[\p{Cc}\p{Cs}{}]/u.test(text)) return null;
  return ['payload', 'headers', 'name'].includes(root) ? segments : null;
}

/** The value at a path of a delivery; undefined if none. */
export function deliveredAt(delivery: Delivery, path: string): unknown {
  return dig(delivery, deliveryPath(path) ?? ['']);
}

/** The name of an event with placeholders filled in; those without text or number are left out. */
export function renderEvent(template: string, delivery: Delivery): string {
  return template.replace(/\{([^{}]+)\}/g, (_, path: string) => {
    const value = deliveredAt(delivery, path);
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  });
}
