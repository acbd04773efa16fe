/** What user code is handed: the types of the context objects. The engine makes the objects. */
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
 * Numbers a task reports about itself: `add` and `set` are kept with its task run and shown beside it; counters, gauges and histograms are
 * for Prometheus, summed up over all runs of the process.
 */
export interface Metrics extends OwnMetrics {
  /** Adds `by` (default 1) to the sum of that name. */
  add(name: string, by?: number): void;
  /** Sets the value of that name. */
  set(name: string, value: number): void;
}

/**
 * Things a task wants people to see; kept with the run. Promises resolve once it is durable; what an ended attempt still gives is dropped. Data must be
 * plain JSON: `RESULT_NOT_SERIALIZABLE` otherwise. With a `key` each is a version of what other runs gave under it, and the same content that an attempt
 * gives again after a retry or a crash is no further one. Name and key are refused with `ARTIFACT_INVALID` where they are no texts.
 */
export interface ArtifactWriter {
  /** Markdown text. */
  markdown(name: string, text: string, options?: ArtifactOptions): Promise<void>;
  /** A table: one object a row, columns in the order of the first. */
  table(name: string, rows: readonly object[], options?: ArtifactOptions): Promise<void>;
  link(name: string, url: string, options?: ArtifactOptions): Promise<void>;
  json(name: string, data: unknown, options?: ArtifactOptions): Promise<void>;
  /**
   * A PNG, JPEG, WebP or SVG, up to 20 MiB (`BATUTA_MAX_ARTIFACT_IMAGE`). Its first bytes say what it is.
   *
   * @throws BatutaError ARTIFACT_TYPE (it is another type, or none of these), ARTIFACT_TOO_LARGE, ARTIFACT_INVALID (no such file), STORE_…
   */
  image(name: string, source: ArtifactSource, options?: ArtifactImageOptions): Promise<void>;
  /**
   * A file of any type, up to 2 GiB (`BATUTA_MAX_ARTIFACT_FILE`), to be downloaded; stored as large results are, never executed.
   *
   * @throws BatutaError ARTIFACT_TYPE (its first bytes are of another type than `type` says), ARTIFACT_TOO_LARGE, ARTIFACT_INVALID (no such file), STORE_…
   */
  file(name: string, source: ArtifactSource, options?: ArtifactFileOptions): Promise<void>;
  /**
   * Lines, areas or bars, drawn by the dashboard; up to 20,000 points (`BATUTA_MAX_CHART_POINTS`).
   *
   * @throws BatutaError ARTIFACT_INVALID, ARTIFACT_TOO_LARGE
   */
  chart(name: string, chart: Chart, options?: ArtifactOptions): Promise<void>;
  /**
   * How far something is, from 0 to 1 or as `{ percent }`: one bar by name, changed in place. May be called as often as one likes; it is recorded twice a second
   * at most, and as the attempt ends.
   *
   * @throws BatutaError ARTIFACT_INVALID when it is no such number
   */
  progress(name: string, value: number | { readonly percent: number }, label?: string): void;
}

/**
 * Last argument of every task.
 *
 * @typeParam P the flow's class (`typeof FlightDelays`), whose static `params` says what the parameters are, or their shape.
 */
export interface TaskContext<P = unknown> {
  /** The parameters as the schema gives them: checked, converted, defaults filled in. */
  readonly params: ContextParams<P>;
  readonly run: RunFacts;
  readonly task: TaskFacts;
  /**
   * Tells a service elsewhere that a request is the same piece of work: a UUID that is the same for every attempt of this task run, also after
   * a crash and on another worker, and different for every other task run. Hand it to Stripe and the like.
   */
  readonly idempotencyKey: string;
  /**
   * Of a task that streams: the last position given by `at` before which every record was taken, in an earlier attempt or before a crash; what
   * comes after it is to be read. Undefined when there is none.
   */
  readonly resumeFrom: unknown;
  /** A value that middleware has set. @throws BatutaError CONTEXT_VALUE_MISSING */
  get<T>(key: ContextKey<T>): T;
  /** Aborts on cancel, timeout, lost lease and shutdown; `signal.reason` is a `BatutaError` that says which. */
  readonly signal: AbortSignal;
  /** pino logger whose lines carry run and task ids. */
  readonly log: Logger;
  /**
   * The value of a resource: opened when it is first asked for in its scope, and closed when that ends. A resource with a key is opened once
   * for each key.
   *
   * @throws BatutaError RESOURCE_OPEN_FAILED, RESOURCE_SCOPE, RESOURCE_CYCLE, RESOURCE_DUPLICATE, RESOURCE_CLOSED
   */
  use<T, K>(resource: Resource<T, K>, ...key: KeyArgument<K>): Promise<T>;
  /** Says how far the task is; shown live. `total` may be left out when it is not known. */
  progress(done: number, total?: number): void;
  readonly artifact: ArtifactWriter;
  /**
   * Gives out a value while the run goes on: whoever follows the stream (`handle.stream('tokens')`, `batuta runs stream`) gets it at once, and
   * whoever comes later gets all from the start. Values come in the order of the calls, whether they are awaited or not, and are kept as long as
   * the run. A task that is tried again emits again, under its next attempt; what the attempt before emitted stays. What an ended attempt
   * still emits is dropped.
   *
   * With `static readonly emits = { tokens: z.string() }` in the class, streams are those that it names and values are checked by their schemas.
   *
   * @param stream 1 to 100 letters, digits, `_`, `.`, `:` or `-`
   * @param value anything a task may return, up to 16 MiB (`BATUTA_MAX_STREAM_VALUE`); all of a run up to 256 MiB (`BATUTA_MAX_RUN_STREAMS`)
   * @returns resolves once the value is recorded
   * @throws BatutaError NAME_INVALID, STREAM_VALUE_INVALID, STREAM_VALUE_TOO_LARGE, STREAM_FULL, RESULT_NOT_SERIALIZABLE, SECRET_EXPOSED, STORE_…
   */
  emit<K extends keyof EmitsIn<P> & string>(stream: K, value: EmitsIn<P>[K]): Promise<void>;
  /**
   * Puts a record aside with the reason and goes on. Kept as an artifact of kind `rejects` (the first 1,000 a task run, all are
   * counted in the metric `rejected`).
   */
  reject(record: unknown, reason: string): void;
  readonly metrics: Metrics;
  /**
   * The value of a secret (`batuta secret set stripe-key`). From then on it is hidden wherever this process prints or records texts. Never
   * recorded: read it where it is needed rather than hand it on, for a result that holds it is refused (`SECRET_EXPOSED`).
   *
   * @throws BatutaError SECRET_NOT_FOUND, SECRET_KEY_MISSING, SECRET_KEY_WRONG, SECRET_UNREADABLE
   */
  secret(name: string): Promise<string>;
  /**
   * The value of a variable (`batuta variable set batch-size 500`), as the schema gives it: checked, converted. A schema that takes
   * undefined, such as `z.number().default(100)`, says what holds while the variable is not set.
   *
   * @throws BatutaError VARIABLE_NOT_FOUND, VARIABLE_INVALID
   */
  variable<S extends StandardSchemaV1>(name: string, schema: S): Promise<StandardSchemaV1.InferOutput<S>>;
  /** The same without a check. */
  variable<T = unknown>(name: string): Promise<T>;
  /**
   * Where a database or service is and what opens it (`batuta connection set warehouse --kind postgres …`): its fields and its `url`. Like a secret
   * it is hidden, and never recorded.
   *
   * @throws BatutaError CONNECTION_NOT_FOUND, CONNECTION_INVALID (it is of another kind), SECRET_KEY_MISSING, SECRET_KEY_WRONG, SECRET_UNREADABLE
   */
  connection<K extends ConnectionKind>(name: string, kind: K): Promise<Connection<K>>;
}

/**
 * Second argument of a code flow's `run(params, ctx)`. Handing it to a task (`this.fetch(url, ctx)`) gives that task its own
 * context in its place.
 *
 * What it shares with a task's context speaks of the run here: `task` names the body (`run`), `progress` is logged, metrics
 * and rejected records are kept as artifacts of the run.
 */
export interface FlowContext<P = unknown> extends TaskContext<P> {
  /** The body of a flow works in no transaction. It is here so that the context may be handed to a task with `transaction`. */
  readonly tx: never;
  /** As in a task, for resources of the scopes `run` and `worker`: the body of a flow is no task. */
  use<T, K>(resource: Resource<T, K, 'run' | 'worker'>, ...key: KeyArgument<K>): Promise<T>;
  /** Runs another flow as part of this one and gives its result. Recorded: after a crash a finished sub-flow is not run again. */
  runFlow<C extends FlowClass>(flow: C, ...args: StartArguments<C>): Promise<ResultOf<C>>;
  /**
   * Runs the flow of a deployment as part of this one and gives its result; recorded like `runFlow`. It has the parameters, tags and name of
   * the deployment, `params` laid over; a pause does not hold it up.
   *
   * @throws BatutaError DEPLOYMENT_NOT_FOUND, PARAMS_INVALID, FLOW_NOT_FOUND (its flow is not among those of the process)
   */
  runDeployment<const N extends keyof BatutaDeployments>(
    name: N,
    params?: SomeParams<BatutaDeployments[N]>,
  ): Promise<ResultOf<BatutaDeployments[N]>>;
  runDeployment<R = unknown>(name: string, params?: Readonly<Record<string, unknown>>): Promise<R>;
  /**
   * Waits, for milliseconds to years. Recorded: after a crash the rest of the time is waited, not all of it again. On a worker a
   * run that only waits is Suspended: it holds no place and survives restarts of everything.
   *
   * @throws BatutaError DURATION_INVALID
   */
  sleep(duration: Duration): Promise<void>;
  /**
   * Waits for a signal (`batuta runs signal <id> <name> --data JSON`) and gives its data; undefined when it carries none. Signals of one
   * name are taken in the order in which they came, each once; one that came before it was waited for counts.
   *
   * @throws BatutaError WAIT_TIMED_OUT when `timeout` passes first (recorded: it is thrown again after a crash), NAME_INVALID
   */
  waitFor<T = unknown>(signal: string, options?: { readonly timeout?: Duration }): Promise<T>;
  /**
   * Asks people to decide: an item in the inbox of the dashboard and of `batuta inbox`, with a form made of the schema. Gives what was decided, as
   * the schema gives it; an answer that the schema refuses is asked for again. Recorded like a signal, with who has decided and when.
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
  /** State of the run at this moment. */
  readonly state: State;
  /** What the run failed with, else null. */
  readonly error: Failure | null;
  /** The flow's value when it completed, else undefined. */
  readonly result: unknown;
  readonly log: Logger;
}

/** A value, or the promise of a task's value; for parameters of code-flow tasks that take either. */
export type Input<T> = T | Promise<T>;

/** What the function of a resource is given. */
export interface ResourceContext<S extends ResourceScopeName = ResourceScopeName> {
  /** Name of the resource. */
  readonly name: string;
  readonly scope: S;
  /** The run it is opened for; of scope `worker` null, for it outlives that run. */
  readonly run: S extends 'worker' ? null : RunFacts;
  /** The task it is opened for; null unless its scope is `task`. */
  readonly task: S extends 'task' ? TaskFacts : null;
  /** The parameters of the run, as its schema gives them; of scope `worker` undefined. */
  readonly params: unknown;
  /** Aborts when opening takes longer than its timeout, and when its scope ends before it is open. */
  readonly signal: AbortSignal;
  /** Lines that name the resource, and the run and task it is opened for. */
  readonly log: Logger;
  /** As in a task: the value of a secret. */
  readonly secret: TaskContext['secret'];
  /** As in a task: the value of a variable. */
  readonly variable: TaskContext['variable'];
  /** As in a task: a connection. */
  readonly connection: TaskContext['connection'];
  /** Opens another resource, of the same scope or a longer one, or gives it where it is open. It is closed after this one. */
  use<T, K>(resource: Resource<T, K, WithinReach<S>>, ...key: KeyArgument<K>): Promise<T>;
}
