/** Replaces sentences and names that may hold payloads for those who see none. */
import type { Attention, WaitReason } from '../../client/fleet-client.ts';
import type { Failure, FailureOrigin } from '../../model/failure.ts';
import { digestOf } from './payloads.ts';

type Fields = Readonly<Record<string, unknown>>;

const hiddenMessage = 'Hidden for the role observer.';

/** That there is a failure, its attempt and place in the code; null for none. */
export function hideFailure(failure: unknown): unknown {
  if (typeof failure !== 'object' || failure === null) return null;
  const { origin } = failure as Partial<Failure>;
  const shown: Failure = { name: 'Error', message: hiddenMessage, code: null, stack: null, details: null, cause: null };
  return origin === undefined ? shown : { ...shown, origin: originOf(origin) };
}

function originOf({ attempt, attempts, frame }: FailureOrigin): FailureOrigin {
  return { key: '', task: null, attempt, attempts, frame };
}

/** Substitutes where sentences name runs, keys of limits, signals or errors. Null: they name none. */
const waits: Readonly<Record<WaitReason['kind'], string | null>> = {
  limit: 'Waits for a limit of its flow or deployment.',
  'task-limit': 'Its tasks wait for a limit.',
  rate: 'Waits for a rate.',
  paused: 'Its deployment, or its schedule, is paused.',
  overlap: 'Waits until an earlier run of its deployment has ended.',
  backoff: 'The next attempt follows after a pause.',
  signal: 'Waits for a signal.',
  sleeping: 'It sleeps.',
  'no-worker': null,
  pinned: null,
  'workers-busy': null,
  turn: 'Waits its turn.',
  behind: null,
  scheduled: null,
  'owner-lost': null,
  starting: null,
};

/** Kinds of reasons why a run waits. */
export const waitKinds = Object.keys(waits) as [WaitReason['kind'], ...WaitReason['kind'][]];

/** Why a run waits. */
export function wordsOfWait(message: unknown, { kind }: Fields): unknown {
  const known = waits[kind as WaitReason['kind']];
  return known === undefined ? hiddenMessage : (known ?? message);
}

/** As `waits`; for failures the count is separate. */
const attentions: Readonly<Record<Attention['kind'], string | null>> = {
  failing: 'Its last run failed.',
  late: 'Runs are late.',
  lost: null,
  'no-worker': null,
  'no-scheduler': null,
};

/** What needs attention. */
export function wordsOfAttention(message: unknown, { kind, failure }: Fields): unknown {
  const known = attentions[kind as Attention['kind']];
  if (known === undefined) return hiddenMessage;
  const streak = (failure as Attention['failure'] | undefined)?.streak;
  return (kind === 'failing' ? streak : undefined) ?? known ?? message;
}

/** Name of a limit. Its key is only distinguishable from others: `flow:sync:1f2e3d4c5b6a`. */
export function limitWithoutKey(name: unknown): string {
  const [of = '', whose = '', ...key] = String(name).split(':');
  return key.length === 0 ? String(name) : `${of}:${whose}:${digestOf(key.join(':'))}`;
}

/** Name of a resource without its key: `'tenant'`. */
export function withoutKey(shown: unknown): string {
  return /^'[^']*'/.exec(String(shown))?.[0] ?? '';
}
