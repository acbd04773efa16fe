/**
 * Contract of the client: everything that can be asked of Batuta from outside a flow. Two makers: local, which opens the store and
 * runs embedded in this process, and HTTP, which asks a server. `Client` is what both can; `EmbeddedClient` adds what only a
 * process can that has the store and the user's files at hand.
 */
import type { ResourceUse } from '../model/resource-use.ts';
import type { RollbackSummary } from '../model/rollback.ts';
import type { Alike } from '../model/failure-sentence.ts';
import type { EngineListener } from '../model/events.ts';
import type { EmitsOf, FlowClass, FlowRef, ResultOf, StartArguments, StartFields } from '../model/flow-types.ts';
import type { FlowDefinition, Instantiate } from '../model/flow.ts';
import type { Middleware } from '../model/middleware.ts';
import type { Artifact, ListedRun, Run, TaskRun, Transition } from '../model/run.ts';
import type { AlertsClient, ErrorsClient } from './alerts-client.ts';
import type { AuditClient, KeysClient } from './access-client.ts';
import type { BackfillsClient, DeploymentsClient } from './deployments-client.ts';
import type { ConnectionsClient, SecretsClient, VariablesClient } from './secrets-client.ts';
import type { SubmittedOptions } from '../model/submitted.ts';
import type { EnqueueOptions, RunHandle, StreamOptions } from './handle.ts';
import type { Emission } from '../model/emission.ts';
import type { DeadLetter, RejectCounts, RejectFilter } from '../model/dead-letters.ts';
import type { ArtifactsClient } from './artifacts-client.ts';
import type { CacheClient } from './cache-client.ts';
import type { InboxClient } from './inbox-client.ts';
import type { ExportsClient } from './export/export-client.ts';
import type { EventsClient } from './events-client.ts';
import type { WebhooksClient } from './webhooks-client.ts';
import type { BulkReport, BulkWish, FiguresClient, LimitsClient, TaskRunFilter, WaitReason } from './fleet-client.ts';
import type { EmissionStream, LogFilter, Page, PruneReport, RunFilter, SchemaReport, StoredFlow, StoredLogLine } from '../store/store.ts';

export type { EnqueueOptions, RunHandle, StreamOptions };

/** What `openClient` can be told; what is left out is as the settings in the environment say, then as their defaults. */
export interface ClientOptions {
  /** `sqlite:path` or `postgres://…`; default `sqlite:.batuta/batuta.db`. */
  readonly databaseUrl?: string;
  /** Where results over 256 KiB are kept: `store`, a folder, or `s3://bucket/prefix`; default by the settings. */
  readonly results?: string;
  /** Folders or files in which the flow of a run to be resumed or retried is looked for; default `flows`. */
  readonly flows?: readonly string[];
  /** Makes the instances of flows; default: as `batuta.config.ts` in the current folder says. */
  readonly instantiate?: Instantiate;
  /** Turns `console` output of flows into log lines of their runs; default true. */
  readonly captureConsole?: boolean;
  /** Runs around all runs and tasks, outermost first; default none: no `batuta.config.ts` is read. */
  readonly middleware?: readonly Middleware[];
  /** Keeps a CPU profile of every task with `isolate`, as its option `profile` does; default false. */
  readonly profile?: boolean;
  /** Whether what happens in the store is reported to `BATUTA_REPORT_URL`, where that is set; default true. */
  readonly reports?: boolean;
}

export interface RunOptions extends SubmittedOptions {
  /** Name of the run for people; default from the flow's `runName`, else two random words. */
  readonly name?: string;
  readonly tags?: readonly string[];
  /** Aborting cancels the run. */
  readonly signal?: AbortSignal;
  readonly onEvent?: EngineListener;
}

/** To which version of its flow a run is pinned. */
export interface PinView {
  readonly version: string;
  /** When the run began, UTC epoch ms. */
  readonly pinnedAt: number;
  /** Living workers that have that version. */
  readonly workers: number;
}

/** A run with all that is known about it. */
export interface RunInspection {
  readonly run: Run;
  readonly taskRuns: readonly TaskRun[];
  readonly transitions: readonly Transition[];
  readonly artifacts: readonly Artifact[];
  /** What the run and its tasks have opened, in the order in which opening began. */
  readonly resources: readonly ResourceUse[];
  readonly children: readonly ListedRun[];
  /** Decoded parameters and result (undefined when there is none). */
  readonly params: unknown;
  readonly result: unknown;
  /** Of one that failed: how many others failed like it, since when; else null. */
  readonly alike: Alike | null;
  /** What came of its rollback, or how far that is; null for one that was not rolled back. */
  readonly rollback: RollbackSummary | null;
  /** To which version of its flow it is pinned; null for one that is not, or has not begun. */
  readonly pin: PinView | null;
  /** Of a key of the role observer: parameters, result, errors, messages and artifacts are kept from it. Else absent. */
  readonly isHidden?: true;
}

export type { ClientEvent, RunEventsOptions } from './run-events.ts';

export interface RunsClient {
  /** Newest first. @throws BatutaError FILTER_INVALID */
  list(filter?: RunFilter): Promise<Page<ListedRun>>;
  /** @throws BatutaError RUN_NOT_FOUND */
  get(id: string): Promise<Run>;
  inspect(id: string): Promise<RunInspection>;
  logs(id: string, filter?: LogFilter): Promise<readonly StoredLogLine[]>;
  /** Yields the run and its task runs on every change until it is terminal; the first yield comes at once. */
  watch(id: string, signal?: AbortSignal): AsyncIterable<{ readonly run: Run; readonly taskRuns: readonly TaskRun[] }>;
  /** @throws BatutaError RUN_STATE_REFUSED when it is terminal. Gives the run after the request. */
  cancel(id: string, message?: string): Promise<Run>;
  /** Why a run does not run now; null for one that has ended or does. @throws BatutaError RUN_NOT_FOUND */
  why(id: string): Promise<WaitReason | null>;
  /**
   * Sends a signal to a run, whether it waits for it already, will later, or is suspended: then it goes on. Gives the number of the signal
   * among those of its name, from 1.
   *
   * @throws BatutaError NAME_INVALID, RESULT_NOT_SERIALIZABLE (data), RUN_NOT_FOUND, RUN_STATE_REFUSED (it has ended)
   */
  signal(id: string, name: string, data?: unknown): Promise<number>;
  /** @throws RUN_STATE_REFUSED when it is not terminal and `force` is not set. */
  delete(id: string, options?: { readonly force?: boolean }): Promise<void>;
  /**
   * New attempt of a failed, crashed or cancelled run, by the workers; `from` re-runs this task and all after it as well. Gives the run
   * after it.
   *
   * @throws BatutaError RUN_NOT_FOUND, RUN_STATE_REFUSED, USAGE (no such task)
   */
  requeue(id: string, options?: { readonly from?: string }): Promise<Run>;
  /**
   * The same change for many runs, one after the other, each by its state at that moment: what is interrupted has changed those before it
   * and none after. A filter without states means those that can be changed; what is created after the call is left alone.
   *
   * @throws BatutaError FILTER_INVALID
   */
  cancelMany(wish: BulkWish & { readonly message?: string }): Promise<BulkReport>;
  requeueMany(wish: BulkWish): Promise<BulkReport>;
  /** Those that have not ended are refused. */
  deleteMany(wish: BulkWish): Promise<BulkReport>;
  /** To which version of its flow it is pinned, and who has that; null for one that is not, or has not begun. @throws BatutaError RUN_NOT_FOUND */
  pin(id: string): Promise<PinView | null>;
  /**
   * Lets a pinned run go on with any version of its flow: the worker that has it keeps it, the next may have another. What is recorded is then matched
   * by name and inputs, as that of any run. Gives the run after it.
   *
   * @throws BatutaError RUN_NOT_FOUND, RUN_STATE_REFUSED (it is not pinned)
   */
  unpin(id: string): Promise<Run>;
  /** The same for many; of those that fit a filter only those that are pinned. @throws BatutaError FILTER_INVALID */
  unpinMany(wish: BulkWish): Promise<BulkReport>;
  /** How many runs failed like this one, which is not counted; null when it did not fail. @throws BatutaError RUN_NOT_FOUND */
  alike(id: string): Promise<Alike | null>;
  /** What came of its rollback, or how far that is; null for one that was not rolled back. @throws BatutaError RUN_NOT_FOUND */
  rollback(id: string): Promise<RollbackSummary | null>;
  /** A page of task runs, in the order they were first recorded. @throws BatutaError RUN_NOT_FOUND, FILTER_INVALID */
  taskRuns(id: string, filter?: TaskRunFilter): Promise<Page<TaskRun>>;
  /** How many task runs are in which state, by name and state name. */
  taskCounts(id: string): Promise<readonly { readonly name: string; readonly state: string; readonly count: number }[]>;
  /** The records that its tasks have rejected, in the order in which they were kept, read as they are asked for. @throws BatutaError RUN_NOT_FOUND */
  rejects(id: string, filter?: RejectFilter): AsyncIterable<DeadLetter>;
  /** How many these are, by task and reason. @throws BatutaError RUN_NOT_FOUND */
  rejectCounts(id: string, filter?: RejectFilter): Promise<RejectCounts>;
  /** By which streams a run has given out values, and how many, by name. @throws BatutaError RUN_NOT_FOUND */
  streams(id: string): Promise<readonly EmissionStream[]>;
  /**
   * The values of one stream in their order, each once, until the run has ended; see `RunHandle.stream`.
   *
   * @throws BatutaError NAME_INVALID, FILTER_INVALID (after), RUN_NOT_FOUND, RESULT_MISSING
   */
  emitted(id: string, stream: string, options?: StreamOptions): AsyncIterable<Emission>;
  /**
   * Submits a run of the same flow with the same parameters, in which each task of a stream is given the records that it had rejected.
   *
   * @throws BatutaError RUN_NOT_FOUND, REJECTS_MISSING, and what `enqueue` throws
   */
  retryRejects(id: string): Promise<RunHandle>;
}

/** Runs, as a process can ask and steer them that executes flows itself. */
export interface EmbeddedRunsClient extends RunsClient {
  list(filter?: RunFilter): Promise<Page<Run>>;
  /** Continues a run whose owner is gone, here and now. @throws RUN_OWNED, RUN_STATE_REFUSED (terminal), FLOW_NOT_FOUND */
  resume(id: string, options?: Pick<RunOptions, 'signal' | 'onEvent'>): Promise<RunHandle>;
  /** New attempt of a failed, crashed or cancelled run, here and now; `from` re-runs this task and all after it as well. */
  retry(id: string, options?: Pick<RunOptions, 'signal' | 'onEvent'> & { readonly from?: string }): Promise<RunHandle>;
}

export interface FlowsClient {
  list(): Promise<readonly StoredFlow[]>;
  /** @throws BatutaError FLOW_NOT_FOUND, naming the nearest. */
  get(name: string): Promise<StoredFlow>;
}

export interface Client {
  /**
   * Hands a run to the workers; a name is looked for in the flows of the project. Durable when the promise resolves. Over HTTP the server
   * finds the flow among its own, by the name that a class or definition has.
   *
   * @throws BatutaError before any run exists: PARAMS_INVALID, FLOW_NOT_FOUND, NAME_INVALID (queue), OPTION_INVALID, DURATION_INVALID, CONFIG_INVALID
   *   and BROKER_UNAVAILABLE (no broker); STORE_…
   */
  enqueue<const C extends FlowRef>(
    flow: C,
    ...args: StartArguments<C, [options?: EnqueueOptions]>
  ): Promise<RunHandle<ResultOf<C>, EmitsOf<C>>>;
  /** The same for many runs at once (10,000 and more). Gives their ids in order. When one is refused, none exists. */
  enqueueMany<const C extends FlowRef>(flow: C, runs: readonly (StartFields<C> & EnqueueOptions)[]): Promise<readonly string[]>;
  /** Called, it follows what happens; its members tell what has happened elsewhere, and list that. */
  readonly events: EventsClient;
  readonly runs: RunsClient;
  readonly flows: FlowsClient;
  readonly figures: FiguresClient;
  readonly artifacts: ArtifactsClient;
  readonly deployments: DeploymentsClient;
  readonly backfills: BackfillsClient;
  readonly limits: LimitsClient;
  readonly cache: CacheClient;
  readonly inbox: InboxClient;
  readonly keys: KeysClient;
  readonly audit: AuditClient;
  readonly secrets: SecretsClient;
  readonly variables: VariablesClient;
  readonly connections: ConnectionsClient;
  readonly webhooks: WebhooksClient;
  readonly exports: ExportsClient;
  readonly alerts: AlertsClient;
  /** Errors of runs by what they are. */
  readonly errors: ErrorsClient;
  /** Ends what is open: streams, and where runs go on here their execution and the store. May be called twice. */
  close(): Promise<void>;
}

/** The client of a process that opens the store itself and runs flows. */
export interface EmbeddedClient extends Client {
  readonly runs: EmbeddedRunsClient;
  /** Starts a run of a class or a loaded definition, in this process. @throws PARAMS_INVALID before any run exists. */
  submit<C extends FlowClass | FlowDefinition>(
    flow: C,
    ...args: StartArguments<C, [options?: RunOptions]>
  ): Promise<RunHandle<ResultOf<C>, EmitsOf<C>>>;
  migrate(): Promise<SchemaReport>;
  /** Deletes what ended before the instant (epoch ms), result files included. */
  prune(before: number): Promise<PruneReport>;
  /** Lets what runs here finish being recorded, cancels what still runs, closes the store. May be called twice. */
  close(): Promise<void>;
}
