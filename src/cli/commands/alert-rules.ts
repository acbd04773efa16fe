/** `batuta alerts rules|rule|add|pause|resume|delete|test`. */
import type { ConfigAlertAction, ConfigAlertCondition } from '../../base/config-file.ts';
import { formatDuration } from '../../base/duration.ts';
import { isBatutaError } from '../../base/errors.ts';
import { programName } from '../../base/program-name.ts';
import type { AlertRule, AlertSpec } from '../../client/alerts-client.ts';
import type { Client } from '../../client/client.ts';
import { toWire } from '../../client/wire.ts';
import { actionText, conditionText } from '../../model/alerts/words.ts';
import { alertGroupings, receiverOf } from '../../model/alerts/rule.ts';
import { noteLocally } from '../audit.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { withClient } from '../open.ts';
import { printDone, printJson, printLines, printList } from '../print.ts';
import { given, readDuration, readWord, usage } from '../read-options.ts';
import { factLines } from '../render/table.ts';
import { oneLine } from '../render/width.ts';
import { firingLines } from './alerts.ts';

interface AddOptions extends JsonOption {
  readonly on: string;
  readonly flow: readonly string[];
  readonly deployment: readonly string[];
  readonly tag: readonly string[];
  readonly queue: readonly string[];
  readonly by?: string;
  readonly webhook: readonly string[];
  readonly secret?: string;
  readonly slack: readonly string[];
  readonly email: readonly string[];
  readonly run: readonly string[];
  readonly params?: string;
  readonly cancel?: boolean;
  readonly pause?: boolean;
  readonly repeat?: string;
  readonly resolved: boolean;
  readonly description?: string;
}

/** Lists them by name. */
export async function listRules(context: CommandContext, options: JsonOption): Promise<ExitStatus> {
  const rules = await withClient(context, ({ alerts }) => alerts.rules());
  return printList(context, rules, options, {
    columns: [
      { head: 'rule', max: 40 },
      { head: 'on', max: 60 },
      { head: 'of', max: 50, drop: 3 },
      { head: 'declared', drop: 2 },
      { head: 'actions', max: 120, least: 16, drop: 1 },
    ],
    cells: (rule, paint) => [
      paint.bold(rule.name) + (rule.pausedAt === null ? '' : paint.yellow(' paused')),
      oneLine(conditionText(rule.rule.condition)),
      oneLine(filtersOf(rule)),
      rule.origin === 'config' ? (rule.declaredIn ?? 'config') : 'by hand',
      oneLine(rule.rule.actions.map(receiverOf).join(', ') || 'none'),
    ],
    json: (rule) => toWire(rule),
    empty: `No rules yet. Add one: ${programName()} alerts add failures --on failed --email you@example.com`,
  });
}

/** Shows one with its recent notifications. */
export async function showRule(context: CommandContext, name: string, options: JsonOption): Promise<ExitStatus> {
  const { rule, firings } = await withClient(context, async ({ alerts }) => ({
    rule: await alerts.rule(name),
    firings: await alerts.firings(name),
  }));
  if (options.json) return printJson(context.terminal, { ...toWire(rule), firings: firings.map((firing) => toWire(firing)) });
  const { out } = context.terminal;
  const now = context.clock.now();
  const { repeatMs, sendsResolved, by } = rule.rule;
  printLines(out, [
    `${out.paint.bold(name)}${rule.pausedAt === null ? '' : out.paint.yellow(' paused')}`,
    ...factLines(
      [
        ['about', rule.description === null ? null : oneLine(rule.description)],
        ['on', oneLine(conditionText(rule.rule.condition))],
        ['of', filtersOf(rule) === '' ? null : oneLine(filtersOf(rule))],
        ['grouped', `by ${by}`],
        ['actions', rule.rule.actions.length === 0 ? 'none' : oneLine(rule.rule.actions.map(actionText).join(' · '))],
        ['repeats', repeatMs === null ? 'never' : repeatMs === 0 ? 'for each occurrence' : `after ${formatDuration(repeatMs)}`],
        ['end', sendsResolved ? 'is sent' : 'is not sent'],
        ['made', rule.origin === 'config' ? `in ${rule.declaredIn ?? 'the configuration file'}` : 'by hand'],
      ],
      out.paint,
      8,
    ),
    ...firings.flatMap((firing) => firingLines(firing, now, out.paint)),
  ]);
  return 0;
}

/** Creates or replaces one. */
export async function addRule(context: CommandContext, name: string, options: AddOptions): Promise<ExitStatus> {
  const spec = specOf(options);
  const { rule, missing } = await withClient(context, async (client) => {
    const set = await client.alerts.setRule(name, spec);
    await noteRule(client, set);
    return { rule: set, missing: await missingIn(client, options) };
  });
  const { err } = context.terminal;
  for (const what of missing)
    err.line(`${err.paint.yellow('warning')} There is no ${oneLine(what)} yet. If that is a typo, add the rule again.`);
  const does = rule.rule.actions.map(receiverOf).join(', ');
  return printDone(
    context.terminal,
    options,
    toWire(rule),
    `Rule ${name}: ${oneLine(conditionText(rule.rule.condition))}. ${does === '' ? 'Nobody is notified yet.' : `When it fires: ${oneLine(does)}.`}`,
  );
}

/** Deployments and flows that a rule names and that do not exist, which may be meant. */
async function missingIn(client: Client, { flow, deployment, run }: AddOptions): Promise<readonly string[]> {
  const missing: string[] = [];
  const look = async (what: 'flow' | 'deployment', names: readonly string[], get: (name: string) => Promise<unknown>): Promise<void> => {
    for (const name of new Set(names)) {
      await get(name).catch((error: unknown) => {
        if (!isBatutaError(error, what === 'flow' ? 'FLOW_NOT_FOUND' : 'DEPLOYMENT_NOT_FOUND')) throw error;
        missing.push(`${what} ${name}`);
      });
    }
  };
  await look('flow', flow, (name) => client.flows.get(name));
  await look('deployment', [...deployment, ...run], (name) => client.deployments.get(name));
  return missing;
}

/** Records in the audit what a command has put. */
export async function noteRule(client: Client, { name, rule }: AlertRule): Promise<void> {
  await noteLocally(client, 'alert-rules.set', name, { on: rule.condition.kind, actions: rule.actions.map(({ kind }) => kind) });
}

type ChangeRules = (context: CommandContext, names: readonly string[], options: JsonOption) => Promise<ExitStatus>;

/** Pause, resume and delete, one after the other. */
export const changeRules: Readonly<Record<'pause' | 'resume' | 'delete', ChangeRules>> = {
  pause: changing('pause', 'is paused', (client, name) => client.alerts.pauseRule(name)),
  resume: changing('resume', 'is resumed', (client, name) => client.alerts.resumeRule(name)),
  delete: changing('delete', 'is gone; its alerts stay', (client, name) => client.alerts.deleteRule(name)),
};

function changing(verb: string, done: string, change: (client: Client, name: string) => Promise<unknown>): ChangeRules {
  return async (context, given, { json }) => {
    const names = [...new Set(given)];
    await withClient(context, async (client) => {
      for (const name of names) {
        await change(client, name);
        await noteLocally(client, `alert-rules.${verb}`, name, null);
        if (!json) context.terminal.out.line(`Rule ${oneLine(name)} ${done}.`);
      }
    });
    return json ? printJson(context.terminal, names) : 0;
  };
}

/** Sends a test. */
export async function testRule(context: CommandContext, name: string, options: JsonOption): Promise<ExitStatus> {
  const firing = await withClient(context, async (client) => {
    const tested = await client.alerts.testRule(name);
    await noteLocally(client, 'alert-rules.test', name, null);
    return tested;
  });
  return printDone(
    context.terminal,
    options,
    toWire(firing),
    `A scheduler sends the test. To see the result: ${programName()} alerts rule ${name}`,
  );
}

function specOf(options: AddOptions): AlertSpec {
  const { webhook, secret, slack, email, run, cancel, pause, repeat, by, description } = options;
  const params = options.params === undefined ? undefined : readRunParams(options.params);
  if (params !== undefined && run.length === 0) throw usage('--params goes to what --run runs; name a deployment as well.');
  if (secret !== undefined && webhook.length === 0) throw usage('--secret signs what --webhook posts; give an address as well.');
  const send: ConfigAlertAction[] = [
    ...webhook.map((url) => ({ webhook: url, ...(secret === undefined ? {} : { secret }) })),
    ...slack.map((name) => ({ slack: name })),
    ...(email.length === 0 ? [] : [{ email }]),
    ...run.map((deployment) => ({ run: deployment, ...(params === undefined ? {} : { params }) })),
    ...(cancel ? (['cancel'] as const) : []),
    ...(pause ? (['pause'] as const) : []),
  ];
  const list = (items: readonly string[]): readonly string[] | undefined => (items.length === 0 ? undefined : items);
  return {
    on: readCondition(options.on),
    ...given({
      ...{
        flows: list(options.flow),
        deployments: list(options.deployment),
        tags: list(options.tag),
        queues: list(options.queue),
        description,
      },
      send: send.length === 0 ? undefined : send,
      by: by === undefined ? undefined : readWord('--by', by, alertGroupings),
      repeat: repeat === undefined ? undefined : readDuration('--repeat', repeat),
      resolved: options.resolved ? undefined : false,
    }),
  };
}

/** A word, or an object as JSON; validated with the rule. */
function readCondition(text: string): ConfigAlertCondition {
  if (!text.trimStart().startsWith('{')) return text as ConfigAlertCondition;
  try {
    return JSON.parse(text) as ConfigAlertCondition;
  } catch (cause) {
    throw usage(`--on is neither a word nor JSON: ${(cause as Error).message}. Write for example '{"longer":"10m"}'.`);
  }
}

function readRunParams(text: string): Record<string, unknown> {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (cause) {
    throw usage(`--params is no JSON: ${(cause as Error).message}. Write for example '{"rows":5}'.`);
  }
  if (typeof read === 'object' && read !== null && !Array.isArray(read)) return read as Record<string, unknown>;
  throw usage(`--params must be a JSON object such as '{"rows":5}'.`);
}

function filtersOf({ rule: { flows, deployments, tags, queues } }: AlertRule): string {
  const parts = Object.entries({ flow: flows, deployment: deployments, tag: tags, queue: queues });
  return parts.flatMap(([what, names]) => (names.length === 0 ? [] : [`${what} ${names.join(', ')}`])).join('; ');
}
