/**
 * Contract of the client: everything that can be asked of Batuta from outside a flow. Two implementations: local, which opens the store and
 * runs embedded in this process, and HTTP, which talks to a server. Both implement `Client`; `EmbeddedClient` adds what only a process with
 * the store and the user's files can do.
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

/** Options of `openClient`; omitted ones come from the settings in the environment, then from their defaults. */
export interface ClientOptions {
  /** `sqlite:path` or `postgres://…`; default `sqlite:.batuta/batuta.db`. */
  readonly databaseUrl?: string;
  /** Where results over 256 KiB are kept: `store`, a folder, or `s3://bucket/prefix`; default by the settings. */
  readonly results?: string;
  /** Folders or files searched for the flow of a run to be resumed or retried; default `flows`. */
  readonly flows?: readonly string[];
  /** Makes the instances of flows; default: from `batuta.config.ts` in the current folder. */
  readonly instantiate?: Instantiate;
  /** Turns `console` output of flows into log lines of their runs; default true. */
  readonly captureConsole?: boolean;
  /** Runs around all runs and tasks, outermost first; default none: no `batuta.config.ts` is read. */
  readonly middleware?: readonly Middleware[];
  /** Keeps a CPU profile of every task with `isolate`, like its option `profile`; default false. */
  readonly profile?: boolean;
  /** Whether events in the store are reported to `BATUTA_REPORT_URL`, if that is set; default true. */
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

/** The version of its flow a run is pinned to. */
export interface PinView {
  readonly version: string;
  /** When the run began, UTC epoch ms. */
  readonly pinnedAt: number;
  /** Live workers with that version. */
  readonly workers: number;
}

/** A run with all that is known about it. */
export interface RunInspection {
  readonly run: Run;
  readonly taskRuns: readonly TaskRun[];
  readonly transitions: readonly Transition[];
  readonly artifacts: readonly Artifact[];
  /** Resources of the run and its tasks, in the order in which opening began. */
  readonly resources: readonly ResourceUse[];
  readonly children: readonly ListedRun[];
  /** Decoded parameters and result (undefined if there is none). */
  readonly params: unknown;
  readonly result: unknown;
  /** For a failed run: how many others failed like it, since when; else null. */
  readonly alike: Alike | null;
  /** Outcome or progress of its rollback; null if it was not rolled back. */
  readonly rollback: RollbackSummary | null;
  /** The version of its flow it is pinned to; null if it is not pinned or has not begun. */
  readonly pin: PinView | null;
  /** For a key of the role observer: parameters, result, errors, messages and artifacts are withheld. Else absent. */
  readonly isHidden?: true;
}

export type { ClientEvent, RunEventsOptions } from './run-events.ts';

export interface RunsClient {
  /** Newest first. @throws BatutaError FILTER_INVALID (also for a state that does not exist) */
  list(filter?: RunFilter): Promise<Page<ListedRun>>;
  /** @throws BatutaError RUN_NOT_FOUND */
  get(id: string): Promise<Run>;
  inspect(id: string): Promise<RunInspection>;
  logs(id: string, filter?: LogFilter): Promise<readonly StoredLogLine[]>;
  /** Yields the run and its task runs on every change until it is terminal; the first yield is immediate. */
  watch(id: string, signal?: AbortSignal): AsyncIterable<{ readonly run: Run; readonly taskRuns: readonly TaskRun[] }>;
  /** Returns the run after the request. @throws BatutaError RUN_STATE_REFUSED if it is terminal. */
  cancel(id: string, message?: string): Promise<Run>;
  /** Why a run is not running; null if it has ended or is running. @throws BatutaError RUN_NOT_FOUND */
  why(id: string): Promise<WaitReason | null>;
  /**
   * Sends a signal to a run, whether it already waits for it or will later; a suspended run continues. Returns the number of the signal
   * among those of its name, from 1.
   *
   * @throws BatutaError NAME_INVALID, RESULT_NOT_SERIALIZABLE (data), RUN_NOT_FOUND, RUN_STATE_REFUSED (it has ended)
   */
  signal(id: string, name: string, data?: unknown): Promise<number>;
  /** @throws BatutaError OPTION_UNKNOWN, RUN_STATE_REFUSED (it is not terminal and `force` is not set) */
  delete(id: string, options?: { readonly force?: boolean }): Promise<void>;
  /**
   * New attempt of a failed, crashed or cancelled run, by the workers; `from` re-runs this task and all after it as well. Returns the run.
   *
   * @throws BatutaError OPTION_UNKNOWN, RUN_NOT_FOUND, RUN_STATE_REFUSED, USAGE (no such task)
   */
  requeue(id: string, options?: { readonly from?: string }): Promise<Run>;
  /**
   * The same change for many runs, one after the other, each by its state at that moment: an interrupted call has changed those before it
   * and none after. A filter without states means those that can be changed; runs created after the call are left alone.
   *
   * @throws BatutaError FILTER_INVALID, OPTION_UNKNOWN
   */
  cancelMany(wish: BulkWish & { readonly message?: string }): Promise<BulkReport>;
  requeueMany(wish: BulkWish): Promise<BulkReport>;
  /** Runs that have not ended are refused. */
  deleteMany(wish: BulkWish): Promise<BulkReport>;
  /** The version of its flow it is pinned to, and who has it; null if not pinned or not begun. @throws BatutaError RUN_NOT_FOUND */
  pin(id: string): Promise<PinView | null>;
  /**
   * Lets a pinned run continue with any version of its flow: the worker that has it keeps it, the next may have another. Its records are
   * then matched by name and inputs, like those of any run. Returns the run.
   *
   * @throws BatutaError RUN_NOT_FOUND, RUN_STATE_REFUSED (it is not pinned)
   */
  unpin(id: string): Promise<Run>;
  /** The same for many; a filter selects pinned runs only. @throws BatutaError FILTER_INVALID */
  unpinMany(wish: BulkWish): Promise<BulkReport>;
  /** How many other runs failed like this one; null if it did not fail. @throws BatutaError RUN_NOT_FOUND */
  alike(id: string): Promise<Alike | null>;
  /** Outcome or progress of its rollback; null if it was not rolled back. @throws BatutaError RUN_NOT_FOUND */
  rollback(id: string): Promise<RollbackSummary | null>;
  /** A page of task runs, in the order they were first recorded. @throws BatutaError RUN_NOT_FOUND, FILTER_INVALID */
  taskRuns(id: string, filter?: TaskRunFilter): Promise<Page<TaskRun>>;
  /** How many task runs are in each state, by name and state name. */
  taskCounts(id: string): Promise<readonly { readonly name: string; readonly state: string; readonly count: number }[]>;
  /** Records its tasks have rejected, in the order in which they were kept, read on demand. @throws BatutaError RUN_NOT_FOUND */
  rejects(id: string, filter?: RejectFilter): AsyncIterable<DeadLetter>;
  /** How many there are, by task and reason. @throws BatutaError RUN_NOT_FOUND */
  rejectCounts(id: string, filter?: RejectFilter): Promise<RejectCounts>;
  /** The streams on which a run has emitted, and how many values, by name. @throws BatutaError RUN_NOT_FOUND */
  streams(id: string): Promise<readonly EmissionStream[]>;
  /**
   * The values of one stream in order, each once, until the run has ended; see `RunHandle.stream`.
   *
   * @throws BatutaError NAME_INVALID, FILTER_INVALID (after), RUN_NOT_FOUND, RESULT_MISSING
   */
  emitted(id: string, stream: string, options?: StreamOptions): AsyncIterable<Emission>;
  /**
   * Submits a run of the same flow with the same parameters, in which each task of a stream gets the records it had rejected.
   *
   * @throws BatutaError RUN_NOT_FOUND, REJECTS_MISSING, and what `enqueue` throws
   */
  retryRejects(id: string): Promise<RunHandle>;
}

/** Runs of a process that executes flows itself. */
export interface EmbeddedRunsClient extends RunsClient {
  list(filter?: RunFilter): Promise<Page<Run>>;
  /** Continues a run with a lost owner in this process. @throws RUN_OWNED, RUN_STATE_REFUSED (terminal), FLOW_NOT_FOUND */
  resume(id: string, options?: Pick<RunOptions, 'signal' | 'onEvent'>): Promise<RunHandle>;
  /** New attempt of a failed, crashed or cancelled run in this process; `from` also re-runs this task and all after it. */
  retry(id: string, options?: Pick<RunOptions, 'signal' | 'onEvent'> & { readonly from?: string }): Promise<RunHandle>;
}

export interface FlowsClient {
  list(): Promise<readonly StoredFlow[]>;
  /** @throws BatutaError FLOW_NOT_FOUND, naming the nearest. */
  get(name: string): Promise<StoredFlow>;
}

export interface Client {
  /**
   * Hands a run to the workers; a name is looked up in the flows of the project. Durable when the promise resolves. Over HTTP the server
   * finds the flow among its own, by the name of the class or definition.
   *
   * @throws BatutaError before any run exists: PARAMS_INVALID, FLOW_NOT_FOUND, NAME_INVALID (queue), OPTION_INVALID, OPTION_UNKNOWN,
   *   DURATION_INVALID, CONFIG_INVALID and BROKER_UNAVAILABLE (no broker); STORE_…
   */
  enqueue<const C extends FlowRef>(
    flow: C,
    ...args: StartArguments<C, [options?: EnqueueOptions]>
  ): Promise<RunHandle<ResultOf<C>, EmitsOf<C>>>;
  /** The same for many runs at once (10,000 and more). Returns their ids in order. If one is refused, none exists. */
  enqueueMany<const C extends FlowRef>(flow: C, runs: readonly (StartFields<C> & EnqueueOptions)[]): Promise<readonly string[]>;
  /** Called, it follows events; its members emit and list them. */
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
  /** Errors of runs, by group. */
  readonly errors: ErrorsClient;
  /** Closes what is open: streams, and with embedded runs also the engine and the store. May be called twice. */
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
  /** Finishes recording what runs here, cancels what still runs, closes the store. May be called twice. */
  close(): Promise<void>;
}
