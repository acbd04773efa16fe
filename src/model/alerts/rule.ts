/**
 * Rules of alerts: what is looked for, whose it is, and what is done about it. Plain data; times are UTC epoch ms.
 *
 * Some conditions are met by the end of a run (failed, crashed, longer, metric); each such end is an occurrence. The others hold for a while
 * (late runs, a queue without a worker) and are looked at every few seconds.
 */

/** What a rule looks for. Lengths of time in ms. */
export type AlertCondition =
  /** A run has ended so. */
  | { readonly kind: 'failed' }
  | { readonly kind: 'crashed' }
  /** A run waits although it was due. */
  | { readonly kind: 'late' }
  /** A run was made after its tick, or none was, because no scheduler was at work. */
  | { readonly kind: 'missed' }
  /** A run has been executing for longer than this, or than its own 95th percentile times a factor. */
  | { readonly kind: 'longer'; readonly ms: number | null; readonly p95: number | null }
  /** Of the runs that have ended within this time, more than this share (0 to 1) failed or crashed; judged from so many runs on. */
  | { readonly kind: 'failure-rate'; readonly share: number; readonly withinMs: number; readonly atLeast: number }
  | { readonly kind: 'nothing-completed'; readonly ms: number }
  /** Runs have waited for so long in a queue that no living worker serves. */
  | { readonly kind: 'no-worker'; readonly ms: number }
  /** The oldest run that waits in a queue has been due for longer. */
  | { readonly kind: 'queue-older'; readonly ms: number }
  /** Less than this is free where a scheduler writes: bytes, or a share (0 to 1) of the disk. */
  | { readonly kind: 'disk'; readonly bytes: number | null; readonly share: number | null }
  /** A task of a run that has ended reported a metric above or below this. */
  | { readonly kind: 'metric'; readonly name: string; readonly above: number | null; readonly below: number | null };
export type AlertKind = AlertCondition['kind'];

export const alertKinds = [
  'failed',
  'crashed',
  'late',
  'missed',
  'longer',
  'failure-rate',
  'nothing-completed',
  'no-worker',
  'queue-older',
  'disk',
  'metric',
] as const satisfies readonly AlertKind[];

/** What is done when an alert fires. */
export type AlertAction =
  /** A POST to this address, signed with the secret of this name where there is one. */
  | { readonly kind: 'webhook'; readonly url: string; readonly secret: string | null }
  /** The secret of this name holds the address of an incoming webhook of Slack. */
  | { readonly kind: 'slack'; readonly secret: string }
  | { readonly kind: 'email'; readonly to: readonly string[] }
  /** Runs a deployment; `params` are laid over its own. */
  | { readonly kind: 'run'; readonly deployment: string; readonly params: Readonly<Record<string, unknown>> }
  /** Cancels the run that the alert is about. */
  | { readonly kind: 'cancel' }
  /** Pauses the deployment that the alert is about. */
  | { readonly kind: 'pause' };
export type AlertActionKind = AlertAction['kind'];

/** What one alert is about. `deployment`: a deployment, or the flow of runs without one. `rule`: all that the rule finds. */
export const alertGroupings = ['deployment', 'flow', 'rule'] as const;
export type AlertGrouping = (typeof alertGroupings)[number];

/** Checked, with defaults filled in; plain JSON. */
export interface AlertRuleSpec {
  readonly condition: AlertCondition;
  /** Of these, any; empty: all. A run must fit each of the lists that are not empty, and have all tags. */
  readonly flows: readonly string[];
  readonly deployments: readonly string[];
  readonly tags: readonly string[];
  readonly queues: readonly string[];
  readonly by: AlertGrouping;
  readonly actions: readonly AlertAction[];
  /** While it fires, it is sent again after so long, ms, at the next occurrence; 0: for each; null: never. */
  readonly repeatMs: number | null;
  /** Whether the end of an alert is sent as well. */
  readonly sendsResolved: boolean;
}

export interface AlertRule {
  readonly name: string;
  readonly description: string | null;
  readonly rule: AlertRuleSpec;
  /** `config`: declared in `batuta.config.ts`; `hand`: made by the dashboard, the API or a command. */
  readonly origin: AlertOrigin;
  /** Name of the file that declares it, e.g. `batuta.config.ts`; null for one made by hand. */
  readonly declaredIn: string | null;
  /** Null: in force. */
  readonly pausedAt: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}
export type AlertOrigin = 'config' | 'hand';

/** Whether occurrences of a condition are ends of runs. */
export function isByEnds({ kind }: Pick<AlertCondition, 'kind'>): boolean {
  return kind === 'failed' || kind === 'crashed' || kind === 'longer' || kind === 'metric';
}

/** Whether a condition holds for a while, and is looked at. */
export function isLevel({ kind }: Pick<AlertCondition, 'kind'>): boolean {
  return kind !== 'failed' && kind !== 'crashed' && kind !== 'metric';
}

/** What a rule asks of a run. */
export interface FilteredRun {
  readonly flow: string;
  readonly deployment: string | null;
  readonly tags: readonly string[];
  readonly queue?: string;
}

/** Whether a run is one that a rule means. */
export function meansRun({ flows, deployments, tags, queues }: AlertRuleSpec, run: FilteredRun): boolean {
  return (
    (flows.length === 0 || flows.includes(run.flow)) &&
    (deployments.length === 0 || (run.deployment !== null && deployments.includes(run.deployment))) &&
    (queues.length === 0 || run.queue === undefined || queues.includes(run.queue)) &&
    tags.every((tag) => run.tags.includes(tag))
  );
}

/** Which alert of a rule a run belongs to; empty for the only one. */
export function groupOfRun({ by }: AlertRuleSpec, { flow, deployment }: Pick<FilteredRun, 'flow' | 'deployment'>): string {
  if (by === 'rule') return '';
  return by === 'flow' ? flow : (deployment ?? flow);
}

/** An address without what follows its host, which of many services is the key to it: `https://hooks.example.com/***`. */
export function maskWebhook(url: string): string {
  if (!URL.canParse(url)) return '***';
  const { origin, pathname, search } = new URL(url);
  return pathname === '/' && search === '' ? url : `${origin}/***`;
}

/** Where an action goes to: what goes to one receiver is sent in order. */
export function receiverOf(action: AlertAction): string {
  switch (action.kind) {
    case 'webhook':
      return `webhook ${action.url}`;
    case 'slack':
      return `slack ${action.secret}`;
    case 'email':
      return `email ${action.to.join(', ')}`;
    case 'run':
      return `run ${action.deployment}`;
    case 'cancel':
    case 'pause':
      return action.kind;
  }
}
