/**
 * A code flow: its `run` method decides what is called; each call of a task method becomes a task run.
 *
 * A task run is identified by the task's name, a hash of its inputs, and how often that pair occurred, never by mere call order: when the
 * body runs again after a crash, recorded calls return their recorded results, even if the code branched differently.
 */
import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { BatutaError } from '../../base/errors.ts';
import { type EscapeKind, type RunScope, runScope } from '../../model/run-context.ts';
import { isTerminal, stateOf } from '../../model/state.ts';
import { identityOf } from '../../model/values.ts';
import type { RunAttempt } from '../run/run-attempt.ts';
import { escapedError } from '../../model/escaped-error.ts';
import { mayStillBegin } from '../limits/await-rate.ts';
import { LiveFlowContext } from './flow-context.ts';
import { CallArgs, calledTooLate, foreignTask, isOfAnotherClass } from './calls.ts';
import { outcomeOf, valueOf } from '../task/outcome.ts';
import { runTask } from '../task/run-task.ts';
import { recordUnrun } from '../task/task-row.ts';
import { runSubDeployment, runSubFlow, type StartSubFlow } from './sub-flow.ts';
import { waitForDecision } from '../waiting/decisions.ts';
import { dropped } from '../waiting/dropped.ts';
import { sleep, waitForSignal } from '../waiting/waits.ts';

/**
 * Runs the body until it and all task runs it started have ended. Returns its value. Waits, sub-flows and tasks that wait for something,
 * open when the body has settled because they lost a race or something else failed, are Cancelled.
 *
 * @throws what the body threw.
 */
export async function runCode(active: RunAttempt, startSubFlow: StartSubFlow): Promise<unknown> {
  const body = active.definition.run;
  if (!body) throw new BatutaError('INTERNAL', `${active.definition.className} has no method run.`);
  if (active.stopReason) throw active.stopReason;
  const calls = new TaskCalls(active);
  const context = new LiveFlowContext(active, {
    runFlow: (flow, params) => calls.askForBody(() => runSubFlow(calls, startSubFlow, flow, params)),
    runDeployment: (name, params) => calls.askForBody(() => runSubDeployment(calls, startSubFlow, name, params)),
    sleep: (duration) => calls.askForBody(() => sleep(calls, duration)),
    waitFor: (signal, timeout) => calls.askForBody(() => waitForSignal(calls, signal, timeout)),
    decide: (name, options) => calls.askForBody(() => waitForDecision(calls, name, options)),
  });
  const scope = active.scope(context, (instance, name, args) => calls.call(instance, name, args));
  let hasThrown = true;
  try {
    const given = await stoppable(active, scope, async () => {
      if (active.definition.injects.length > 0) await active.openFields();
      const { leaseClock } = active.services;
      while (!active.stopReason && active.pass?.isFresh(leaseClock.monotonic()) === false) await mayStillBegin(active);
      if (active.stopReason) throw active.stopReason;
      const given = body.call(active.instance, context.params, context);
      active.tellBegun();
      return given;
    });
    hasThrown = false;
    return given;
  } finally {
    await calls.end(hasThrown);
    await context.keep();
  }
}

/** The calls of one run of the body. */
class TaskCalls {
  readonly active: RunAttempt;
  /** How often each pair of name and inputs has occurred. */
  readonly #occurrences = new Map<string, number>();
  /** What must settle before the run may end. */
  #underWay = 0;
  #onNoneLeft: () => void = () => undefined;
  readonly #over = new AbortController();
  /** Calls that wait for their arguments. */
  #waiting = 0;
  #ended = false;
  /** Key of the task run behind a promise returned to the body. */
  readonly #keys = new WeakMap<Promise<unknown>, () => string | null>();

  constructor(active: RunAttempt) {
    this.active = active;
    active.bodyOver = this.#over.signal;
    // Every wait of the body listens to it.
    setMaxListeners(0, this.#over.signal);
    const stop = (): void => this.#over.abort(active.signal.reason);
    if (active.signal.aborted) stop();
    else active.signal.addEventListener('abort', stop, { once: true, signal: this.#over.signal });
  }

  /** Whether the body has settled; see `isDropped`. */
  get #isDropped(): boolean {
    return this.#over.signal.aborted && this.active.stopReason === null;
  }

  /** A call of a task method in the body. Rejects with the task's error. @throws BatutaError TASK_FOREIGN */
  call(instance: unknown, name: string, args: readonly unknown[]): Promise<unknown> {
    if (isOfAnotherClass(instance, this.active.instance))
      return Promise.reject(foreignTask(instance, name, this.active.definition.className));
    // Nothing starts for a body that has settled: a loop of tasks that lost a race would never end.
    if (this.#isDropped && !this.#ended) return new Promise<never>(() => undefined);
    let key: string | null = null;
    const tellKey = (made: string): void => void (key = made);
    const promise = args.some((arg) => arg instanceof Promise)
      ? this.#callLater(name, args, tellKey)
      : this.ask((end) => this.#run(name, Promise.resolve(args), args, tellKey, end));
    this.#keys.set(promise, () => key);
    return promise;
  }

  /** A call whose arguments are still pending. It starts once they are there; after a dropped wait, never. */
  #callLater(name: string, args: readonly unknown[], tellKey: (key: string) => void): Promise<unknown> {
    this.#waiting++;
    const inputs = this.#inputsOf(name, args).finally(() => this.#waiting--);
    const promise = inputs.then(() => this.ask((end) => this.#run(name, inputs, args, tellKey, end)));
    promise.catch(() => undefined);
    return promise;
  }

  /**
   * Starts what the body requests, if it still may, and counts it among what must settle before the run may end. The body may leave it
   * unawaited.
   *
   * @param start its argument is called instead of settling, if there is no answer
   */
  ask<T>(start: (end: () => void) => Promise<T>): Promise<T> {
    const { stopReason } = this.active;
    if (stopReason) return this.#refuse(stopReason);
    if (this.#ended) return this.#refuse(calledTooLate(this.active));
    this.#underWay++;
    const end = (): void => {
      if (--this.#underWay === 0) this.#onNoneLeft();
    };
    const promise = start(end);
    promise.then(end, end);
    return promise;
  }

  /**
   * The same for what only the body can want, a wait or a sub-flow: it is dropped if the body settles first. Then there is no answer: what
   * still waits has lost a race, and must neither continue nor raise an unhandled rejection.
   */
  askForBody<T>(start: () => Promise<T>): Promise<T> {
    const answer = new Promise<T>((resolve, reject) => {
      if (this.#isDropped) return;
      this.ask(start).then(resolve, (error: unknown) => {
        if (error !== dropped && !this.#isDropped) reject(error);
      });
    });
    answer.catch(() => undefined);
    return answer;
  }

  /**
   * The body has settled: drops what waits, then waits for all else that was requested; later requests are refused. Calls that wait for a
   * place of the run alone are made all the same, unless the body has failed.
   */
  async end(hasThrown: boolean): Promise<void> {
    this.#over.abort();
    if (hasThrown) this.active.slots.turnAway();
    if (this.#isDropped) for (const one of [...this.active.live]) one.drop?.();
    do {
      while (this.#underWay > 0) await new Promise<void>((resolve) => (this.#onNoneLeft = resolve));
      // What has settled may be an argument that a call waits for.
      if (this.#waiting > 0) await new Promise((resolve) => setImmediate(resolve));
    } while (this.#underWay > 0);
    this.#ended = true;
    // What follows, an attempt or a rollback, waits anew.
    this.active.bodyOver = null;
  }

  /**
   * Rejects, though not at once: a body that catches everything and asks again must leave the event loop its turns. Nor forever: once
   * nobody waits for the body it gets no answer.
   */
  #refuse(reason: BatutaError): Promise<never> {
    const promise = new Promise<never>((_, reject) => {
      setImmediate(() => {
        if (!this.active.forced) reject(reason);
      });
    });
    promise.catch(() => undefined);
    return promise;
  }

  /** Identity of a call; the next occurrence of its pair. Inputs that cannot be compared get one that never matches again. */
  keyOf(name: string, inputs: readonly unknown[]): string {
    return this.#keyOf(name, inputs.length === 0 ? '0' : (identityOf(inputs)?.text ?? null));
  }

  #keyOf(name: string, identity: string | null): string {
    const pair = `${name}#${this.#hashOf(identity)}`;
    const occurrence = (this.#occurrences.get(pair) ?? 0) + 1;
    this.#occurrences.set(pair, occurrence);
    return occurrence === 1 ? pair : `${pair}#${occurrence}`;
  }

  /** @param inputs the values of the arguments */
  async #run(
    name: string,
    inputs: Promise<readonly unknown[]>,
    args: readonly unknown[],
    tellKey: (key: string) => void,
    end: () => void,
  ): Promise<unknown> {
    const { active } = this;
    const definition = active.definition.tasks.get(name);
    if (!definition) throw new BatutaError('INTERNAL', `${name} is no task of ${active.definition.className}.`);
    const callArgs = new CallArgs(await inputs);
    const key = this.#keyOf(name, args.length === 0 ? '0' : callArgs.identity);
    tellKey(key);
    const recorded = active.recorded.get(key);
    const stands =
      recorded &&
      isTerminal(recorded.state.type) &&
      recorded.state.type !== 'CANCELLED' &&
      (definition.persist || recorded.state.type === 'FAILED');
    const outcome = stands
      ? await outcomeOf(active, recorded)
      : await runTask(active, {
          definition,
          key,
          index: null,
          args: (context) => callArgs.take(context),
          dependsOn: this.#dependenciesOf(args),
          callArgs: callArgs.shown((at) => this.#keyBehind(args[at])),
        });
    if (outcome.kind === 'cancelled' && outcome.error === dropped) {
      end();
      return await new Promise<never>(() => undefined);
    }
    return valueOf(outcome);
  }

  /** Awaits promises among the arguments. If one fails, the call is UpstreamFailed, and its error is thrown. */
  async #inputsOf(name: string, args: readonly unknown[]): Promise<readonly unknown[]> {
    const rejected: unknown[] = [];
    const watched = args.map((arg) => (arg instanceof Promise ? arg.catch((error: unknown) => this.#note(rejected, arg, error)) : arg));
    try {
      return await Promise.all(watched);
    } catch (error) {
      if (this.active.stopReason) throw error;
      const failed = this.#dependenciesOf(rejected) ?? [];
      const key = this.keyOf(name, ['upstream failed', ...failed]);
      const state = stateOf('FAILED', 'UpstreamFailed', `It waits for ${failed.join(', ') || 'a promise'}, which failed.`);
      await this.ask(() => recordUnrun(this.active, key, name, null, state));
      throw error;
    }
  }

  #note(rejected: unknown[], arg: unknown, error: unknown): never {
    rejected.push(arg);
    throw error;
  }

  #dependenciesOf(args: readonly unknown[]): string[] | null {
    const keys = args.flatMap((arg) => this.#keyBehind(arg) ?? []);
    return keys.length === 0 ? null : keys;
  }

  /** Key of the task run behind the promise. */
  #keyBehind(arg: unknown): string | null {
    return arg instanceof Promise ? (this.#keys.get(arg)?.() ?? null) : null;
  }

  #hashOf(identity: string | null): string {
    if (identity === '0') return '0';
    if (identity === null) return `opaque-${this.active.services.makeId()}`;
    return createHash('sha256').update(identity).digest('hex').slice(0, 16);
  }
}

/** The body's value, an error that escaped it, or the reason of a stop that does not wait for it. */
function stoppable(active: RunAttempt, scope: RunScope, run: () => Promise<unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const body = { stop: (reason: BatutaError, force: boolean) => void (force && reject(reason)) };
    active.live.add(body);
    const escaped = (error: unknown, how: EscapeKind): void => {
      reject(escapedError(error, how, `the flow ${active.definition.name}`));
      scope.escaped?.(error, how);
    };
    // Object spread omits what is on the prototype.
    const inBody: RunScope = { ...scope, traceparent: scope.traceparent ?? null, logger: () => scope.logger(), escaped };
    runScope
      .run(inBody, run)
      .then(resolve, reject)
      .finally(() => active.live.delete(body));
  });
}
