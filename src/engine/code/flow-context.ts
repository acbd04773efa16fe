/** The contexts of a run as a whole: of a code flow's body and of hooks. */
import type { Logger } from 'pino';
import type { Duration } from '../../base/duration.ts';
import type { FlowContext, HookContext, RunFacts, TaskFacts } from '../../model/context.ts';
import type { FlowClass, ResultOf, StartArguments } from '../../model/flow-types.ts';
import type { DecisionOptions } from '../../model/decision.ts';
import type { ContextValues } from '../../model/middleware.ts';
import { idempotencyKeyOf } from '../../model/idempotency-key.ts';
import type { Failure } from '../../model/failure.ts';
import type { AnyResource } from '../../model/resource.ts';
import type { OwnMeasure } from '../../model/own-metrics.ts';
import type { NamedValues } from '../../model/secret.ts';
import { noNamedValues } from '../../model/variable.ts';
import type { State } from '../../model/state.ts';
import type { RunAttempt } from '../run/run-attempt.ts';
import { take } from '../values/given-value.ts';
import { AttemptArtifacts } from '../artifacts/attempt-artifacts.ts';
import { AttemptEmissions } from '../emissions/attempt-emissions.ts';
import { putArtifact } from '../artifacts/put-artifact.ts';
import { type ContextSource, LiveTaskContext, maxRejects, plainReject } from '../../model/task-context.ts';

/** What only the body of a code flow may call; each call is recorded. */
export interface BodyCalls {
  /** Starts a sub-flow or takes its recorded result. */
  runFlow(flow: FlowClass, params: unknown): Promise<unknown>;
  /** The same for the flow of a deployment. */
  runDeployment(name: string, params: unknown): Promise<unknown>;
  sleep(duration: Duration): Promise<void>;
  waitFor(signal: string, timeout: Duration | undefined): Promise<unknown>;
  decide(name: string, options: DecisionOptions): Promise<unknown>;
}

/** The body of a code flow as the source of its context. */
class BodySource implements ContextSource {
  readonly #active: RunAttempt;
  readonly #rejects: { readonly record: unknown; readonly reason: string }[] = [];
  readonly #metrics = new Map<string, number>();
  #params: { readonly value: unknown } | null = null;
  #artifacts: AttemptArtifacts | null = null;
  #emissions: AttemptEmissions | null = null;
  #progressAt = Number.NEGATIVE_INFINITY;
  /** Whether the body and all it called have ended: what it still does to its context is dropped. */
  #isOver = false;

  constructor(active: RunAttempt) {
    this.#active = active;
  }

  get params(): unknown {
    this.#params ??= { value: this.#active.takeParams() };
    return this.#params.value;
  }
  get runFacts(): RunFacts {
    return this.#active.facts;
  }
  get taskFacts(): TaskFacts {
    return { id: this.#active.run.id, name: 'run', attempt: this.#active.run.attempt, index: null };
  }
  get contextValues(): ContextValues {
    return this.#active.contextValues;
  }
  get idempotencyKey(): string {
    return idempotencyKeyOf(this.#active.run.id, '', null);
  }
  get signal(): AbortSignal {
    return this.#active.signal;
  }
  logger(): Logger {
    return this.#active.log;
  }

  namedValues(): NamedValues {
    return this.#active.services.namedValues ?? noNamedValues;
  }

  useResource(resource: AnyResource, key: unknown): Promise<unknown> {
    return this.#active.activity.work(() => this.#active.resources.use(resource, key));
  }

  reportProgress(done: number, total: number | null): void {
    const now = this.#active.services.clock.monotonic();
    if (this.#isOver || now - this.#progressAt < 1_000) return;
    this.#progressAt = now;
    this.#active.log.info({ done, total }, total === null ? `Progress: ${done}` : `Progress: ${done} of ${total}`);
  }

  changeMetric(change: 'add' | 'set', name: string, value: number): void {
    if (this.#isOver) return;
    this.#metrics.set(name, change === 'add' ? (this.#metrics.get(name) ?? 0) + value : value);
  }

  measure(measure: OwnMeasure): void {
    const { lifecycle } = this.#active.services;
    if (lifecycle.isObserved && !this.#isOver) lifecycle.tell({ kind: 'measured', measure });
  }

  putReject(record: unknown, reason: string): void {
    if (this.#isOver) return;
    if (this.#rejects.length < maxRejects) this.#rejects.push({ record, reason });
    this.changeMetric('add', 'rejected', 1);
  }

  get artifacts(): AttemptArtifacts {
    return (this.#artifacts ??= new AttemptArtifacts(this.#active, null, () => this.#isOver));
  }

  get emissions(): AttemptEmissions {
    const emitter = { taskRunId: null, attempt: this.#active.run.attempt };
    return (this.#emissions ??= new AttemptEmissions(this.#active, emitter, () => this.#isOver));
  }

  /** Keeps the body's rejects; accepts nothing more from it. */
  async keep(): Promise<void> {
    this.#isOver = true;
    await this.#emissions?.settled();
    this.#artifacts?.end();
    if (this.#rejects.length > 0) await putArtifact(this.#active, null, 'rejects', 'run', this.#rejects.map(plainReject));
    if (this.#metrics.size > 0) await putArtifact(this.#active, null, 'json', 'metrics', Object.fromEntries(this.#metrics));
  }
}

/** Context of a code flow's body. Its methods may be detached. */
export class LiveFlowContext extends LiveTaskContext implements FlowContext {
  readonly #body: BodySource;
  readonly #calls: BodyCalls;

  constructor(active: RunAttempt, calls: BodyCalls) {
    const body = new BodySource(active);
    super(body);
    this.#body = body;
    this.#calls = calls;
  }

  get runFlow(): <C extends FlowClass>(flow: C, ...args: StartArguments<C>) => Promise<ResultOf<C>> {
    return (flow, ...[params]) => this.#calls.runFlow(flow, params) as Promise<never>;
  }

  get runDeployment(): FlowContext['runDeployment'] {
    return (name: string, params?: Readonly<Record<string, unknown>>) => this.#calls.runDeployment(name, params) as Promise<never>;
  }

  get sleep(): (duration: Duration) => Promise<void> {
    return (duration) => this.#calls.sleep(duration);
  }

  get waitFor(): FlowContext['waitFor'] {
    return (name: string, options: DecisionOptions | { readonly timeout?: Duration } = {}) =>
      (isDecision(options) ? this.#calls.decide(name, options) : this.#calls.waitFor(name, options.timeout)) as Promise<never>;
  }

  /** Keeps rejected records and metrics as artifacts of the run; called once, when the body has ended. */
  keep(): Promise<void> {
    return this.#body.keep();
  }
}

function isDecision(options: object): options is DecisionOptions {
  return 'title' in options || 'schema' in options || 'notify' in options || 'onTimeout' in options;
}

/** Context of a hook, with its own values. @param result as it is given */
export function hookContext(active: RunAttempt, state: State, error: Failure | null, result: unknown): HookContext {
  return { params: active.takeParams(), run: active.facts, state, error, result: take(result), log: active.log };
}
