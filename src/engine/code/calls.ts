/** Calls in a code flow: what identifies one, what the task gets, what is shown of its arguments, and the errors of those that are refused. */
import { inspect } from 'node:util';
import { BatutaError } from '../../base/errors.ts';
import { notKept, plainCopy } from '../../model/plain-copy.ts';
import type { CallArg } from '../../model/run.ts';
import { decodeValue, encodeValue, identityOf, toTypedJson } from '../../model/values.ts';
import { givenAs, isPrimitive, take } from '../values/given-value.ts';
import { LiveTaskContext } from '../../model/task-context.ts';
import type { RunAttempt } from '../run/run-attempt.ts';
import { withoutHiddenIn } from '../../base/hidden-values.ts';
import { cutText } from '../../base/cut-text.ts';

/** Characters recorded for display, of each argument and of all of a call. */
const maxArgChars = 1_024;
export const maxCallChars = 4_096;
/** Arguments recorded for display. */
const maxArgs = 32;

/** Arguments as they were at the moment of the call. */
export class CallArgs {
  /** Text that identifies the call; null if its arguments have none. */
  readonly identity: string | null;
  readonly #inputs: readonly unknown[];
  /** All of them as one text; null if not all can be recorded. */
  readonly #text: string | null;
  /** Each argument, if needed: what cannot be recorded is passed on as it is. */
  readonly #given: readonly unknown[] | null;

  constructor(inputs: readonly unknown[]) {
    const values = inputs.map((input) => (input instanceof LiveTaskContext ? null : input));
    const identity = identityOf(values);
    const isSafe = values.every(isPrimitive);
    this.#inputs = inputs;
    this.identity = identity?.text ?? null;
    this.#text = isSafe ? null : identity?.isPlain ? identity.text : textOf(values);
    this.#given = isSafe || this.#text !== null ? null : values.map((value) => givenAs(value, textOf(value)));
  }

  /** The arguments for the method, as a fresh copy; its context takes the place of the flow's. */
  take(context: unknown): readonly unknown[] {
    const values = this.#text === null ? (this.#given?.map(take) ?? this.#inputs) : (decodeValue(this.#text) as unknown[]);
    return this.#inputs.map((input, at) => (input instanceof LiveTaskContext ? context : values[at]));
  }

  /** What is recorded for display. @param keyOf returns the key of the task run behind an argument that is its promise */
  shown(keyOf: (at: number) => string | null): readonly CallArg[] | null {
    const left = { chars: maxCallChars };
    const shown: CallArg[] = [];
    for (const [at, input] of this.#inputs.slice(0, maxArgs).entries()) {
      if (input instanceof LiveTaskContext) continue;
      const key = keyOf(at);
      shown.push(key === null ? shownArg(input, left) : { result: key });
    }
    return shown.length === 0 ? null : withoutHiddenIn(shown);
  }
}

/** An argument for display: cut, secrets masked. */
export function shownArg(value: unknown, left: { chars: number }): CallArg {
  const budget = { chars: Math.min(maxArgChars, left.chars) };
  const before = budget.chars;
  const copy = plainCopy(value, { budget, error: (error) => ({ name: error.name, message: error.message }) });
  left.chars -= before - budget.chars;
  if (copy === notKept) return { text: budget.chars <= 0 ? 'too large to be shown' : cutText(inspect(value, { depth: -1 }), 200) };
  const { json, types } = toTypedJson(copy);
  return { json, ...(types === undefined ? {} : { types }), ...(budget.chars <= 0 ? { cut: true } : {}) };
}

function textOf(value: unknown): string | null {
  try {
    return encodeValue(value, 'arguments');
  } catch {
    return null;
  }
}

export function calledTooLate({ definition }: RunAttempt): BatutaError {
  return new BatutaError(
    'RUN_STATE_REFUSED',
    `The run of ${definition.name} had ended when a task was called. Await in run() whatever calls tasks.`,
  );
}

/** A detached method has no instance; one wrapped by a container is still an instance of its class. */
export function isOfAnotherClass(instance: unknown, own: object): instance is object {
  return typeof instance === 'object' && instance !== null && instance !== own && !(instance instanceof own.constructor);
}

export function foreignTask(instance: object, name: string, own: string): BatutaError {
  const other = instance.constructor.name;
  return new BatutaError(
    'TASK_FOREIGN',
    `${own}.run called ${other}.${name}, a task of another class; the tasks of a run are methods of its own. Start that flow with ctx.runFlow(${other}), let ${own} extend ${other}, or move what ${name} does into a function without @Task().`,
    { details: { class: own, other, task: name } },
  );
}
