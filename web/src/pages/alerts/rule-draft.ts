/** An alert rule being edited: the content of each field, from a stored rule. Pure. */
import { typedDuration } from '../../parts/format.ts';
import type { AlertAction, AlertActionKind, AlertCondition, AlertGrouping, AlertRule } from '../../../../src/model/alerts/rule.ts';

/** By kind: label, further fields, and whether it is about runs or about queues and hosts. */
export const conditions = {
  failed: { label: 'a run failed', value: null, about: 'runs' },
  crashed: { label: 'a run crashed', value: null, about: 'runs' },
  late: { label: 'a run is late', value: null, about: 'runs' },
  missed: { label: 'a tick was missed', value: null, about: 'runs' },
  longer: { label: 'a run takes longer than', value: { label: 'How long', hint: 'Such as 10m' }, about: 'runs' },
  longerP95: {
    label: 'a run takes longer than its p95 by a factor',
    value: { label: 'Factor', hint: 'Such as 2; judged once 20 runs have completed' },
    about: 'runs',
  },
  failureRate: { label: 'too many runs fail', value: { label: 'More than this share, in %', hint: 'Such as 20' }, about: 'runs' },
  nothingCompleted: { label: 'nothing completed for', value: { label: 'How long', hint: 'Such as 1d' }, about: 'runs' },
  metric: { label: 'a metric of a task is out of bounds', value: null, about: 'runs' },
  noWorker: { label: 'a queue has no worker', value: { label: 'For how long', hint: 'Such as 1m' }, about: 'queues' },
  queueOlder: { label: 'a run waits in a queue for longer than', value: { label: 'How long', hint: 'Such as 15m' }, about: 'queues' },
  diskBelow: { label: 'the disk is almost full', value: { label: 'Less is free than', hint: 'Such as 10% or 2GiB' }, about: 'hosts' },
} as const;
export type ConditionKey = keyof typeof conditions;

/** An action being edited; fields of other kinds are kept while the kind is switched. */
export interface ActionDraft {
  /** Identifies the row while editing. */
  readonly key: number;
  readonly kind: AlertActionKind;
  readonly url: string;
  readonly secret: string;
  readonly to: readonly string[];
  readonly deployment: string;
  /** JSON text. */
  readonly params: string;
}

export interface RuleDraft {
  readonly name: string;
  readonly description: string;
  readonly condition: ConditionKey;
  readonly value: string;
  readonly within: string;
  readonly atLeast: string;
  readonly metric: string;
  readonly above: string;
  readonly below: string;
  readonly deployments: readonly string[];
  readonly flows: readonly string[];
  readonly tags: readonly string[];
  readonly queues: readonly string[];
  readonly by: AlertGrouping;
  readonly repeat: string;
  readonly resolved: boolean;
  readonly actions: readonly ActionDraft[];
}

export const emptyDraft: RuleDraft = {
  ...{ name: '', description: '', condition: 'failed', value: '', within: '1h', atLeast: '10', metric: '', above: '', below: '' },
  ...{ deployments: [], flows: [], tags: [], queues: [], by: 'deployment', repeat: '', resolved: true, actions: [] },
};

export function emptyAction(kind: AlertActionKind, key: number): ActionDraft {
  return { key, kind, url: '', secret: '', to: [], deployment: '', params: '' };
}

/** Initial draft of a stored rule. */
export function draftOf({ name, description, rule }: AlertRule): RuleDraft {
  const { condition, flows, deployments, tags, queues, by, repeatMs, sendsResolved, actions } = rule;
  return {
    ...emptyDraft,
    ...conditionDraft(condition),
    ...{ name, description: description ?? '', flows, deployments, tags, queues, by, resolved: sendsResolved },
    repeat: repeatMs === null ? '' : typedDuration(repeatMs),
    actions: actions.map(actionDraft),
  };
}

function conditionDraft(condition: AlertCondition): Partial<RuleDraft> {
  switch (condition.kind) {
    case 'failed':
    case 'crashed':
    case 'late':
    case 'missed':
      return { condition: condition.kind };
    case 'longer':
      return condition.p95 === null
        ? { condition: 'longer', value: typedDuration(condition.ms ?? 0) }
        : { condition: 'longerP95', value: String(condition.p95) };
    case 'failure-rate': {
      const { share, withinMs, atLeast } = condition;
      return { condition: 'failureRate', value: percentText(share), within: typedDuration(withinMs), atLeast: String(atLeast) };
    }
    case 'nothing-completed':
      return { condition: 'nothingCompleted', value: typedDuration(condition.ms) };
    case 'no-worker':
      return { condition: 'noWorker', value: typedDuration(condition.ms) };
    case 'queue-older':
      return { condition: 'queueOlder', value: typedDuration(condition.ms) };
    case 'disk':
      return {
        condition: 'diskBelow',
        value: condition.bytes === null ? `${percentText(condition.share ?? 0)}%` : bytesText(condition.bytes),
      };
    case 'metric': {
      const { name, above, below } = condition;
      return { condition: 'metric', metric: name, above: above === null ? '' : String(above), below: below === null ? '' : String(below) };
    }
  }
}

function actionDraft(action: AlertAction, key: number): ActionDraft {
  const empty = emptyAction(action.kind, key);
  switch (action.kind) {
    case 'webhook':
      return { ...empty, url: action.url, secret: action.secret ?? '' };
    case 'slack':
      return { ...empty, secret: action.secret };
    case 'email':
      return { ...empty, to: action.to };
    case 'run':
      return {
        ...empty,
        deployment: action.deployment,
        params: Object.keys(action.params).length === 0 ? '' : JSON.stringify(action.params, null, 2),
      };
    case 'cancel':
    case 'pause':
      return empty;
  }
}

function bytesText(bytes: number): string {
  const units = [
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
  ] as const;
  const [unit, size] = units.find(([, one]) => bytes % one === 0) ?? (['', 1] as const);
  return `${bytes / size}${unit}`;
}

/** Without the noise of floating point: `7`, not `7.000000000000001`. */
function percentText(share: number): string {
  return String(Number((share * 100).toPrecision(12)));
}
