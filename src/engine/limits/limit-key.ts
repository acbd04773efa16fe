/** Names of the limits on runs. Pure. */
import { createHash } from 'node:crypto';
import { BatutaError } from '../../base/errors.ts';
import type { Deployment } from '../../model/deployment.ts';
import type { DeclaredConcurrency, FlowConcurrency } from '../../model/flow.ts';
import type { FlowFairness } from '../../model/fairness.ts';
import type { Submitted } from '../../model/submitted.ts';
import { fillTemplate } from '../submit/names.ts';
import { cutText, isLongerThan, storableText } from '../../base/cut-text.ts';

/** Maximum length of a limit's name, characters; a hash replaces the end of longer ones. */
const maxChars = 300;
const hashChars = 16;

/** What a run's limits depend on. */
export interface LimitedRun {
  readonly flow: { readonly name: string; readonly concurrency: FlowConcurrency | DeclaredConcurrency | null };
  /** The deployment it is a run of; its `concurrency`, if any, replaces that of the flow. */
  readonly deployment?: Pick<Deployment, 'name' | 'concurrency'> | null;
  /** Validated, as in memory. */
  readonly params: unknown;
}

/**
 * The limit that a run is under: `deployment:<name>[:<key>]` or `flow:<name>[:<key>]`; null if there is none. To be stored in
 * `concurrencyKey` of the new run; how many may run is read from the flow or deployment when the run is about to start. Also null for a
 * flow whose key comes from a function, if only its record is known: the worker, which has the class, determines it before the run begins.
 *
 * @throws BatutaError OPTION_INVALID when the key function throws or returns no text
 */
export function concurrencyKeyOf({ flow, deployment, params }: LimitedRun): string | null {
  if (deployment?.concurrency) return limitName('deployment', deployment.name, deployment.concurrency.key, params);
  if (!flow.concurrency || ('byFunction' in flow.concurrency && flow.concurrency.byFunction)) return null;
  return limitName('flow', flow.name, flow.concurrency.key, params);
}

/**
 * `flow:<name>` or similar, with the value of the key if there is one.
 *
 * @param option names the key in errors.
 * @throws BatutaError OPTION_INVALID when a key function throws or returns no text
 */
export function limitName(
  kind: 'flow' | 'deployment' | 'tag',
  name: string,
  key: FlowConcurrency['key'],
  params: unknown,
  option = 'concurrency.key',
): string {
  // A colon separates the name from the key; names contain no percent sign.
  const base = `${kind}:${name.replaceAll(':', '%3A')}`;
  if (key === null) return base;
  return shortened(`${base}:${typeof key === 'string' ? fillTemplate(key, params) : keyBy(key, params, option)}`);
}

/**
 * The key by which a run takes turns; null if it does not. To be stored in `fairKey` of a new run that waits for a worker.
 *
 * @throws BatutaError OPTION_INVALID when the key function throws or returns no text
 */
export function fairKeyOf(fairness: FlowFairness['key'] | null, params: unknown): string | null {
  if (fairness === null) return null;
  return shortened(typeof fairness === 'string' ? fillTemplate(fairness, params) : keyBy(fairness, params, 'fairness.key'));
}

/** Replaces the end of an overlong name by a hash. */
function shortened(full: string): string {
  if (!isLongerThan(full, maxChars)) return storableText(full);
  const hash = createHash('sha256').update(full).digest('hex').slice(0, hashChars);
  return `${storableText(cutText(full, maxChars - hashChars - 1))}~${hash}`;
}

function keyBy(key: (params: unknown) => unknown, params: unknown, option: string): string {
  let given: unknown;
  try {
    given = key(params);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BatutaError('OPTION_INVALID', `The function ${option} threw: ${why}`, { cause });
  }
  if (typeof given === 'string') return given;
  if (typeof given === 'number' || typeof given === 'bigint' || typeof given === 'boolean') return String(given);
  throw new BatutaError('OPTION_INVALID', `The function ${option} must give a text, not ${given === null ? 'null' : typeof given}.`);
}

/** What is stored with the parameters of a run whose deployment has a rate; else nothing. */
export function rateSubmitted(deployment: Pick<Deployment, 'name' | 'rateLimit'> | null, params: unknown): Pick<Submitted, 'rate'> {
  if (!deployment?.rateLimit) return {};
  return { rate: limitName('deployment', deployment.name, deployment.rateLimit.key, params) };
}
