/** A run that this process owns and executes: what all its parts share, and how it is stopped. */
import { setMaxListeners } from 'node:events';
import type { Logger } from 'pino';
import { formatDuration } from '../../base/duration.ts';
import { BatutaError } from '../../base/errors.ts';
import type { RunFacts } from '../../model/context.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import { type ContextValues, joinMiddleware, type Middleware, noContextValues, noMiddleware } from '../../model/middleware.ts';
import type { FlowVersion } from '../../model/pin.ts';
import type { Run, TaskRun } from '../../model/run.ts';
import type { RunScope } from '../../model/run-context.ts';
import type { ResourceScopeName } from '../../model/resource.ts';
import type { ScopeEnd } from '../../resources/opened.ts';
import type { ResourceScope } from '../../resources/scope.ts';
import type { TaskDefinition } from '../../model/task.ts';
import { type Submitted, submittedIn } from '../../model/submitted.ts';
import { traceIdOf } from '../../model/trace.ts';
import type { RatePass } from '../limits/rates.ts';
import { FlowInstance } from './flow-instance.ts';
import { FlowScope } from './flow-scope.ts';
import { itemsByTask } from './items-by-task.ts';
import { scopeOfRun } from './resource-scopes.ts';
import { RecordedValue, shared, take } from '../values/given-value.ts';
import type { Activity } from '../waiting/activity.ts';
import type { EngineServices } from '../services.ts';
import { Sleeps } from '../waiting/sleeps.ts';
import { Semaphore } from '../limits/semaphore.ts';
import type { RunRecord } from './transition.ts';

/** Something under way that can be told to stop. */
export interface Stoppable {
  /** Aborts its signal; `force` settles it at once, whether its code has ended or not. */
  stop(reason: BatutaError, force: boolean): void;
}

export interface RunAttemptOptions {
  readonly services: EngineServices;
  readonly definition: FlowDefinition;
  /** The validated parameters as they are recorded. */
  readonly params: string;
  readonly record: RunRecord;
  /** Task runs that were recorded before, by key. */
  readonly recorded: ReadonlyMap<string, TaskRun>;
  /** Of the run, over all its attempts. */
  readonly activity: Activity;
  /** See `Leases.confirm`. */
  readonly confirmLease: () => Promise<void> | null;
  /** Whether it stands for a spread task that is executed apart from its run; then the claim is that of the task. Default false. */
  readonly isSpread?: boolean;
  /** With the file of which flow its class came, where that is not its own; see `RunPin`. Default null. */
  readonly host?: FlowVersion | null;
}

/** One attempt of a run. A flow retry makes a new one over the same record. */
export class RunAttempt {
  readonly services: EngineServices;
  readonly definition: FlowDefinition;
  readonly #params: RecordedValue;
  #sharedParams: { readonly given: unknown } | null = null;
  readonly record: RunRecord;
  readonly recorded: ReadonlyMap<string, TaskRun>;
  readonly activity: Activity;
  readonly confirmLease: () => Promise<void> | null;
  readonly isSpread: boolean;
  readonly host: FlowVersion | null;
  readonly slots: Semaphore;
  readonly live = new Set<Stoppable>();
  /** What middleware around the run has set. */
  contextValues: ContextValues = noContextValues;
  /** Runs around the run and each of its tasks, outermost first. */
  readonly middleware: readonly Middleware[];
  /** Leave to begin, of a run under a rate; null once it has. */
  pass: RatePass | null = null;
  /** While it waits for another, whether it then may begin: one wait for all that are about to. See `mayStillBegin`. */
  turn: Promise<boolean> | null = null;
  /** Waits for an instant. */
  readonly sleeps = new Sleeps();
  #controller: AbortController | null = null;
  #stopReason: BatutaError | null = null;
  #forced = false;
  #escaped: BatutaError | null = null;
  readonly #object = new FlowInstance(this);
  #submitted: Submitted | null = null;
  #facts: RunFacts | null = null;
  #log: Logger | null = null;
  #resources: ResourceScope | null = null;
  #items: Promise<ReadonlyMap<string, readonly TaskRun[]>> | null = null;
  #armed: Promise<void> | null = null;
  readonly #unflushed = new Set<Promise<void>>();

  constructor(options: RunAttemptOptions) {
    this.services = options.services;
    this.definition = options.definition;
    this.#params = new RecordedValue(options.params);
    this.record = options.record;
    this.recorded = options.recorded;
    this.activity = options.activity;
    this.confirmLease = options.confirmLease;
    this.isSpread = options.isSpread ?? false;
    this.host = options.host ?? null;
    this.middleware = joinMiddleware(options.services.middleware ?? noMiddleware, options.definition.middleware);
    this.slots = new Semaphore(options.definition.maxParallelTasks);
  }

  get run(): Run {
    return this.record.run;
  }

  /** How the run was submitted. */
  get submitted(): Submitted {
    this.#submitted ??= submittedIn(this.#params.text);
    return this.#submitted;
  }

  /** The parameters, nobody else's. */
  takeParams(): unknown {
    return this.#params.take().value;
  }

  /** The parameters for the items of mapped tasks: one for all, frozen, where they can be. */
  sharedParams(): unknown {
    this.#sharedParams ??= { given: shared(this.#params) };
    return take(this.#sharedParams.given);
  }

  /** The recorded rows of a task's items, as they were recorded. */
  async recordedItems(task: string): Promise<readonly TaskRun[]> {
    this.#items ??= itemsByTask(this.recorded.values());
    return (await this.#items).get(task) ?? [];
  }

  /** The user's object; one per attempt of the run, made by `makeInstance`. */
  get instance(): object {
    return this.#object.value;
  }

  /** See `FlowInstance.make`. */
  makeInstance(): Promise<void> | null {
    return this.#object.make();
  }

  /** Opens what fields of the flow hold for longer than a task. @throws BatutaError RESOURCE_… */
  async openFields(scopes: readonly ResourceScopeName[] = ['worker', 'run']): Promise<void> {
    if (this.definition.injects.length > 0) await this.#object.openFields(scopes);
  }

  /** Where its resources are opened; made when something is first asked of it. */
  get resources(): ResourceScope {
    this.#resources ??= scopeOfRun(this);
    return this.#resources;
  }

  /** Whether it may have opened any. */
  get hasResources(): boolean {
    return this.#resources !== null;
  }

  /** Closes what it has opened; gives what could not be closed. */
  async closeResources(end: ScopeEnd): Promise<readonly BatutaError[]> {
    return (await this.#resources?.close(end)) ?? [];
  }

  /** Where code of the user runs that is none of a task. */
  scope(context: unknown, callTask: RunScope['callTask']): RunScope {
    return new FlowScope(this, context, callTask);
  }

  /** An error that came past its task or hook: the run fails with it at its end, and once it has ended only the log has it. */
  escape(error: BatutaError, log: Logger): void {
    this.#escaped ??= error;
    log.error({ err: error }, error.message);
  }

  /** The first error that came past its task, null while there is none. */
  get escapedError(): BatutaError | null {
    return this.#escaped;
  }

  /** Aborts when the run is stopped; its reason is a `BatutaError`. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      // Every wait of the run listens to it.
      setMaxListeners(0, this.#controller.signal);
      if (this.#stopReason) this.#controller.abort(this.#stopReason);
    }
    return this.#controller.signal;
  }

  /** Why the run was stopped, null while it goes on. */
  get stopReason(): BatutaError | null {
    return this.#stopReason;
  }

  /** Whether what is under way must settle at once. */
  get forced(): boolean {
    return this.#forced;
  }

  /** Runs around a task, outermost first. */
  middlewareOf(task: TaskDefinition): readonly Middleware[] {
    return joinMiddleware(this.middleware, task.middleware);
  }

  /** Adds fields to the lines from now on, those of tasks that start later included. */
  addLogFields(fields: Readonly<Record<string, unknown>>): void {
    this.#log = this.log.child(fields);
  }

  /** Logger whose lines carry the run's ids, and the id of its trace where there are traces or it continues one. */
  get log(): Logger {
    if (this.#log === null) {
      const { traceparent } = this.submitted;
      const ids = { runId: this.run.id, flow: this.definition.name };
      const isTraced = traceparent !== undefined || Boolean(this.services.tracer);
      this.#log = this.services.log.child(isTraced ? { ...ids, traceId: traceIdOf(ids.runId, traceparent ?? null) } : ids);
    }
    return this.#log;
  }

  /** Code of the run, or of a task, has been called. */
  tellBegun(): void {
    this.pass?.began();
    this.pass = null;
  }

  /** What user code may read of the run. */
  get facts(): RunFacts {
    const { id, name, flow, deployment, scheduledFor, attempt } = this.run;
    this.#facts ??= { id, name, flow, deployment, scheduledFor: scheduledFor === null ? null : new Date(scheduledFor), attempt };
    return this.#facts;
  }

  /**
   * Stops the run: nothing new starts, what is under way gets the signal. A second call may only force.
   *
   * @param force settles what is under way at once.
   */
  stop(reason: BatutaError, force: boolean): void {
    this.#stopReason ??= reason;
    this.#forced ||= force;
    if (this.#controller && !this.#controller.signal.aborted) this.#controller.abort(this.#stopReason);
    this.slots.open();
    for (const stoppable of [...this.live]) stoppable.stop(this.#stopReason, force);
  }

  /** The timeout of the flow has passed. */
  timeOut(): void {
    const { timeoutMs } = this.definition;
    const message = `The run took longer than the timeout of its flow, ${formatDuration(timeoutMs ?? 0)}.`;
    this.stop(new BatutaError('FLOW_TIMED_OUT', message, { details: { runId: this.run.id, timeoutMs } }), true);
  }

  /** Notes, once, that a bad end of the run has something to undo. Durable when it resolves. @throws BatutaError STORE_… */
  armRollback(): Promise<void> {
    const { store, clock } = this.services;
    this.#armed ??= store.rollbacks.arm(this.record.claim, clock.now());
    return this.#armed;
  }

  /** Notes a write that no task waits for; whatever the run does next as a whole waits for it by `whenFlushed`. */
  waitLater(written: Promise<void>): void {
    if (this.#unflushed.has(written)) return;
    this.#unflushed.add(written);
    written.then(
      () => this.#unflushed.delete(written),
      // Stays, so that the run does not end as if it had been recorded.
      () => undefined,
    );
  }

  /**
   * Resolves once every such write is durable, save those which share the flush of what is written next when `withNext` is set; null
   * when there is none to wait for.
   *
   * @throws BatutaError STORE_… when one could not be recorded.
   */
  whenFlushed(withNext: boolean): Promise<unknown> | null {
    const { recorder } = this.services.store;
    const earlier = [...this.#unflushed].filter((written) => !(withNext && recorder.isOpen(written)));
    return earlier.length === 0 ? null : Promise.all(earlier);
  }

  /** What the work gives, unless the run is stopped by force first: then its reason is thrown, and the result is ignored. */
  async untilForced<T>(work: () => T | Promise<T>): Promise<T> {
    const started = work();
    if (!(started instanceof Promise)) return started;
    return await new Promise<T>((resolve, reject) => {
      const waiting: Stoppable = { stop: (reason, force) => void (force && reject(reason)) };
      this.live.add(waiting);
      if (this.#forced && this.#stopReason) reject(this.#stopReason);
      started.then(resolve, reject).finally(() => this.live.delete(waiting));
    });
  }
}

/** Whether a stopped run goes on elsewhere or later from what is recorded, so that nothing of it is ended. */
export function isHandedBack(reason: BatutaError): boolean {
  return ['LEASE_LOST', 'SHUTDOWN', 'RUN_SUSPENDED', 'RUN_PINNED'].includes(reason.code);
}
