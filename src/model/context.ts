/** What user code receives: the types of the context objects. The engine makes the objects. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Logger } from 'pino';
import type { Duration } from '../base/duration.ts';
import type { Connection } from './connection.ts';
import type { Approval, DecisionOptions } from './decision.ts';
import type { ConnectionKind } from './connection-kinds.ts';
import type { ArtifactFileOptions, ArtifactImageOptions, ArtifactOptions, ArtifactSource } from './artifact.ts';
import type { Chart } from './chart.ts';
import type { Failure } from './failure.ts';
import type { ContextParams, EmitsIn, FlowClass, ResultOf, SomeParams, StartArguments } from './flow-types.ts';
import type { KeyArgument, Resource, ResourceScopeName, WithinReach } from './resource.ts';
import type { RunFacts, TaskFacts } from './facts.ts';
import type { ContextKey } from './middleware.ts';
import type { OwnMetrics } from './own-metrics.ts';
import type { State } from './state.ts';

export type { RunFacts, TaskFacts } from './facts.ts';

/**
 * Numbers a task reports about itself: `add` and `set` are stored with its task run and shown with it; counters, gauges and histograms are
 * for Prometheus, summed up over all runs of the process.
 */
export interface Metrics extends OwnMetrics {
  /** Adds `by` (default 1) to the named sum. */
  add(name: string, by?: number): void;
  /** Sets the named value. */
  set(name: string, value: number): void;
}

/**
 * Things a task wants people to see; kept with the run. Promises resolve once it is durable; what an ended attempt still sends is dropped.
 * Data must be plain JSON: `RESULT_NOT_SERIALIZABLE` otherwise. With a `key`, each is a version among those of other runs; repeating the
 * same content after a retry or crash adds no version. Names and keys that are not text are refused with `ARTIFACT_INVALID`.
 */
export interface ArtifactWriter {
  /** Markdown text. */
  markdown(name: string, text: string, options?: ArtifactOptions): Promise<void>;
  /** A table: one row per object, a column for each key of any row. */
  table(name: string, rows: readonly object[], options?: ArtifactOptions): Promise<void>;
  link(name: string, url: string, options?: ArtifactOptions): Promise<void>;
  json(name: string, data: unknown, options?: ArtifactOptions): Promise<void>;
  /**
   * A PNG, JPEG, WebP or SVG, up to 20 MiB (`BATUTA_MAX_ARTIFACT_IMAGE`). Its first bytes tell the type.
   *
   * @throws BatutaError ARTIFACT_TYPE (another type, or unsupported), ARTIFACT_TOO_LARGE, ARTIFACT_INVALID (no such file), STORE_…
   */
  image(name: string, source: ArtifactSource, options?: ArtifactImageOptions): Promise<void>;
  /**
   * A file of any type, up to 2 GiB (`BATUTA_MAX_ARTIFACT_FILE`), for download; stored like large results, never executed.
   *
   * @throws BatutaError ARTIFACT_TYPE (its first bytes contradict `type`), ARTIFACT_TOO_LARGE, ARTIFACT_INVALID (no such file), STORE_…
   */
  file(name: string, source: ArtifactSource, options?: ArtifactFileOptions): Promise<void>;
  /**
   * Lines, areas or bars, drawn by the dashboard; up to 20,000 points (`BATUTA_MAX_CHART_POINTS`).
   *
   * @throws BatutaError ARTIFACT_INVALID, ARTIFACT_TOO_LARGE
   */
  chart(name: string, chart: Chart, options?: ArtifactOptions): Promise<void>;
  /**
   * Progress, from 0 to 1 or as `{ percent }`: one bar per name, updated in place. May be called often; recorded at most twice a second,
   * and when the attempt ends.
   *
   * @throws BatutaError ARTIFACT_INVALID for any other value
   */
  progress(name: string, value: number | { readonly percent: number }, label?: string): void;
}

/**
 * Last argument of every task.
 *
 * @typeParam P the flow's class (`typeof FlightDelays`), whose static `params` describes the parameters, or their shape.
 */
export interface TaskContext<P = unknown> {
  /** The parameters after the schema: checked, converted, defaults filled in. */
  readonly params: ContextParams<P>;
  readonly run: RunFacts;
  readonly task: TaskFacts;
  /**
   * Tells other services that a request is the same piece of work: a UUID that is the same for every attempt of this task run, even after a
   * crash or on another worker, and different for every other task run. Pass it to Stripe and similar.
   */
  readonly idempotencyKey: string;
  /**
   * For a task that streams: the last position passed to `at` before which every record was taken, in an earlier attempt or before a crash;
   * reading continues after it. Undefined if there is none.
   */
  readonly resumeFrom: unknown;
  /** A value set by middleware. @throws BatutaError CONTEXT_VALUE_MISSING */
  get<T>(key: ContextKey<T>): T;
  /** Aborts on cancel, timeout, lost lease and shutdown; `signal.reason` is a `BatutaError` that says why. */
  readonly signal: AbortSignal;
  /** pino logger whose lines carry run and task ids. */
  readonly log: Logger;
  /**
   * The value of a resource: opened on first use in its scope, closed when the scope ends. A resource with a key is opened once per key.
   *
   * @throws BatutaError RESOURCE_OPEN_FAILED, RESOURCE_SCOPE, RESOURCE_CYCLE, RESOURCE_DUPLICATE, RESOURCE_CLOSED
   */
  use<T, K>(resource: Resource<T, K>, ...key: KeyArgument<K>): Promise<T>;
  /** Reports how far the task is; shown live. `total` may be omitted if unknown. */
  progress(done: number, total?: number): void;
  readonly artifact: ArtifactWriter;
  /**
   * Emits a value while the run continues: those who follow the stream (`handle.stream('tokens')`, `batuta runs stream`) get it at once,
   * latecomers get all from the start. Values arrive in call order, awaited or not, and are kept as long as the run. A retried task emits
   * again, under its next attempt; emissions of earlier attempts stay. What an ended attempt still emits is dropped.
   *
   * With `static readonly emits = { tokens: z.string() }` in the class, only the named streams exist and their schemas check the values.
   *
   * @param stream 1 to 100 letters, digits, `_`, `.`, `:` or `-`
   * @param value anything a task may return, up to 16 MiB (`BATUTA_MAX_STREAM_VALUE`); all of a run up to 256 MiB
   *   (`BATUTA_MAX_RUN_STREAMS`)
   * @returns resolves once the value is recorded
   * @throws BatutaError NAME_INVALID, STREAM_VALUE_INVALID, STREAM_VALUE_TOO_LARGE, STREAM_FULL, RESULT_NOT_SERIALIZABLE, SECRET_EXPOSED,
   *   STORE_…
   */
  emit<K extends keyof EmitsIn<P> & string>(stream: K, value: EmitsIn<P>[K]): Promise<void>;
  /**
   * Sets a record aside with the reason and continues. Kept as an artifact of kind `rejects` (the first 1,000 per task run; the metric
   * `rejected` counts all).
   */
  reject(record: unknown, reason: string): void;
  readonly metrics: Metrics;
  /**
   * The value of a secret (`batuta secret set stripe-key`). From then on it is hidden wherever this process prints or records text. Never
   * recorded: read it where needed rather than pass it on; a result that holds it is refused (`SECRET_EXPOSED`).
   *
   * @throws BatutaError SECRET_NOT_FOUND, SECRET_KEY_MISSING, SECRET_KEY_WRONG, SECRET_UNREADABLE
   */
  secret(name: string): Promise<string>;
  /**
   * The value of a variable (`batuta variable set batch-size 500`), after the schema: checked, converted. A schema that takes undefined,
   * such as `z.number().default(100)`, covers an unset variable.
   *
   * @throws BatutaError VARIABLE_NOT_FOUND, VARIABLE_INVALID
   */
  variable<S extends StandardSchemaV1>(name: string, schema: S): Promise<StandardSchemaV1.InferOutput<S>>;
  /** The same, unchecked. */
  variable<T = unknown>(name: string): Promise<T>;
  /**
   * Address and credentials of a database or service (`batuta connection set warehouse --kind postgres …`): its fields and its `url`. Like
   * a secret, hidden and never recorded.
   *
   * @throws BatutaError CONNECTION_NOT_FOUND, CONNECTION_INVALID (another kind), SECRET_KEY_MISSING, SECRET_KEY_WRONG, SECRET_UNREADABLE
   */
  connection<K extends ConnectionKind>(name: string, kind: K): Promise<Connection<K>>;
}

/**
 * Second argument of a code flow's `run(params, ctx)`. If passed to a task (`this.fetch(url, ctx)`), the task gets its own context instead.
 *
 * Members shared with a task's context refer to the run: `task` names the body (`run`), `progress` is logged, metrics and rejected records
 * are kept as artifacts of the run.
 */
export interface FlowContext<P = unknown> extends TaskContext<P> {
  /** A flow's body has no transaction. It is here so that the context can be passed to a task with `transaction`. */
  readonly tx: never;
  /** As in a task, for resources of scope `run` and `worker`: the body of a flow is not a task. */
  use<T, K>(resource: Resource<T, K, 'run' | 'worker'>, ...key: KeyArgument<K>): Promise<T>;
  /** Runs another flow as part of this one; returns its result. Recorded: after a crash a finished sub-flow is not run again. */
  runFlow<C extends FlowClass>(flow: C, ...args: StartArguments<C>): Promise<ResultOf<C>>;
  /**
   * Runs the flow of a deployment as part of this one; returns its result. Recorded like `runFlow`. It has the parameters, tags and name of
   * the deployment, overridden by `params`; ignores a pause.
   *
   * @throws BatutaError DEPLOYMENT_NOT_FOUND, PARAMS_INVALID, FLOW_NOT_FOUND (this process lacks its flow)
   */
  runDeployment<const N extends keyof BatutaDeployments>(
    name: N,
    params?: SomeParams<BatutaDeployments[N]>,
  ): Promise<ResultOf<BatutaDeployments[N]>>;
  runDeployment<R = unknown>(name: string, params?: Readonly<Record<string, unknown>>): Promise<R>;
  /**
   * Waits, for milliseconds to years. Recorded: after a crash only the remaining time is waited. On a worker, a run that only waits is
   * Suspended: it holds no place and survives any restart.
   *
   * @throws BatutaError DURATION_INVALID
   */
  sleep(duration: Duration): Promise<void>;
  /**
   * Waits for a signal (`batuta runs signal <id> <name> --data JSON`) and returns its data; undefined if it has none. Signals of one name
   * are taken in order of arrival, each once, including those that arrived before the wait.
   *
   * @throws BatutaError WAIT_TIMED_OUT when `timeout` passes first (recorded: it is thrown again after a crash), NAME_INVALID
   */
  waitFor<T = unknown>(signal: string, options?: { readonly timeout?: Duration }): Promise<T>;
  /**
   * Asks people to decide: an item in the inbox of the dashboard and of `batuta inbox`, with a form made from the schema. Returns the
   * decision, as output by the schema; if the schema refuses an answer, the item asks again. Recorded like a signal, with who decided and
   * when.
   *
   * @throws BatutaError WAIT_TIMED_OUT when `timeout` passes first and there is no `onTimeout`, NAME_INVALID, OPTION_INVALID
   */
  waitFor<S extends StandardSchemaV1>(
    name: string,
    options: DecisionOptions<S> & { readonly schema: S },
  ): Promise<StandardSchemaV1.InferOutput<S>>;
  waitFor<T = Approval>(
    name: string,
    options: Omit<DecisionOptions, 'schema' | 'onTimeout'> & { readonly schema?: undefined; readonly onTimeout?: T },
  ): Promise<T>;
}

/** Argument of a method with `@On`. */
export interface HookContext<P = unknown> {
  readonly params: ContextParams<P>;
  readonly run: RunFacts;
  /** Current state of the run. */
  readonly state: State;
  /** The run's failure, else null. */
  readonly error: Failure | null;
  /** The flow's value if it completed, else undefined. */
  readonly result: unknown;
  readonly log: Logger;
}

/** A value, or the promise of a task's value; for parameters of code-flow tasks that take either. */
export type Input<T> = T | Promise<T>;

/** Argument of a resource's function. */
export interface ResourceContext<S extends ResourceScopeName = ResourceScopeName> {
  /** Name of the resource. */
  readonly name: string;
  readonly scope: S;
  /** The run it is opened for; null for scope `worker`, which outlives the run. */
  readonly run: S extends 'worker' ? null : RunFacts;
  /** The task it is opened for; null unless its scope is `task`. */
  readonly task: S extends 'task' ? TaskFacts : null;
  /** The parameters of the run, after its schema; undefined for scope `worker`. */
  readonly params: unknown;
  /** Aborts when opening exceeds its timeout, and when its scope ends before it is open. */
  readonly signal: AbortSignal;
  /** Lines that name the resource, and the run and task it is opened for. */
  readonly log: Logger;
  /** As in a task: the value of a secret. */
  readonly secret: TaskContext['secret'];
  /** As in a task: the value of a variable. */
  readonly variable: TaskContext['variable'];
  /** As in a task: a connection. */
  readonly connection: TaskContext['connection'];
  /** Opens another resource, of the same scope or a longer one, or returns an open one. It is closed after this one. */
  use<T, K>(resource: Resource<T, K, WithinReach<S>>, ...key: KeyArgument<K>): Promise<T>;
}
