/**
 * Alert rules: what they look for, whose they are, and what they do. Plain data; times are UTC epoch ms.
 *
 * Some conditions are met by the end of a run (failed, crashed, longer, metric); each such end is an occurrence. The others last for a
 * while (late runs, a queue without a worker) and are checked every few seconds.
 */

/** What a rule looks for. Durations in ms. */
export type AlertCondition =
  /** A run ended so. */
  | { readonly kind: 'failed' }
  | { readonly kind: 'crashed' }
  /** A due run is still waiting. */
  | { readonly kind: 'late' }
  /** A run was created after its tick, or not at all, as no scheduler was running. */
  | { readonly kind: 'missed' }
  /** A run has been executing for longer than this, or than its own 95th percentile times a factor. */
  | { readonly kind: 'longer'; readonly ms: number | null; readonly p95: number | null }
  /** Of the runs that ended within this time, more than this share (0 to 1) failed or crashed; judged from `atLeast` runs on. */
  | { readonly kind: 'failure-rate'; readonly share: number; readonly withinMs: number; readonly atLeast: number }
  | { readonly kind: 'nothing-completed'; readonly ms: number }
  /** Runs have waited this long in a queue that no living worker serves. */
  | { readonly kind: 'no-worker'; readonly ms: number }
  /** A queue's oldest waiting run has been due for longer. */
  | { readonly kind: 'queue-older'; readonly ms: number }
  /** Less than this is free where a scheduler writes: bytes, or a share (0 to 1) of the disk. */
  | { readonly kind: 'disk'; readonly bytes: number | null; readonly share: number | null }
  /** A task of an ended run reported a metric above or below this. */
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
  /** A POST to this address, signed with the named secret, if any. */
  | { readonly kind: 'webhook'; readonly url: string; readonly secret: string | null }
  /** The named secret holds the address of a Slack incoming webhook. */
  | { readonly kind: 'slack'; readonly secret: string }
  | { readonly kind: 'email'; readonly to: readonly string[] }
  /** Runs a deployment; `params` override its own. */
  | { readonly kind: 'run'; readonly deployment: string; readonly params: Readonly<Record<string, unknown>> }
  /** Cancels the run that the alert is about. */
  | { readonly kind: 'cancel' }
  /** Pauses the deployment that the alert is about. */
  | { readonly kind: 'pause' };
export type AlertActionKind = AlertAction['kind'];

/** What one alert is about. `deployment`: a deployment, or the flow of runs without one. `rule`: everything. */
export const alertGroupings = ['deployment', 'flow', 'rule'] as const;
export type AlertGrouping = (typeof alertGroupings)[number];

/** Checked, with defaults filled in; plain JSON. */
export interface AlertRuleSpec {
  readonly condition: AlertCondition;
  /** Any of these; empty: all. A run must match every non-empty list, and have all tags. */
  readonly flows: readonly string[];
  readonly deployments: readonly string[];
  readonly tags: readonly string[];
  readonly queues: readonly string[];
  readonly by: AlertGrouping;
  readonly actions: readonly AlertAction[];
  /** How soon, in ms, a firing alert may be sent again at the next occurrence; 0: for each; null: never. */
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
  /** Name of the file that declares it, e.g. `batuta.config.ts`; null if made by hand. */
  readonly declaredIn: string | null;
  /** Null: in force. */
  readonly pausedAt: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}
export type AlertOrigin = 'config' | 'hand';

/** Whether the occurrences are ends of runs. */
export function isByEnds({ kind }: Pick<AlertCondition, 'kind'>): boolean {
  return kind === 'failed' || kind === 'crashed' || kind === 'longer' || kind === 'metric';
}

/** Whether a condition lasts for a while, and is polled. */
export function isLevel({ kind }: Pick<AlertCondition, 'kind'>): boolean {
  return kind !== 'failed' && kind !== 'crashed' && kind !== 'metric';
}

/** A run as a rule sees it. */
export interface FilteredRun {
  readonly flow: string;
  readonly deployment: string | null;
  readonly tags: readonly string[];
  readonly queue?: string;
}

/** Whether a rule covers a run. */
export function meansRun({ flows, deployments, tags, queues }: AlertRuleSpec, run: FilteredRun): boolean {
  return (
    (flows.length === 0 || flows.includes(run.flow)) &&
    (deployments.length === 0 || (run.deployment !== null && deployments.includes(run.deployment))) &&
    (queues.length === 0 || run.queue === undefined || queues.includes(run.queue)) &&
    tags.every((tag) => run.tags.includes(tag))
  );
}

/** The group of a run under a rule; empty for the only one. */
export function groupOfRun({ by }: AlertRuleSpec, { flow, deployment }: Pick<FilteredRun, 'flow' | 'deployment'>): string {
  if (by === 'rule') return '';
  return by === 'flow' ? flow : (deployment ?? flow);
}

/** An address without what follows its host, which for many services is the key: `https://hooks.example.com/***`. */
export function maskWebhook(url: string): string {
  if (!URL.canParse(url)) return '***';
  const { origin, pathname, search } = new URL(url);
  return pathname === '/' && search === '' ? url : `${origin}/***`;
}

/** Receiver of an action; deliveries to one are sent in order. */
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
