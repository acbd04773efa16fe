/**
 * Verifies that a delivery was signed with the secret. The body is not parsed before that.
 *
 * Sources: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md,
 * https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries, https://docs.stripe.com/webhooks#verify-manually
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { WebhookRule } from '../model/triggers/webhook.ts';

export interface SignedDelivery {
  /** By lowercase names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array;
}

export type Verdict =
  /** `digest` identifies the delivery: a repeated one has the same. `id`: the sender's own id, if it is signed. */
  { readonly ok: true; readonly digest: string; readonly id: string | null } | { readonly ok: false; readonly reason: string };

/** Most signatures read from one header. */
const maxSignatures = 10;
const maxHeaderChars = 4_096;

/** @param secrets any of which may be the signer's @param now UTC epoch ms */
export function verifyDelivery(rule: WebhookRule, secrets: readonly string[], { headers, body }: SignedDelivery, now: number): Verdict {
  const header = (name: string): string => {
    const value = headers[name];
    return typeof value === 'string' && value.length <= maxHeaderChars ? value : '';
  };
  const isFresh = (seconds: string): boolean => /^\d{1,12}$/.test(seconds) && Math.abs(now - Number(seconds) * 1_000) <= rule.toleranceMs;
  const signed = (
    content: readonly (string | Uint8Array)[],
    given: readonly string[],
    encoding: 'hex' | 'base64',
    keyOf = keyAsIs,
  ): boolean => secrets.some((secret) => given.slice(0, maxSignatures).some((one) => isSignature(one, keyOf(secret), content, encoding)));
  const stale = refused('its time is missing, too old, or ahead');
  const forged = refused('its signature is missing, or none of the secrets has made it');
  switch (rule.style) {
    case 'standard': {
      const [id, time] = [header('webhook-id'), header('webhook-timestamp')];
      if (id === '') return refused('the header webhook-id is missing');
      if (!isFresh(time)) return stale;
      const given = header('webhook-signature')
        .split(' ')
        .flatMap((one) => (one.startsWith('v1,') ? [one.slice(3)] : []));
      return signed([`${id}.${time}.`, body], given, 'base64', standardKey) ? { ok: true, digest: digestOf([id]), id } : forged;
    }
    case 'stripe': {
      const parts = header('stripe-signature')
        .split(',')
        .map((part) => part.trim().split('=', 2) as [string, string | undefined]);
      const time = parts.find(([key]) => key === 't')?.[1] ?? '';
      if (!isFresh(time)) return stale;
      const given = parts.flatMap(([key, value]) => (key === 'v1' && value !== undefined ? [value] : []));
      return signed([`${time}.`, body], given, 'hex') ? { ok: true, digest: digestOf([time, '.', body]), id: null } : forged;
    }
    case 'github': {
      const given = header('x-hub-signature-256');
      const isMade = given.startsWith('sha256=') && signed([body], [given.slice(7)], 'hex');
      return isMade ? { ok: true, digest: digestOf([body]), id: null } : forged;
    }
    case 'header': {
      const time = rule.timestampHeader === null ? null : header(rule.timestampHeader);
      if (time !== null && !isFresh(time)) return stale;
      const content = time === null ? [body] : [`${time}.`, body];
      const given = header(rule.header ?? '');
      const isMade = given.startsWith(rule.prefix) && signed(content, [given.slice(rule.prefix.length)], rule.encoding);
      return isMade ? { ok: true, digest: digestOf(content), id: null } : forged;
    }
    case 'token': {
      const given = header(rule.header ?? '');
      const isKnown = given !== '' && secrets.some((secret) => isSame(Buffer.from(digestOf([given])), Buffer.from(digestOf([secret]))));
      return isKnown ? { ok: true, digest: digestOf([body]), id: null } : forged;
    }
  }
}

/** Headers of Standard Webhooks. @param now UTC epoch ms, of this attempt @param id the same for every attempt */
export function signStandard(secret: string, body: string, id: string, now: number): Readonly<Record<string, string>> {
  const time = String(Math.floor(now / 1_000));
  const mac = createHmac('sha256', standardKey(secret)).update(`${id}.${time}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': `v1,${mac}` };
}

/** Headers with which a delivery of this style is accepted now. */
export function signDelivery(rule: WebhookRule, secret: string, body: string, id: string, now: number): Readonly<Record<string, string>> {
  const time = String(Math.floor(now / 1_000));
  const mac = (content: string, encoding: 'hex' | 'base64', key: Buffer = keyAsIs(secret)): string =>
    createHmac('sha256', key).update(content).digest(encoding);
  switch (rule.style) {
    case 'standard':
      return signStandard(secret, body, id, now);
    case 'stripe':
      return { 'stripe-signature': `t=${time},v1=${mac(`${time}.${body}`, 'hex')}` };
    case 'github':
      return { 'x-hub-signature-256': `sha256=${mac(body, 'hex')}`, 'x-github-delivery': id };
    case 'header': {
      const content = rule.timestampHeader === null ? body : `${time}.${body}`;
      const stamp = rule.timestampHeader === null ? {} : { [rule.timestampHeader]: time };
      return { ...stamp, [rule.header ?? '']: `${rule.prefix}${mac(content, rule.encoding)}` };
    }
    case 'token':
      return { [rule.header ?? '']: secret };
  }
}

function refused(reason: string): Verdict {
  return { ok: false, reason };
}

function isSignature(given: string, key: Buffer, content: readonly (string | Uint8Array)[], encoding: 'hex' | 'base64'): boolean {
  const mac = createHmac('sha256', key);
  for (const part of content) mac.update(part);
  return isSame(Buffer.from(given, encoding), mac.digest());
}

function isSame(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function keyAsIs(secret: string): Buffer {
  return Buffer.from(secret);
}

/** Secrets of Standard Webhooks are base64 after `whsec_`; any other text is used unchanged. */
function standardKey(secret: string): Buffer {
  return secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : keyAsIs(secret);
}

function digestOf(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
