/** Webhooks over an open store: kept, received and tested. */
import { createHash } from 'node:crypto';
import { cutText } from '../base/cut-text.ts';
import { BatutaError } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';
import type { EngineServices } from '../engine/services.ts';
import { checkDescription } from '../model/secret.ts';
import { passes } from '../model/triggers/paths.ts';
import { isEventId, meansEvent } from '../model/triggers/trigger.ts';
import { deliveredAt, type Delivery, renderEvent, type Webhook } from '../model/triggers/webhook.ts';
import { missing } from '../secrets/read-values.ts';
import { signDelivery, type SignedDelivery, verifyDelivery } from '../secrets/webhook-signature.ts';
import type { NewEvent } from '../store/store.ts';
import { checkWebhook } from './declared-webhook.ts';
import { makeEvent } from './emit-event.ts';
import type { WebhooksClient, WebhookSpec, WebhookTest } from './webhooks-client.ts';

/** An accepted delivery. */
export interface Received {
  readonly event: string;
  readonly id: string;
  /** Whether it was accepted before: then nothing was done. */
  readonly isDuplicate: boolean;
}

export class LocalWebhooks implements WebhooksClient {
  readonly #services: EngineServices;
  readonly #tellSchedulers: () => Promise<void>;

  constructor(services: EngineServices, tellSchedulers: () => Promise<void>) {
    this.#services = services;
    this.#tellSchedulers = tellSchedulers;
  }

  list(): Promise<readonly Webhook[]> {
    return this.#services.store.webhooks.list();
  }

  async get(name: string): Promise<Webhook> {
    return (await this.#services.store.webhooks.get(name)) ?? Promise.reject(await this.#missing(name));
  }

  async set(name: string, spec: WebhookSpec): Promise<Webhook> {
    const { store, clock } = this.#services;
    const rule = checkWebhook(name, spec);
    const description = spec.description ?? null;
    checkDescription(description);
    for (const secret of rule.secrets)
      if ((await store.secrets.get(secret)) === null) throw missing('SECRET_NOT_FOUND', 'secret', secret, await store.secrets.names());
    const now = clock.now();
    const fresh = { accepted: 0, acceptedAt: null, refusedAt: null, refusal: null };
    return await store.webhooks.put({ name, description, rule, createdAt: now, updatedAt: now, ...fresh });
  }

  async delete(name: string): Promise<void> {
    if (!(await this.#services.store.webhooks.delete(name))) throw await this.#missing(name);
  }

  /**
   * Accepts a delivery: verified first, and only then parsed. One transaction records it and stores its event.
   *
   * @param parse reads the body as JSON
   * @throws BatutaError WEBHOOK_NOT_FOUND, WEBHOOK_UNVERIFIABLE, WEBHOOK_REFUSED, EVENT_INVALID, RESULT_NOT_SERIALIZABLE, SECRET_EXPOSED,
   *   STORE_…, and what `parse` throws
   */
  async receive(name: string, signed: SignedDelivery, parse: () => Promise<unknown>): Promise<Received> {
    const { store } = this.#services;
    const webhook = await store.webhooks.get(name);
    if (webhook === null) throw new BatutaError('WEBHOOK_NOT_FOUND', 'There is no webhook of that name.');
    const secrets = await this.#secretsOf(webhook).catch(async (cause: unknown) => {
      await this.#noteRefusal(name, cause);
      // The sender is not verified yet: the name of a secret, and what is wrong with it, are for the owner.
      if (cause instanceof BatutaError && !cause.code.startsWith('STORE_'))
        throw new BatutaError('WEBHOOK_UNVERIFIABLE', 'Deliveries cannot be verified at the moment; send it again later.', { cause });
      throw cause;
    });
    const { digest, event } = await this.#read(webhook, secrets, signed, parse).catch(async (error: unknown) => {
      await this.#noteRefusal(name, error);
      throw error;
    });
    const isNew = await store.webhooks.accept(name, digest, webhook.rule.replayMs, event);
    if (isNew) await this.#tellSchedulers();
    return { event: event.name, id: event.id, isDuplicate: !isNew };
  }

  async test(name: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<WebhookTest> {
    const webhook = await this.get(name);
    const { clock, makeId, store } = this.#services;
    const secrets = await this.#secretsOf(webhook);
    const [secret = ''] = secrets;
    const text = JSON.stringify(body) ?? 'null';
    const small = Object.fromEntries(Object.entries(headers).map(([header, value]) => [header.toLowerCase(), value]));
    const signed = {
      headers: { ...small, ...signDelivery(webhook.rule, secret, text, `test_${makeId()}`, clock.now()) },
      body: Buffer.from(text),
    };
    const { event, data } = await this.#read(webhook, secrets, signed, async () => JSON.parse(text) as unknown);
    const facts = { payload: data, event: { id: event.id, name: event.name, source: event.source, at: new Date(event.at).toISOString() } };
    const starts = (await store.triggers.active()).filter(({ rule }) =>
      rule.sources.some((source, at) => meansEvent(source, event.name) && passes(rule.where, facts, at)),
    );
    return { event: event.name, id: event.id, data, starts: [...new Set(starts.map(({ deployment }) => deployment))] };
  }

  async #read(
    webhook: Webhook,
    secrets: readonly string[],
    signed: SignedDelivery,
    parse: () => Promise<unknown>,
  ): Promise<{ readonly digest: string; readonly event: NewEvent; readonly data: unknown }> {
    const { name, rule } = webhook;
    const now = this.#services.clock.now();
    const verdict = verifyDelivery(rule, secrets, signed, now);
    if (!verdict.ok) throw new BatutaError('WEBHOOK_REFUSED', `The delivery to webhook ${name} was refused: ${verdict.reason}.`);
    const delivery: Delivery = { name, payload: await parse(), headers: signed.headers };
    const given = rule.eventId === null ? verdict.id : deliveredAt(delivery, rule.eventId);
    // A body that arrives again after its window is another event.
    const once = `${verdict.digest}:${Math.floor(now / rule.replayMs)}`;
    const known = `${name}:${typeof given === 'string' || typeof given === 'number' ? given : once}`;
    const id = isEventId(known) ? known : `${name}:${createHash('sha256').update(known).digest('hex')}`;
    const data =
      rule.payload === null
        ? delivery.payload
        : Object.fromEntries(
            Object.entries(rule.payload).flatMap(([field, path]) => {
              const value = deliveredAt(delivery, path);
              return value === undefined ? [] : [[field, value]];
            }),
          );
    const event = makeEvent(this.#services, renderEvent(rule.event, delivery), data, { id }, `webhook:${name}`);
    return { digest: verdict.digest, event, data };
  }

  /** For the owner of the webhook. */
  async #noteRefusal(name: string, error: unknown): Promise<void> {
    if (error instanceof BatutaError && !error.code.startsWith('STORE_'))
      await this.#services.store.webhooks.noteRefusal(name, cutText(error.message, 500));
  }

  async #secretsOf({ rule }: Webhook): Promise<readonly string[]> {
    const { namedValues } = this.#services;
    if (!namedValues) throw new BatutaError('SECRET_KEY_MISSING', 'This process reads no secrets.');
    return await Promise.all(rule.secrets.map((secret) => namedValues.secret(secret)));
  }

  async #missing(name: string): Promise<BatutaError> {
    const names = (await this.list()).map((webhook) => webhook.name);
    return new BatutaError('WEBHOOK_NOT_FOUND', `There is no webhook '${name}'.${hintFor(name, names, 'There are')}`, {
      details: { name },
    });
  }
}
