/** A declared webhook: checked, with its defaults filled in. */
import { cutText } from '../base/cut-text.ts';
import { type Duration, parseDuration } from '../base/duration.ts';
import { BatutaError } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';
import { checkValueName } from '../model/secret.ts';
import { deliveryPath, eventDefaults, type WebhookRule, type WebhookStyle, webhookStyles } from '../model/triggers/webhook.ts';
import type { WebhookSpec } from './webhooks-client.ts';

const names = [
  'style',
  'secrets',
  'header',
  'prefix',
  'encoding',
  'timestampHeader',
  'event',
  'eventId',
  'payload',
  'tolerance',
  'replayWindow',
  'description',
] as const satisfies readonly (keyof WebhookSpec)[];
const toleranceMs = 5 * 60_000;
const maxToleranceMs = 3_600_000;
const replayMs = 30 * 86_400_000;
const maxReplayMs = 400 * 86_400_000;
const maxSecrets = 5;
const maxEntries = 50;

/** @throws BatutaError WEBHOOK_INVALID, OPTION_UNKNOWN, NAME_INVALID, DURATION_INVALID */
export function checkWebhook(name: string, spec: WebhookSpec): WebhookRule {
  checkValueName('webhook', name);
  const unknown = Object.keys(spec).find((option) => !(names as readonly string[]).includes(option));
  if (unknown !== undefined)
    throw new BatutaError(
      'OPTION_UNKNOWN',
      `Webhook ${name}: there is no option '${unknown}'.${hintFor(unknown, names, 'The options are')}`,
    );
  const { style = 'standard', secrets, event = eventDefaults[style], eventId, encoding = 'hex' } = spec;
  if (!webhookStyles.includes(style)) throw invalid(name, `style must be one of ${webhookStyles.join(', ')}, not ${shown(style)}`);
  if (!Array.isArray(secrets) || secrets.length === 0 || secrets.length > maxSecrets)
    throw invalid(name, `secrets must be 1 to ${maxSecrets} names of secrets`);
  for (const secret of secrets as readonly string[]) checkValueName('secret', secret);
  if (encoding !== 'hex' && encoding !== 'base64') throw invalid(name, `encoding must be hex or base64, not ${shown(encoding)}`);
  for (const [, path = ''] of event.matchAll(/\{([^{}]+)\}/g)) pathOf(name, 'event', path);
  if (event === '' || event.length > 200) throw invalid(name, 'event must be 1 to 200 characters');
  return {
    style,
    secrets: [...new Set(secrets as string[])],
    ...headersOf(name, style, spec),
    encoding,
    event,
    eventId: eventId === undefined ? (style === 'stripe' ? 'payload.id' : null) : pathOf(name, 'eventId', eventId),
    payload: spec.payload === undefined ? null : mappingOf(name, spec.payload),
    toleranceMs: durationOf(name, 'tolerance', spec.tolerance, toleranceMs, maxToleranceMs),
    replayMs: durationOf(name, 'replayWindow', spec.replayWindow, replayMs, maxReplayMs),
  };
}

function headersOf(
  name: string,
  style: WebhookStyle,
  { header, prefix = '', timestampHeader }: WebhookSpec,
): Pick<WebhookRule, 'header' | 'prefix' | 'timestampHeader'> {
  const isOwn = style === 'header' || style === 'token';
  if (isOwn && header === undefined)
    throw invalid(name, `style ${style} needs header, the name of the header that holds the ${style === 'token' ? 'token' : 'signature'}`);
  const extra = Object.entries({
    header: isOwn ? undefined : header,
    prefix: style === 'header' || prefix === '' ? undefined : prefix,
    timestampHeader: style === 'header' ? undefined : timestampHeader,
  });
  const wrong = extra.find(([, value]) => value !== undefined);
  if (wrong) throw invalid(name, `${wrong[0]} does not go with style ${style}`);
  if (typeof prefix !== 'string' || prefix.length > 50) throw invalid(name, 'prefix must be text of up to 50 characters');
  return { header: headerOf(name, 'header', header), prefix, timestampHeader: headerOf(name, 'timestampHeader', timestampHeader) };
}

function headerOf(name: string, option: string, header: string | undefined): string | null {
  if (header === undefined) return null;
  if (/^[A-Za-z0-9-]{1,100}$/.test(header)) return header.toLowerCase();
  throw invalid(name, `${option} must be the name of a header, not ${shown(header)}`);
}

function mappingOf(name: string, payload: unknown): Readonly<Record<string, string>> {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload) || Object.keys(payload).length > maxEntries)
    throw invalid(name, `payload must be an object of up to ${maxEntries} paths`);
  return Object.fromEntries(Object.entries(payload).map(([field, path]) => [field, pathOf(name, `payload.${field}`, path)]));
}

function pathOf(name: string, option: string, path: unknown): string {
  if (typeof path === 'string' && deliveryPath(path) !== null) return path;
  throw invalid(name, `${option} has ${shown(path)}, which is not a path; begin with payload, headers or name, e.g. payload.data.id`);
}

function durationOf(name: string, option: string, given: Duration | undefined, otherwise: number, mostMs: number): number {
  if (given === undefined) return otherwise;
  let ms: number;
  try {
    ms = parseDuration(given);
  } catch (cause) {
    throw new BatutaError('DURATION_INVALID', `Webhook ${name}: ${option} ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
  if (ms >= 1_000 && ms <= mostMs) return ms;
  throw invalid(name, `${option} must be from 1 second to ${mostMs / 1_000} seconds`);
}

function invalid(name: string, what: string): BatutaError {
  return new BatutaError('WEBHOOK_INVALID', `Webhook ${name}: ${what}.`, { details: { webhook: name } });
}

function shown(value: unknown): string {
  return cutText(JSON.stringify(value) ?? String(value), 60, '…');
}
