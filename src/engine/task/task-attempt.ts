/**
 * One attempt of a task run: its row, its scope for user code, and the one place where it is settled.
 *
 * Each attempt has its own, so that code of a timed-out attempt that is still running sees its own signal, and its reports are not taken
 * for the next attempt's.
 */
import { setMaxListeners } from 'node:events';
import type { Logger } from 'pino';
import type { Timer } from '../../base/clock.ts';
import type { BatutaError } from '../../base/errors.ts';
import { type AnyResource, isResource } from '../../model/resource.ts';
import type { TaskRun } from '../../model/run.ts';
import type { NamedValues } from '../../model/secret.ts';
import { noNamedValues } from '../../model/variable.ts';
import type { OwnMeasure } from '../../model/own-metrics.ts';
import { type ContextValues, noMiddleware } from '../../model/middleware.ts';
import { type EscapeKind, type RunScope, runScope } from '../../model/run-context.ts';
import { attemptSpanIdOf } from '../../model/trace.ts';
import { type TaskUsage, withUsage } from '../../model/task-usage.ts';
import type { TaskDefinition } from '../../model/task.ts';
import type { ResourceScope } from '../../resources/scope.ts';
import { hasEnded, shownAs } from '../../resources/checks.ts';
import { scopeOfTask } from '../run/resource-scopes.ts';
import { callAround } from '../middleware/around-task.ts';
import type { RunAttempt, Stoppable } from '../run/run-attempt.ts';
import { AttemptFacts } from './attempt-facts.ts';
import { callMethod, collected, isAsyncIterable, isPending } from './call-method.ts';
import { escapedError } from '../../model/escaped-error.ts';
import { AttemptArtifacts } from '../artifacts/attempt-artifacts.ts';
import { AttemptEmissions } from '../emissions/attempt-emissions.ts';
import { type ContextSource, LiveTaskContext } from '../../model/task-context.ts';
import { commitWaitMs, failedWith, ignore, type Settlement, shownTask, timeoutError } from './settlement.ts';
import { type CpuMeter, leastCpuMs } from './cpu-meter.ts';
import { TaskReports } from './task-reports.ts';

export class TaskAttempt extends AttemptFacts implements RunScope, ContextSource, Stoppable {
  readonly definition: TaskDefinition;
  readonly callTask = null;
  contextValues: ContextValues;
  #context: LiveTaskContext | null = null;
  #controller: AbortController | null = null;
  #abortReason: BatutaError | null = null;
  #log: Logger | null = null;
  #lateLog: Logger | null = null;
  /** Whether the attempt has ended: what its code then does to its context is dropped. */
  isOver = false;
  #toldLate = false;
  #settle: ((settlement: Settlement) => void) | null = null;
  #escapedEarly: BatutaError | null = null;
  #hasFailed = false;
  #isEmitting = false;
  #reports: TaskReports | null = null;
  #artifacts: AttemptArtifacts | null = null;
  #emissions: AttemptEmissions | null = null;
  /** What it has opened for itself; null if nothing. */
  resources: ResourceScope | null = null;
  /** Its transaction is being committed: the database decides how it ends. */
  isCommitting = false;
  /** Its usage, once known. */
  usage: TaskUsage | null = null;
  /** Resolves once its beginning is durable. */
  recorded: Promise<void> | null = null;

  constructor(active: RunAttempt, definition: TaskDefinition, row: TaskRun) {
    super(active, row);
    this.definition = definition;
    this.contextValues = active.contextValues;
  }

  get context(): LiveTaskContext {
    return (this.#context ??= new LiveTaskContext(this));
  }
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      // A task may pass its signal to any number of requests at once.
      setMaxListeners(0, this.#controller.signal);
      const reason = this.#abortReason ?? this.active.stopReason;
      if (reason) this.#controller.abort(reason);
    }
    return this.#controller.signal;
  }

  /** Lines about the attempt. */
  get log(): Logger {
    const { row } = this;
    this.#log ??= this.active.log.child({
      ...{ taskRunId: row.id, task: shownTask(row), attempt: row.attempt },
      ...(this.active.services.tracer ? { spanId: attemptSpanIdOf(row.id, row.attempt) } : null),
    });
    return this.#log;
  }

  addLogFields(fields: Readonly<Record<string, unknown>>): void {
    [this.#log, this.#lateLog] = [this.log.child(fields), null];
  }

  /** Lines of its code, marked once the attempt has ended. */
  logger(): Logger {
    if (!this.isOver) return this.log;
    this.#lateLog ??= this.log.child({ late: true });
    return this.#lateLog;
  }

  namedValues(): NamedValues {
    return this.active.services.namedValues ?? noNamedValues;
  }

  /** The row with the attempt's reports and usage. */
  get reportedRow(): TaskRun {
    const row = this.#reports?.on(this.row) ?? this.row;
    return this.usage === null ? row : withUsage(row, this.usage);
  }

  reportProgress(done: number, total: number | null): void {
    if (this.#isLate() || !this.#settle) return;
    const reports = (this.#reports ??= new TaskReports());
    if (!reports.setProgress(done, total, this.active.services.clock.monotonic())) return;
    this.row = this.reportedRow;
    this.active.record.touchTask(this.row);
  }

  changeMetric(change: 'add' | 'set', name: string, value: number): void {
    if (!this.#isLate()) (this.#reports ??= new TaskReports()).changeMetric(change, name, value);
  }

  measure(measure: OwnMeasure): void {
    const { lifecycle } = this.active.services;
    if (lifecycle.isObserved && !this.#isLate()) lifecycle.tell({ kind: 'measured', measure });
  }

  async useResource(resource: AnyResource, key: unknown): Promise<unknown> {
    if (this.#isLate()) throw hasEnded(shownAs(resource, key), 'task');
    if (isResource(resource) && resource.scope !== 'task') return this.active.resources.use(resource, key);
    this.resources ??= scopeOfTask(this);
    return this.resources.use(resource, key);
  }

  peek(resource: AnyResource): { readonly value: unknown } | null {
    return this.resources?.peek(resource) ?? null;
  }

  /** Closes what it has opened, before its end is recorded: an attempt whose resources cannot be closed has not succeeded. */
  async closeResources(settlement: Settlement): Promise<Settlement> {
    const end = settlement.kind === 'value' ? null : { error: settlement.error };
    const [fault] = (await this.resources?.close(end)) ?? [];
    return fault && settlement.kind === 'value' ? this.#ended({ kind: 'error', error: fault }) : settlement;
  }

  putReject(record: unknown, reason: string): void {
    if (!this.#isLate()) (this.#reports ??= new TaskReports()).putReject(record, reason);
  }

  get artifacts(): AttemptArtifacts {
    return (this.#artifacts ??= new AttemptArtifacts(this.active, this.row.id, () => this.#isLate()));
  }

  get emissions(): AttemptEmissions {
    const { row, recorded } = this;
    const emitter = { taskRunId: row.id, attempt: row.attempt, recorded };
    return (this.#emissions ??= new AttemptEmissions(this.active, emitter, () => this.#isLate()));
  }

  get hasEmitted(): boolean {
    return this.#emissions !== null;
  }

  /** Resolves once its emissions are recorded, awaited or not, with the unhandled error; after a commit, that error is the run's. */
  async whenEmitted(): Promise<BatutaError | null> {
    this.#isEmitting = !this.#hasFailed && this.definition.transaction === null;
    await this.#emissions?.settled();
    this.#isEmitting = false;
    return this.#escapedEarly;
  }

  /** Queues the attempt's rejects, in the flush that carries its end. Not awaited: that flush is. */
  queueRejects(): void {
    const { rejects = [] } = this.#reports ?? {};
    if (rejects.length > 0) this.artifacts.queueRejects(this.row.name, rejects, this.log);
  }

  /** Fails the attempt while it runs, and its run if the attempt returned a value. If it has already failed, the error is only logged. */
  escaped(error: unknown, how: EscapeKind): void {
    const { row, active } = this;
    const escaped = escapedError(error, how, `task ${row.name}`);
    if (this.#settle === ignore || this.#isEmitting) this.#escapedEarly ??= escaped;
    else if (this.#settle && !this.isCommitting) {
      if (this.definition.transaction === null) this.#settle(this.#ended({ kind: 'error', error: escaped }));
      this.#abort(escaped);
    } else if (this.#hasFailed) this.logger().error({ err: escaped }, escaped.message);
    else active.escape(escaped, this.logger());
  }

  /** Runs the method once, until its code ends, its timeout passes, or the run is stopped and does not wait. */
  execute(args: readonly unknown[]): Settlement | Promise<Settlement> {
    const { active, definition } = this;
    if (active.stopReason) return { kind: 'stopped', error: active.stopReason };
    let started: unknown;
    let heldMs = 0;
    let pending: PromiseLike<unknown> | AsyncIterable<unknown> | null;
    // A method that returns synchronously needs neither timer nor race.
    this.#settle = ignore;
    const meter = definition.isolate === null ? active.services.cpuMeter : null;
    const begun = meter === null ? 0 : meter.now();
    try {
      const around = active.middlewareOf(this.definition);
      started = around === noMiddleware ? runScope.run(this, callMethod, this, args) : runScope.run(this, callAround, this, args, around);
      pending = isPending(started) ? started : null;
      if (meter) heldMs = meter.heldSince(begun);
    } catch (error) {
      this.usage = meter?.usageOf(meter.heldSince(begun)) ?? null;
      this.#close(true);
      return this.#ended({ kind: 'error', error });
    }
    // The method continued after a refused exit.
    if (this.#escapedEarly) {
      this.#close(true);
      this.#abort(this.#escapedEarly);
      return this.#ended({ kind: 'error', error: this.#escapedEarly });
    }
    if (pending) return this.#race(pending, meter, heldMs);
    if (heldMs >= leastCpuMs) this.usage = meter?.usageOf(heldMs) ?? null;
    this.#close(false);
    return this.#ended({ kind: 'value', value: started });
  }

  stop(reason: BatutaError, force: boolean): void {
    const settle = (): void => this.#settle?.({ kind: 'stopped', error: reason });
    if (force && !this.isCommitting) settle();
    if (!this.isCommitting) this.#abort(reason);
    else if (force) this.active.services.leaseClock.setTimer(commitWaitMs, settle, { unref: true });
  }

  /** First of: the code, the timeout, a forced stop. What the code does after that is ignored. */
  async #race(started: PromiseLike<unknown> | AsyncIterable<unknown>, meter: CpuMeter | null, heldMs: number): Promise<Settlement> {
    const metered = meter?.enter(heldMs);
    const { active, definition } = this;
    active.live.add(this);
    let timer: Timer | null = null;
    const settlement = await new Promise<Settlement>((resolve) => {
      // Closed at once: what the code does from here to the settlement, for example on a signal, comes too late.
      this.#settle = (first) => {
        this.#close(first.kind !== 'value');
        resolve(first);
      };
      if (definition.timeoutMs !== null) timer = active.services.clock.setTimer(definition.timeoutMs, () => this.#timeOut());
      if (active.forced && active.stopReason) this.#settle({ kind: 'stopped', error: active.stopReason });
      const value = isAsyncIterable(started) ? this.collect(started) : started;
      value.then(
        (result) => this.#settle?.(this.#ended({ kind: 'value', value: result })),
        (error: unknown) => this.#settle?.(this.#ended(failedWith(error, this.#abortReason))),
      );
    });
    (timer as Timer | null)?.cancel();
    if (meter && metered) this.usage = meter.leave(metered);
    active.live.delete(this);
    return settlement;
  }

  /** An async generator's items as a list. Its body runs within its task, and is ended at its next `yield` once nobody waits any more. */
  collect(items: AsyncIterable<unknown>): Promise<unknown> {
    return runScope.run(this, () => collected(items, () => this.#settle !== null));
  }

  #timeOut(): void {
    if (this.isCommitting) return;
    const error = timeoutError(this.definition, this.row);
    // Its transaction is rolled back first; then it settles with the reason.
    if (this.definition.transaction === null) this.#settle?.({ kind: 'timeout', error });
    this.#abort(error);
  }

  /** The attempt has ended. */
  #close(hasFailed: boolean): void {
    this.#artifacts?.end();
    this.#settle = null;
    this.#hasFailed = hasFailed;
    this.isOver = true;
  }

  /** Whether what the code does to its context comes too late; logs that once. */
  #isLate(): boolean {
    if (this.isOver && !this.#toldLate) {
      this.#toldLate = true;
      this.logger().warn(`Attempt ${this.row.attempt} has ended: what its code still reports or keeps is dropped.`);
    }
    return this.isOver;
  }

  #abort(reason: BatutaError): void {
    this.#abortReason ??= reason;
    if (this.#controller && !this.#controller.signal.aborted) this.#controller.abort(this.#abortReason);
  }

  /** An error after the run was stopped is the code obeying. A value is a value. */
  #ended(settlement: Settlement): Settlement {
    const { stopReason: error } = this.active;
    return settlement.kind === 'error' && error ? { kind: 'stopped', error } : settlement;
  }
}
