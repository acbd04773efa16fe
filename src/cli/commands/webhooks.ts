/** `batuta webhook add|ls|show|delete|test`. */
import { randomBytes } from 'node:crypto';
import { isBatutaError } from '../../base/errors.ts';
import { programName } from '../../base/program-name.ts';
import { toWire } from '../../client/wire.ts';
import type { Webhook, WebhookSpec } from '../../client/webhooks-client.ts';
import { maxPayloadBytes } from '../../model/triggers/trigger.ts';
import { webhookStyles } from '../../model/triggers/webhook.ts';
import { noteLocally } from '../audit.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { openSettings, withClient } from '../open.ts';
import { printDone, printJson, printLines, printList } from '../print.ts';
import { readPlainGiven } from '../read-given.ts';
import { given, readDuration, readWord, usage } from '../read-options.ts';
import { factLines } from '../render/table.ts';
import { agoText } from '../render/times.ts';
import { oneLine } from '../render/width.ts';

interface AddOptions extends JsonOption {
  readonly style?: string;
  readonly secret: readonly string[];
  readonly header?: string;
  readonly prefix?: string;
  readonly encoding?: string;
  readonly timestampHeader?: string;
  readonly event?: string;
  readonly eventId?: string;
  readonly map: readonly string[];
  readonly tolerance?: string;
  readonly replayWindow?: string;
  readonly description?: string;
}

/** Creates or replaces one. Without `--secret` a secret is generated and shown only this once. */
export async function addWebhook(context: CommandContext, name: string, options: AddOptions): Promise<ExitStatus> {
  const { out } = context.terminal;
  const { config } = await openSettings(context);
  const { webhook, made } = await withClient(context, async (client) => {
    const own = `webhook.${name}`;
    let secret: string | null = null;
    if (options.secret.length === 0 && !(await client.secrets.get(own).then(() => true, unless('SECRET_NOT_FOUND')))) {
      secret = `whsec_${randomBytes(32).toString('base64')}`;
      await client.secrets.set(own, { value: secret, description: `Signs deliveries to webhook ${name}` });
      await noteLocally(client, 'secrets.set', own, { kind: 'stored' });
    }
    const set = await client.webhooks.set(name, specOf(options, options.secret.length === 0 ? [own] : options.secret));
    await noteLocally(client, 'webhooks.set', name, { style: set.rule.style, secrets: set.rule.secrets });
    return { webhook: set, made: secret };
  });
  if (options.json) return printJson(context.terminal, { ...toWire(webhook), ...(made === null ? {} : { secret: made }) });
  out.line(`Webhook ${name} takes deliveries at ${hookUrl(config, name)}, events ${oneLine(webhook.rule.event)}.`);
  if (made !== null) out.line(`Its secret, shown this once: ${made}`);
  return 0;
}

/** Lists them by name. */
export async function listWebhooks(context: CommandContext, options: JsonOption): Promise<ExitStatus> {
  const webhooks = await withClient(context, (client) => client.webhooks.list());
  const now = context.clock.now();
  return printList(context, webhooks, options, {
    columns: [
      { head: 'webhook', max: 40 },
      { head: 'style' },
      { head: 'events', max: 50 },
      { head: 'taken' },
      { head: 'refused', max: 60, drop: 1 },
    ],
    cells: (one, paint) => [
      paint.bold(one.name),
      one.rule.style,
      oneLine(one.rule.event),
      one.acceptedAt === null ? paint.dim('none yet') : `${one.accepted}, ${agoText(one.acceptedAt, now)}`,
      one.refusedAt === null ? '' : paint.yellow(`${agoText(one.refusedAt, now)}: ${oneLine(one.refusal ?? '')}`),
    ],
    json: (one) => toWire(one),
    empty: `No webhooks yet. Add one: ${programName()} webhook add NAME`,
  });
}

/** Shows one. */
export async function showWebhook(context: CommandContext, name: string, options: JsonOption): Promise<ExitStatus> {
  const { config } = await openSettings(context);
  const webhook = await withClient(context, (client) => client.webhooks.get(name));
  if (options.json) return printJson(context.terminal, toWire(webhook));
  const { out } = context.terminal;
  printLines(out, [out.paint.bold(name), ...factLines(factsOf(webhook, hookUrl(config, name), context.clock.now()), out.paint, 12)]);
  return 0;
}

/** Deletes webhooks; their events stay. */
export async function deleteWebhook(context: CommandContext, name: string, options: JsonOption): Promise<ExitStatus> {
  await withClient(context, async (client) => {
    await client.webhooks.delete(name);
    await noteLocally(client, 'webhooks.delete', name, null);
  });
  return printDone(context.terminal, options, [name], `Webhook ${name} is gone; its secret and its events stay.`);
}

/** Reports what a delivery would do. */
export async function testWebhook(
  context: CommandContext,
  name: string,
  from: string | undefined,
  options: JsonOption & { readonly header: readonly string[] },
): Promise<ExitStatus> {
  const body = from === undefined ? {} : readJson(await readPlainGiven(context, from, maxPayloadBytes));
  const headers = Object.fromEntries(options.header.map((pair) => pairOf('--header', pair, ':', 'name: value')));
  const test = await withClient(context, (client) => client.webhooks.test(name, body, headers));
  if (options.json) return printJson(context.terminal, test);
  const { out } = context.terminal;
  out.line(`It would be taken as event ${oneLine(test.event)}, id ${oneLine(test.id)}.`);
  out.line(
    test.starts.length === 0 ? 'No deployment has a trigger that it would fire.' : `It would start ${test.starts.map(oneLine).join(', ')}.`,
  );
  return 0;
}

function specOf(options: AddOptions, secrets: readonly string[]): WebhookSpec {
  const { style, header, prefix, encoding, timestampHeader, event, eventId, map, tolerance, replayWindow, description } = options;
  return given({
    ...{ secrets, header, prefix, timestampHeader, event, eventId, description },
    style: style === undefined ? undefined : readWord('--style', style, webhookStyles),
    encoding: encoding === undefined ? undefined : readWord('--encoding', encoding, ['hex', 'base64'] as const),
    payload: map.length === 0 ? undefined : Object.fromEntries(map.map((pair) => pairOf('--map', pair, '=', 'field=path'))),
    tolerance: tolerance === undefined ? undefined : readDuration('--tolerance', tolerance),
    replayWindow: replayWindow === undefined ? undefined : readDuration('--replay-window', replayWindow),
  }) as WebhookSpec;
}

function factsOf(
  { rule, description, accepted, acceptedAt, refusedAt, refusal }: Webhook,
  url: string,
  now: number,
): (readonly [string, string | null])[] {
  return [
    ['about', description === null ? null : oneLine(description)],
    ['address', url],
    ['style', rule.header === null ? rule.style : `${rule.style}, header ${rule.header}`],
    ['secrets', rule.secrets.join(', ')],
    ['events', oneLine(rule.event)],
    ['id', rule.eventId],
    [
      'carries',
      rule.payload === null
        ? 'the whole body'
        : Object.entries(rule.payload)
            .map(([field, path]) => `${field} from ${path}`)
            .join(', '),
    ],
    ['taken', acceptedAt === null ? 'none yet' : `${accepted}, the last ${agoText(acceptedAt, now)}`],
    ['refused', refusedAt === null ? null : `${agoText(refusedAt, now)}: ${oneLine(refusal ?? '')}`],
  ];
}

function hookUrl(
  {
    apiUrl,
    host,
    port,
    basePath,
  }: { readonly apiUrl: string | null; readonly host: string; readonly port: number; readonly basePath: string },
  name: string,
): string {
  return `${(apiUrl ?? `http://${host}:${port}${basePath}`).replace(/\/$/, '')}/hooks/${name}`;
}

function unless(code: 'SECRET_NOT_FOUND'): (error: unknown) => false {
  return (error) => {
    if (isBatutaError(error, code)) return false;
    throw error;
  };
}

function pairOf(option: string, pair: string, sign: string, form: string): [string, string] {
  const at = pair.indexOf(sign);
  if (at <= 0) throw usage(`${option} takes ${form}, not '${pair}'.`);
  return [pair.slice(0, at), pair.slice(at + 1).trim()];
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw usage(`The body is not JSON: ${(cause as Error).message}. Write for example '{"type":"order.created"}', or @file.`);
  }
}
