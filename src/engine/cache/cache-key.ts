/**
 * What identifies a task's value in the cache: flow, task, version of the code, and its inputs.
 *
 * The version is the task's own if it has one, else that of its flow, which changes with any edit of what the flow file brings in: a value
 * made by older code is never taken for one of newer code. Inputs are compared by content, regardless of the order of their fields.
 */
import { createHash } from 'node:crypto';
import { BatutaError } from '../../base/errors.ts';
import { shortened, storableText } from '../../base/cut-text.ts';
import { maskText } from '../../base/mask.ts';
import type { CachePolicy } from '../../model/cache.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import type { TaskDefinition } from '../../model/task.ts';
import { LiveTaskContext } from '../../model/task-context.ts';
import { findUnstorable } from '../../model/unstorable.ts';
import { identityOf } from '../../model/values.ts';
import type { CacheKey } from '../../store/store.ts';
import { shownArg } from '../code/calls.ts';
import { fillTemplate } from '../submit/names.ts';
import { isPrimitive } from '../values/given-value.ts';

/** Characters of a key to show. */
const maxShownChars = 500;
/** Hexadecimal digits of an id. */
const idChars = 32;

/** A call of a task. */
export interface KeyedCall {
  readonly flow: Pick<FlowDefinition, 'name' | 'version' | 'kind'>;
  readonly task: TaskDefinition;
  readonly policy: CachePolicy;
  readonly runId: string;
  /** Arguments, including the context. */
  readonly args: readonly unknown[];
  readonly params: unknown;
}

/**
 * The key of a call.
 *
 * @throws BatutaError CACHE_KEY_INVALID if something in it cannot be compared; what the policy's function throws
 */
export function cacheKeyOf({ flow, task, policy, runId, args, params }: KeyedCall): CacheKey {
  const madeOf = partsOf(task, policy, args, params);
  const text = identityText(madeOf, task, policy.key === null ? 'inputs' : 'key');
  const version = task.version ?? flow.version;
  const scopeRunId = policy.scope === 'run' ? runId : null;
  const whole = JSON.stringify([flow.name, task.name, version, scopeRunId, policy.key === null ? 'inputs' : 'key', text]);
  return {
    id: createHash('sha256').update(whole).digest('hex').slice(0, idChars),
    flow: flow.name,
    task: task.name,
    version,
    scopeRunId,
    // Lazy: a hit, the usual case, does not show it.
    get shown() {
      return shortened(storableText(shownOf(madeOf)), maxShownChars);
    },
  };
}

/** The user's cache key, else the inputs; with the parameters if the method can read them. */
function partsOf(task: TaskDefinition, policy: CachePolicy, args: readonly unknown[], params: unknown): unknown {
  if (typeof policy.key === 'function') return policy.key(...args);
  if (policy.key !== null) return fillTemplate(policy.key, params);
  const inputs = args.filter((arg) => !(arg instanceof LiveTaskContext));
  return takesContext(task, args, inputs.length) ? { inputs, params } : inputs;
}

const blind = new WeakMap<object, boolean>();

/** Whether the method may see its context, and through it the parameters. If in doubt, true. */
function takesContext({ method }: TaskDefinition, args: readonly unknown[], inputs: number): boolean {
  // In the body of a code flow, the call passes the context or does not.
  if (inputs === args.length) return false;
  if (method.length !== inputs) return true;
  let isBlind = blind.get(method);
  if (isBlind === undefined) {
    isBlind = !/\barguments\b|\.\.\./.test(Function.prototype.toString.call(method));
    blind.set(method, isBlind);
  }
  return !isBlind;
}

function identityText(madeOf: unknown, { name }: TaskDefinition, what: 'inputs' | 'key'): string {
  const identity = identityOf(madeOf);
  if (identity === null) {
    const fault = findUnstorable(madeOf, 'opaque');
    const place = fault === null || fault.path === '' ? 'hold something' : `hold at ${fault.path} a value`;
    const subject = what === 'inputs' ? `The inputs of task ${name}` : `The cache key of task ${name}`;
    const verb = what === 'inputs' ? place : place.replace(/^hold/, 'holds');
    throw new BatutaError(
      'CACHE_KEY_INVALID',
      `${subject} ${verb} that cannot be part of a cache key: ${fault?.why ?? 'it has no text'}. ` +
        (what === 'inputs' ? 'Give cache.key a function that returns plain data for them.' : 'Let cache.key give plain data.'),
      { details: { task: name, path: fault?.path ?? '' } },
    );
  }
  const values = Array.isArray(madeOf) ? madeOf : [madeOf];
  return values.every(isPrimitive) ? identity.text : JSON.stringify(sorted(JSON.parse(identity.text)));
}

/** The same JSON with each object's fields sorted. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, part]) => [name, sorted(part)]));
}

/** For display, secrets masked. */
function shownOf(madeOf: unknown): string {
  if (typeof madeOf === 'string') return maskText(madeOf);
  const shown = shownArg(madeOf, { chars: maxShownChars });
  return 'json' in shown ? JSON.stringify(shown.json) : 'text' in shown ? shown.text : '';
}
