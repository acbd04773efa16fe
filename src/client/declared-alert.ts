/** A declared alert rule: checked, with its defaults filled in. */
import type { ConfigAlertAction, ConfigAlertCondition } from '../base/config-file.ts';
import { cutText } from '../base/cut-text.ts';
import { type Duration, parseDuration } from '../base/duration.ts';
import { BatutaError, isBatutaError } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';
import { bytes } from '../base/setting-values.ts';
import { findNotJson } from '../model/plain-json.ts';
import { checkValueName } from '../model/secret.ts';
import { type AlertAction, type AlertCondition, alertGroupings, type AlertRuleSpec } from '../model/alerts/rule.ts';
import type { AlertSpec } from './alerts-client.ts';

const names = [
  'on',
  'flows',
  'deployments',
  'tags',
  'queues',
  'by',
  'send',
  'repeat',
  'resolved',
  'description',
  'paused',
] as const satisfies readonly (keyof AlertSpec)[];
const maxEntries = 100;
const maxActions = 10;
const maxMs = 400 * 86_400_000;
/** Workers may be starting, ms. */
const patienceMs = 30_000;
const usualAtLeast = 10;

/** @throws BatutaError ALERT_INVALID, NAME_INVALID, OPTION_UNKNOWN, DURATION_INVALID */
export function checkAlert(name: string, spec: AlertSpec): AlertRuleSpec {
  checkNameAt('name', 'alert', name);
  if (typeof spec !== 'object' || spec === null)
    throw invalid(name, null, 'it must be an object such as { on: "failed", send: { slack: "ops" } }');
  const unknown = Object.keys(spec).find((option) => !(names as readonly string[]).includes(option));
  if (unknown !== undefined)
    throw new BatutaError('OPTION_UNKNOWN', `Alert ${name}: there is no option '${unknown}'.${hintFor(unknown, names, 'The options are')}`);
  const condition = conditionOf(name, spec.on);
  const { by = 'deployment', resolved = true } = spec;
  if (!alertGroupings.includes(by)) throw invalid(name, 'by', `by must be one of ${alertGroupings.join(', ')}, not ${shown(by)}`);
  if (typeof resolved !== 'boolean') throw invalid(name, 'resolved', 'resolved must be true or false');
  const rule: AlertRuleSpec = {
    condition,
    flows: textsOf(name, 'flows', spec.flows),
    deployments: textsOf(name, 'deployments', spec.deployments),
    tags: textsOf(name, 'tags', spec.tags),
    queues: textsOf(name, 'queues', spec.queues),
    by,
    actions: actionsOf(name, spec.send),
    repeatMs: spec.repeat === undefined ? null : durationOf(name, 'repeat', spec.repeat, 0),
    sendsResolved: resolved,
  };
  refuseWhatDoesNotFit(name, rule);
  return rule;
}

/** Refuses filters and actions that do not fit the condition. */
function refuseWhatDoesNotFit(name: string, rule: AlertRuleSpec): void {
  const { condition, flows, deployments, tags, queues, actions, repeatMs } = rule;
  const { kind } = condition;
  const isOfRuns = kind !== 'no-worker' && kind !== 'queue-older' && kind !== 'disk';
  if (!isOfRuns && flows.length + deployments.length + tags.length > 0)
    throw invalid(name, 'flows', `${kind} does not concern runs: leave flows, deployments and tags out`);
  if (queues.length > 0 && !['late', 'longer', 'missed', 'no-worker', 'queue-older'].includes(kind))
    throw invalid(name, 'queues', `${kind} does not support queues`);
  const placeOf = (one: AlertAction['kind']): string | null => {
    const at = actions.findIndex((action) => action.kind === one);
    return at === -1 ? null : `send.${at}`;
  };
  const [cancel, pause] = [placeOf('cancel'), placeOf('pause')];
  if (cancel !== null && kind !== 'longer' && kind !== 'late')
    throw invalid(name, cancel, `cancel goes with longer and late; ${kind} has no run to cancel`);
  if (pause !== null && !isOfRuns) throw invalid(name, pause, `pause needs an alert about a deployment, which ${kind} is not`);
  if (repeatMs === null || !isOfRuns) return;
  const isOfAll = flows.length + deployments.length + tags.length === 0;
  const own = actions.find((action) => action.kind === 'run' && (isOfAll || deployments.includes(action.deployment)));
  if (own?.kind === 'run')
    throw invalid(
      name,
      'repeat',
      `run ${own.deployment} with repeat would react to itself; leave repeat out, or name the deployments that are meant`,
    );
}

function conditionOf(name: string, on: ConfigAlertCondition): AlertCondition {
  if (on === 'failed' || on === 'crashed' || on === 'late' || on === 'missed') return { kind: on };
  if (on === 'no-worker') return { kind: 'no-worker', ms: patienceMs };
  if (typeof on !== 'object' || on === null)
    throw invalid(
      name,
      'on',
      `on must be failed, crashed, late, missed, no-worker, or an object such as { longer: '10m' }, not ${shown(on)}`,
    );
  const given = on as Readonly<Record<string, unknown>>;
  const known: Readonly<Record<string, readonly string[]>> = {
    longer: [],
    failureRate: ['within', 'atLeast'],
    nothingCompleted: [],
    noWorker: [],
    queueOlder: [],
    diskBelow: [],
    metric: ['above', 'below'],
  };
  const kind = Object.keys(known).find((one) => given[one] !== undefined);
  if (kind === undefined) throw invalid(name, 'on', `on must have one of ${Object.keys(known).join(', ')}`);
  const extra = Object.keys(given).find((one) => one !== kind && given[one] !== undefined && !known[kind]?.includes(one));
  if (extra !== undefined) throw invalid(name, `on.${extra}`, `on cannot have both ${extra} and ${kind}`);
  const ms = (): number => durationOf(name, `on.${kind}`, given[kind] as Duration, 1);
  switch (kind) {
    case 'longer':
      return longerOf(name, given['longer']);
    case 'failureRate': {
      const atLeast = given['atLeast'] === undefined ? usualAtLeast : numberOf(name, 'on.atLeast', given['atLeast'], 1, 1_000_000);
      const share = numberOf(name, 'on.failureRate', given['failureRate'], 0, 1);
      return { kind: 'failure-rate', share, withinMs: durationOf(name, 'on.within', given['within'] as Duration, 1_000), atLeast };
    }
    case 'nothingCompleted':
      return { kind: 'nothing-completed', ms: ms() };
    case 'noWorker':
      return { kind: 'no-worker', ms: ms() };
    case 'queueOlder':
      return { kind: 'queue-older', ms: ms() };
    case 'diskBelow':
      return diskOf(name, given['diskBelow']);
    default:
      return metricOf(name, given);
  }
}

function longerOf(name: string, longer: unknown): AlertCondition {
  if (typeof longer !== 'object' || longer === null)
    return { kind: 'longer', ms: durationOf(name, 'on.longer', longer as Duration, 1), p95: null };
  return {
    kind: 'longer',
    ms: null,
    p95: numberOf(name, 'on.longer.p95', (longer as Readonly<Record<string, unknown>>)['p95'], 0.1, 1_000),
  };
}

function diskOf(name: string, below: unknown): AlertCondition {
  const [, percent] = /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(String(below)) ?? [];
  if (percent !== undefined) return { kind: 'disk', bytes: null, share: numberOf(name, 'on.diskBelow', Number(percent), 0, 100) / 100 };
  try {
    return { kind: 'disk', bytes: bytes(1, Number.MAX_SAFE_INTEGER).read(below), share: null };
  } catch {
    throw invalid(name, 'on.diskBelow', `on.diskBelow must be a share such as '10%' or a size such as '2GiB', not ${shown(below)}`);
  }
}

function metricOf(name: string, { metric, above, below }: Readonly<Record<string, unknown>>): AlertCondition {
  if (typeof metric !== 'string' || metric === '' || metric.length > 200)
    throw invalid(name, 'on.metric', 'on.metric must be the name of a metric');
  if (above === undefined && below === undefined) throw invalid(name, 'on.above', 'on.metric needs above or below');
  const bound = (option: string, value: unknown): number | null =>
    value === undefined ? null : numberOf(name, `on.${option}`, value, -Number.MAX_VALUE, Number.MAX_VALUE);
  return { kind: 'metric', name: metric, above: bound('above', above), below: bound('below', below) };
}

function actionsOf(name: string, send: AlertSpec['send']): readonly AlertAction[] {
  const list: readonly ConfigAlertAction[] =
    send === undefined ? [] : Array.isArray(send) ? (send as readonly ConfigAlertAction[]) : [send as ConfigAlertAction];
  if (list.length > maxActions) throw invalid(name, 'send', `send has at most ${maxActions} entries`);
  return list.map((action, at) => actionOf(name, action, `send.${at}`));
}

function actionOf(name: string, action: ConfigAlertAction, field: string): AlertAction {
  if (action === 'cancel' || action === 'pause') return { kind: action };
  if (typeof action !== 'object' || action === null) throw invalid(name, field, `send has ${shown(action)}, which is not an action`);
  const given = action as Readonly<Record<string, unknown>>;
  const known: Readonly<Record<string, readonly string[]>> = { webhook: ['secret'], slack: [], email: [], run: ['params'] };
  const kind = Object.keys(known).find((one) => given[one] !== undefined);
  const extra = Object.keys(given).find((one) => one !== kind && given[one] !== undefined && !known[kind ?? '']?.includes(one));
  if (kind === undefined || extra !== undefined) throw invalid(name, field, `send has ${shown(action)}, which is not an action`);
  if (kind === 'webhook')
    return {
      kind: 'webhook',
      url: addressOf(name, given['webhook'], `${field}.webhook`),
      secret: given['secret'] === undefined ? null : secretOf(given['secret'], `${field}.secret`),
    };
  if (kind === 'slack') return { kind: 'slack', secret: secretOf(given['slack'], `${field}.slack`) };
  if (kind === 'email') {
    const to = [given['email']].flat();
    const wrong = to.find((one) => typeof one !== 'string' || !/^[^\s@<>,;"]{1,64}@[^\s@<>,;"]{1,190}$/.test(one));
    if (wrong !== undefined || to.length === 0 || to.length > maxEntries)
      throw invalid(name, `${field}.email`, `send.email has ${shown(wrong)}, which is not an address`);
    return { kind: 'email', to: to as readonly string[] };
  }
  const { run, params = {} } = given;
  if (typeof run !== 'string' || run === '' || run.length > 200)
    throw invalid(name, `${field}.run`, 'send.run must be the name of a deployment');
  const fault = findNotJson(params);
  if (fault)
    throw invalid(name, `${field}.params`, `send.params is not plain JSON: ${fault.path === '' ? '' : `at ${fault.path} `}${fault.why}`);
  if (typeof params !== 'object' || params === null || Array.isArray(params) || JSON.stringify(params).length > 16_384)
    throw invalid(name, `${field}.params`, 'send.params must be an object of up to 16 KiB of JSON');
  return { kind: 'run', deployment: run, params: JSON.parse(JSON.stringify(params)) as Record<string, unknown> };
}

function addressOf(name: string, address: unknown, field: string): string {
  const url = typeof address === 'string' && address.length <= 2_000 && URL.canParse(address) ? new URL(address) : null;
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw invalid(name, field, `send.webhook must be an address with https://, not ${shown(address)}`);
  if (url.username !== '' || url.password !== '') throw invalid(name, field, 'send.webhook holds a password; sign with a secret instead');
  return url.href;
}

function secretOf(secret: unknown, field: string): string {
  const name = typeof secret === 'string' ? secret : '';
  checkNameAt(field, 'secret', name);
  return name;
}

/** @throws BatutaError NAME_INVALID, which says where the name is */
function checkNameAt(field: string, what: string, name: string): void {
  try {
    checkValueName(what, name);
  } catch (error) {
    if (!isBatutaError(error)) throw error;
    throw new BatutaError(error.code, error.message, { details: { ...error.details, field }, cause: error });
  }
}

function textsOf(name: string, option: string, given: unknown): readonly string[] {
  if (given === undefined) return [];
  if (
    Array.isArray(given) &&
    given.length <= maxEntries &&
    given.every((one) => typeof one === 'string' && one !== '' && one.length <= 200)
  )
    return [...new Set(given as readonly string[])];
  throw invalid(name, option, `${option} must be a list of up to ${maxEntries} names`);
}

function numberOf(name: string, option: string, value: unknown, least: number, most: number): number {
  if (typeof value === 'number' && value >= least && value <= most) return value;
  throw invalid(name, option, `${option} must be a number from ${least} to ${most}, not ${shown(value)}`);
}

function durationOf(name: string, option: string, given: Duration, leastMs: number): number {
  let ms: number;
  try {
    ms = parseDuration(given);
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new BatutaError('DURATION_INVALID', `Alert ${name}: ${option} ${what}`, { cause, details: { field: option } });
  }
  if (ms >= leastMs && ms <= maxMs) return ms;
  throw invalid(name, option, `${option} must be from ${leastMs} ms to 400 days`);
}

/** @param field the invalid part as a path: `on.longer`, `send.0.webhook`; null: a combination of several */
function invalid(name: string, field: string | null, what: string): BatutaError {
  return new BatutaError('ALERT_INVALID', `Alert ${cutText(String(name), 60, '…')}: ${what}.`, { details: { alert: String(name), field } });
}

function shown(value: unknown): string {
  return cutText(JSON.stringify(value) ?? String(value), 60, '…');
}
