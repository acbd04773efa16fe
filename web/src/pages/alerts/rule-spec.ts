/** The request body that puts a rule, or the errors of its draft; and the form fields of the server's errors. Pure. */
import { ApiError } from '../../api/http.ts';
import { type FieldErrors, readObject } from '../../form/form-values.ts';
import { type ActionDraft, conditions, type RuleDraft } from './rule-draft.ts';

/** Which parts of a rule apply to the condition of a draft. */
export function roomsOf({ condition }: Pick<RuleDraft, 'condition'>): {
  readonly runs: boolean;
  readonly queues: boolean;
  readonly cancel: boolean;
  readonly pause: boolean;
} {
  const runs = conditions[condition].about === 'runs';
  return {
    runs,
    queues: ['late', 'missed', 'longer', 'longerP95', 'noWorker', 'queueOlder'].includes(condition),
    cancel: condition === 'late' || condition === 'longer' || condition === 'longerP95',
    pause: runs,
  };
}

/** Reports missing values and invalid numbers; the server checks the rest. */
export function specOf(draft: RuleDraft): { readonly spec: object } | { readonly errors: FieldErrors } {
  const errors: Record<string, string> = {};
  const needed = (field: string, text: string): string => {
    if (text.trim() === '') errors[field] = 'This is needed.';
    return text.trim();
  };
  const number = (field: string, text: string): number => {
    const value = Number(needed(field, text));
    if (Number.isNaN(value)) errors[field] = 'This is no number.';
    return value;
  };
  needed('name', draft.name);
  const on = conditionOf(draft, needed, number);
  const send = draft.actions.map((action, at) => actionOf(action, `send.${at}`, needed, errors));
  const rooms = roomsOf(draft);
  const lists = {
    ...(rooms.runs ? { deployments: draft.deployments, flows: draft.flows, tags: draft.tags } : {}),
    ...(rooms.queues ? { queues: draft.queues } : {}),
  };
  if (Object.keys(errors).length > 0) return { errors };
  const { repeat, resolved, by, description } = draft;
  return {
    spec: {
      on,
      ...Object.fromEntries(Object.entries(lists).filter(([, names]) => names.length > 0)),
      by,
      send,
      ...(repeat.trim() === '' ? {} : { repeat: repeat.trim() }),
      resolved,
      ...(description.trim() === '' ? {} : { description: description.trim() }),
    },
  };
}

type Needed = (field: string, text: string) => string;
type ReadNumber = (field: string, text: string) => number;

function conditionOf({ condition, value, within, atLeast, metric, above, below }: RuleDraft, needed: Needed, number: ReadNumber): unknown {
  switch (condition) {
    case 'failed':
    case 'crashed':
    case 'late':
    case 'missed':
      return condition;
    case 'longerP95':
      return { longer: { p95: number('value', value) } };
    case 'failureRate':
      return {
        failureRate: Number((number('value', value.replace(/\s*%\s*$/, '')) / 100).toPrecision(12)),
        within: needed('within', within),
        atLeast: number('atLeast', atLeast),
      };
    case 'metric':
      return {
        metric: needed('metric', metric),
        ...(above.trim() === '' ? {} : { above: number('above', above) }),
        ...(below.trim() === '' ? {} : { below: number('below', below) }),
      };
    default:
      return { [condition]: needed('value', value) };
  }
}

function actionOf(action: ActionDraft, field: string, needed: Needed, errors: Record<string, string>): unknown {
  const { kind, url, secret, to, deployment, params } = action;
  switch (kind) {
    case 'cancel':
    case 'pause':
      return kind;
    case 'webhook':
      return { webhook: needed(`${field}.webhook`, url), ...(secret.trim() === '' ? {} : { secret: secret.trim() }) };
    case 'slack':
      return { slack: needed(`${field}.slack`, secret) };
    case 'email':
      needed(`${field}.email`, to.join(''));
      return { email: to };
    case 'run': {
      const read = readObject(params);
      if ('error' in read) errors[`${field}.params`] = read.error;
      const given = 'params' in read ? read.params : {};
      return { run: needed(`${field}.run`, deployment), ...(Object.keys(given).length === 0 ? {} : { params: given }) };
    }
  }
}

/** The server's errors, in its words, by field; the empty name is the form as a whole. */
export function refusedFields(error: unknown, draft: RuleDraft): FieldErrors {
  if (!(error instanceof ApiError)) return { '': String(error) };
  const message = error.message.replace(`Alert ${draft.name.trim()}: `, '');
  const { field, issues } = (error.details ?? {}) as { readonly field?: unknown; readonly issues?: readonly { readonly path?: unknown }[] };
  const path = typeof field === 'string' ? field : error.code === 'NAME_INVALID' ? 'name' : issues?.[0]?.path;
  const name = typeof path === 'string' ? fieldAt(path, draft) : '';
  return { [name]: name === '' ? error.message : message };
}

/** The form field of a part of the rule. */
function fieldAt(path: string, { condition, actions }: RuleDraft): string {
  if (['on.within', 'on.atLeast', 'on.metric', 'on.above', 'on.below'].includes(path)) return path.slice('on.'.length);
  if (path.startsWith('on')) return conditions[condition].value === null ? '' : 'value';
  const [, at] = /^send\.(\d+)/.exec(path) ?? [];
  if (at !== undefined) return Number(at) < actions.length ? path : '';
  return ['name', 'description', 'deployments', 'flows', 'tags', 'queues', 'by', 'repeat'].includes(path.split('.', 1)[0] ?? '')
    ? (path.split('.', 1)[0] ?? '')
    : '';
}
