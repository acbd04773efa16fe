/** A rule of alerts as it is typed in, and what is sent of it. */

/** By kind: how it reads, and what else it asks for. */
export const conditions = {
  failed: { label: 'a run failed', value: null },
  crashed: { label: 'a run crashed', value: null },
  late: { label: 'a run is late', value: null },
  missed: { label: 'a tick was missed', value: null },
  longer: { label: 'a run takes longer than', value: 'How long, such as 10m' },
  longerP95: { label: 'a run takes longer than its p95 by a factor', value: 'Factor, such as 2' },
  failureRate: { label: 'too many runs fail', value: 'More than this share, in %' },
  nothingCompleted: { label: 'nothing completed for', value: 'How long, such as 1d' },
  noWorker: { label: 'a queue has no worker', value: 'For how long, such as 1m' },
  queueOlder: { label: 'a run waits in a queue for longer than', value: 'How long, such as 15m' },
  diskBelow: { label: 'the disk is almost full', value: 'Less is free than, such as 10% or 2GiB' },
} as const;
export type Condition = keyof typeof conditions;

export interface RuleDraft {
  readonly name: string;
  readonly condition: Condition;
  readonly value: string;
  readonly within: string;
  readonly atLeast: number;
  readonly deployments: string;
  readonly flows: string;
  readonly tags: string;
  readonly email: string;
  readonly slack: string;
  readonly webhook: string;
  readonly secret: string;
  readonly resolved: boolean;
}

export const emptyDraft: RuleDraft = {
  name: '',
  condition: 'failed',
  value: '',
  within: '1h',
  atLeast: 10,
  deployments: '',
  flows: '',
  tags: '',
  email: '',
  slack: '',
  webhook: '',
  secret: '',
  resolved: true,
};

/** The body of the request; what is wrong with it the server says. */
export function specOf(draft: RuleDraft): object {
  const { email, slack, webhook, secret, resolved } = draft;
  const filters = { deployments: listOf(draft.deployments), flows: listOf(draft.flows), tags: listOf(draft.tags) };
  return {
    on: conditionOf(draft),
    ...Object.fromEntries(Object.entries(filters).filter(([, names]) => names.length > 0)),
    send: [
      ...(listOf(email).length === 0 ? [] : [{ email: listOf(email) }]),
      ...(slack.trim() === '' ? [] : [{ slack: slack.trim() }]),
      ...(webhook.trim() === '' ? [] : [{ webhook: webhook.trim(), ...(secret.trim() === '' ? {} : { secret: secret.trim() }) }]),
    ],
    resolved,
  };
}

function conditionOf({ condition, value, within, atLeast }: RuleDraft): unknown {
  const text = value.trim();
  switch (condition) {
    case 'failed':
    case 'crashed':
    case 'late':
    case 'missed':
      return condition;
    case 'longerP95':
      return { longer: { p95: Number(text) } };
    case 'failureRate':
      return { failureRate: Number(text.replace(/\s*%$/, '')) / 100, within: within.trim(), atLeast };
    default:
      return { [condition]: text };
  }
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
