/** A run that this process owns and executes: the state its parts share, and how it is stopped. */
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
import { LaterWrites } from './later-writes.ts';
import { scopeOfRun } from './resource-scopes.ts';
import { RecordedValue, shared, take } from '../values/given-value.ts';
import type { Activity } from '../waiting/activity.ts';
import type { EngineServices } from '../services.ts';
import { Sleeps } from '../waiting/sleeps.ts';
import { Semaphore } from '../limits/semaphore.ts';
import type { RunRecord } from './transition.ts';

/** Something running that can be stopped. */
export interface Stoppable {
  /** Aborts its signal; `force` settles it at once, whether or not its code has ended. */
  stop(reason: BatutaError, force: boolean): void;
  /** The body of its code flow has settled: ends it if it only waits. Missing if that does not concern it. */
  drop?(): void;
}

export interface RunAttemptOptions {
  readonly services: EngineServices;
  readonly definition: FlowDefinition;
  /** The validated parameters as recorded. */
  readonly params: string;
  readonly record: RunRecord;
  /** Previously recorded task runs, by key. */
  readonly recorded: ReadonlyMap<string, TaskRun>;
  /** Of the run, over all its attempts. */
  readonly activity: Activity;
  /** See `Leases.confirm`. */
  readonly confirmLease: () => Promise<void> | null;
  /** Whether it stands for a spread task that is executed apart from its run; the claim is then the task's. Default false. */
  readonly isSpread?: boolean;
  /** The flow whose file its class came from, if not its own; see `RunPin`. Default null. */
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
  /** Values set by middleware around the run. */
  contextValues: ContextValues = noContextValues;
  /** Wraps the run and each of its tasks, outermost first. */
  readonly middleware: readonly Middleware[];
  /** Pass of a run under a rate; null once it has begun. */
  pass: RatePass | null = null;
  /** While it waits for another pass: whether it may then begin; shared by all waiting tasks. See `mayStillBegin`. */
  turn: Promise<boolean> | null = null;
  /** Whether it was stopped while it waited for a pass, none of its code having been called. */
  hasNotBegun = false;
  /** Waits for an instant. */
  readonly sleeps = new Sleeps();
  readonly laterWrites: LaterWrites;
  /** Of a code flow while its calls are open: aborts when its body has settled, or the run is stopped; else null. */
  bodyOver: AbortSignal | null = null;
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
    this.laterWrites = new LaterWrites(options.services.store.recorder);
  }

  get run(): Run {
    return this.record.run;
  }

  /** How the run was submitted. */
  get submitted(): Submitted {
    this.#submitted ??= submittedIn(this.#params.text);
    return this.#submitted;
  }

  /** The parameters, as a copy. */
  takeParams(): unknown {
    return this.#params.take().value;
  }

  /** The parameters for the items of mapped tasks: one shared copy, frozen if possible. */
  sharedParams(): unknown {
    this.#sharedParams ??= { given: shared(this.#params) };
    return take(this.#sharedParams.given);
  }

  /** The rows of a task's items, as recorded. */
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

  /** Opens what the flow's fields hold for longer than a task. @throws BatutaError RESOURCE_… */
  async openFields(scopes: readonly ResourceScopeName[] = ['worker', 'run']): Promise<void> {
    if (this.definition.injects.length > 0) await this.#object.openFields(scopes);
  }

  /** Where its resources are opened; made on first use. */
  get resources(): ResourceScope {
    this.#resources ??= scopeOfRun(this);
    return this.#resources;
  }

  /** Whether it may have opened any. */
  get hasResources(): boolean {
    return this.#resources !== null;
  }

  /** Closes what it has opened; returns the errors of doing so. */
  async closeResources(end: ScopeEnd): Promise<readonly BatutaError[]> {
    return (await this.#resources?.close(end)) ?? [];
  }

  /** Where user code outside tasks runs. */
  scope(context: unknown, callTask: RunScope['callTask']): RunScope {
    return new FlowScope(this, context, callTask);
  }

  /** An error that escaped its task or hook: the run fails with it at its end; once it has ended, it is only logged. */
  escape(error: BatutaError, log: Logger): void {
    this.#escaped ??= error;
    log.error({ err: error }, error.message);
  }

  /** The first error that escaped its task; null if none has. */
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

  /** Aborts when what waits is given up: the run is stopped, or its body has settled. */
  get waitSignal(): AbortSignal {
    return this.bodyOver ?? this.signal;
  }

  /** Why the run was stopped; null while it continues. */
  get stopReason(): BatutaError | null {
    return this.#stopReason;
  }

  /** Whether running work must settle at once. */
  get forced(): boolean {
    return this.#forced;
  }

  /** Wraps a task, outermost first. */
  middlewareOf(task: TaskDefinition): readonly Middleware[] {
    return joinMiddleware(this.middleware, task.middleware);
  }

  /** Adds fields to log lines from now on, including those of tasks that start later. */
  addLogFields(fields: Readonly<Record<string, unknown>>): void {
    this.#log = this.log.child(fields);
  }

  /** Logger whose lines carry the run's ids, and its trace id if there are traces or it continues one. */
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
   * Stops the run: nothing new starts, running work gets the signal. A second call may only force.
   *
   * @param force settles running work at once.
   */
  stop(reason: BatutaError, force: boolean): void {
    if (this.#stopReason === null) this.hasNotBegun = this.pass !== null || this.turn !== null;
    this.#stopReason ??= reason;
    this.#forced ||= force;
    if (this.#controller && !this.#controller.signal.aborted) this.#controller.abort(this.#stopReason);
    this.slots.open();
    for (const stoppable of [...this.live]) stoppable.stop(this.#stopReason, force);
  }

  /** The flow's timeout has passed. */
  timeOut(): void {
    const { timeoutMs } = this.definition;
    const message = `The run took longer than the timeout of its flow, ${formatDuration(timeoutMs ?? 0)}.`;
    this.stop(new BatutaError('FLOW_TIMED_OUT', message, { details: { runId: this.run.id, timeoutMs } }), true);
  }

  /** Records, once, that a bad end of the run has something to undo. Durable when it resolves. @throws BatutaError STORE_… */
  armRollback(): Promise<void> {
    const { store, clock } = this.services;
    this.#armed ??= store.rollbacks.arm(this.record.claim, clock.now());
    return this.#armed;
  }

  /** The result of the work; if the run is stopped by force first, its reason is thrown and the result is ignored. */
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

/** Whether a stopped run continues elsewhere or later from what is recorded, so that nothing of it is ended. */
export function isHandedBack(reason: BatutaError): boolean {
  return ['LEASE_LOST', 'SHUTDOWN', 'RUN_SUSPENDED', 'RUN_PINNED'].includes(reason.code);
}
