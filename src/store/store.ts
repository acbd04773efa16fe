/**
 * Contract of the store, the single source of truth. It has two makers, SQLite and PostgreSQL.
 *
 * Each subject has a folder with its own contract, re-exported here; the life of a single run is in this file. Reads are plain statements.
 * Writes of a process that owns runs go through the recorder (group commit); every other write is one statement or one transaction, as its
 * comment says.
 */
import type { ResourceUse } from '../model/resource-use.ts';
import type { DeclaredConcurrency } from '../model/flow.ts';
import type { Artifact, LogLine, Owner, Run, RunPatch, TaskRun, Transition } from '../model/run.ts';
import type { Rate } from '../model/rate.ts';
import type { StateType } from '../model/state.ts';
import type { AlertStore, ErrorGroupStore } from './alerts/contract.ts';
import type { AuditStore, KeyStore, SessionStore } from './access/contract.ts';
import type { CacheStore } from './cache/contract.ts';
import type { BackfillStore } from './backfills/contract.ts';
import type { DebounceStore } from './debounces/contract.ts';
import type { DeploymentStore } from './deployments/contract.ts';
import type { EmissionStore } from './emissions/contract.ts';
import type { EventStore } from './events/contract.ts';
import type { ExpiryStore } from './expiry/contract.ts';
import type { FairnessStore } from './fairness/contract.ts';
import type { FigureStore } from './figures/contract.ts';
import type { FleetStore, NewRun, TicketStore, WorkerStore } from './fleet/contract.ts';
import type { LimitStore } from './limits/contract.ts';
import type { RateStore } from './limits/rate-contract.ts';
import type { ArtifactStore, ExportStore, LogStore, Page } from './lists/contract.ts';
import type { ResourceUseStore, RunFilter, TaskRunStore, TransitionFilter } from './lists/contract.ts';
import type { Claim } from './ownership.ts';
import type { PinStore } from './pins/contract.ts';
import type { PruneOptions, PruneReport } from './removal.ts';
import type { OutboxStore, ReportStore } from './reporting/contract.ts';
import type { PoolUse } from './pool-use.ts';
import type { ResultStore } from './results/contract.ts';
import type { RollbackStore } from './rollbacks/contract.ts';
import type { ConnectionStore, SecretStore, VariableStore } from './secrets/contract.ts';
import type { SpreadStore } from './spread/contract.ts';
import type { InboxStore } from './inbox/contract.ts';
import type { SignalStore } from './runs/signal-contract.ts';
import type { StreamStore } from './streams/contract.ts';
import type { SuspectStore } from './suspects/contract.ts';
import type { TickStore } from './ticks/contract.ts';
import type { EmittedStore, TriggerStore, WebhookStore } from './triggers/contract.ts';

export type * from './access/contract.ts';
export type * from './alerts/contract.ts';
export type * from './backfills/contract.ts';
export type * from './cache/contract.ts';
export type * from './debounces/contract.ts';
export type * from './deployments/contract.ts';
export type * from './emissions/contract.ts';
export type * from './events/contract.ts';
export type * from './expiry/contract.ts';
export type * from './fairness/contract.ts';
export type * from './figures/contract.ts';
export type * from './fleet/contract.ts';
export type * from './leases/contract.ts';
export type * from './limits/contract.ts';
export type * from './limits/rate-contract.ts';
export type * from './inbox/contract.ts';
export type * from './runs/signal-contract.ts';
export type * from './lists/contract.ts';
export type * from './ownership.ts';
export type * from './pins/contract.ts';
export type * from './pool-use.ts';
export type * from './results/contract.ts';
export type * from './rollbacks/contract.ts';
export type * from './removal.ts';
export type * from './reporting/contract.ts';
export type * from './secrets/contract.ts';
export type * from './spread/contract.ts';
export type * from './suspects/contract.ts';
export type * from './ticks/contract.ts';
export type * from './triggers/contract.ts';

export type ClaimOutcome =
  | { readonly claimed: true; readonly run: Run }
  /** `held`: another living owner has it until `leaseUntil` · `ended`: it is terminal · `missing`: no such run. */
  | {
      readonly claimed: false;
      readonly reason: 'held' | 'ended' | 'missing';
      readonly owner: Owner | null;
      readonly leaseUntil: number | null;
    };

/**
 * Group commit. Everything added during a flush forms the next one; a flush is one transaction.
 *
 * `add…` never throws. It returns the promise of the flush that carries what was added: resolved once durable (or refused by fencing, in
 * which case `onFenced` was called first); rejected with a `STORE_…` error if the store is permanently gone. Rows of one task run in the
 * same flush are merged: the last wins, all transitions are kept.
 */
export interface Recorder {
  /** A new run that its maker owns at once: epoch 1, lease from the database's clock, transition from its state. Never fenced. */
  addRun(run: NewRun, owner: Owner, leaseMs: number): Promise<void>;
  /** Changes a run; adds a transition when `transition` is given. */
  addRunPatch(claim: Claim, patch: RunPatch, transition: Transition | null): Promise<void>;
  /**
   * Creates or replaces a task run; adds a transition if one is given (progress has none).
   *
   * @param isNew says that nothing was recorded under its key before, default false: it may then be written without checking for an
   * existing row. If that is wrong, it replaces all the same.
   * @param mayWait says that nobody waits for it, default false: it may be held for a moment (2 ms), to be written with what follows.
   */
  addTaskRun(claim: Claim, row: TaskRun, transition: Transition | null, isNew?: boolean, mayWait?: boolean): Promise<void>;
  addArtifact(claim: Claim, artifact: Artifact): Promise<void>;
  /** Writes the current state of a resource use; replaces what was written under its id before. */
  addResourceUse(claim: Claim, use: ResourceUse): Promise<void>;
  /** Log lines are not fenced: what was printed was printed. */
  addLog(line: LogLine): Promise<void>;
  /** Whether what is added now shares the flush of what returned this promise. */
  isOpen(written: Promise<void>): boolean;
  /** Resolves in the next turn of the event loop. A flush that is about to start waits for what is added then. */
  nextTurn(): Promise<void>;
  /** Resolves once everything added so far is durable. */
  flush(): Promise<void>;
  /** Called with the claim whose writes were refused, before the promise of the flush settles. */
  onFenced(listener: (claim: Claim) => void): void;
  /** Reports each flush from now on, until the returned function is called. One listener at a time; without it nothing is measured. */
  onFlush(listener: (report: FlushReport) => void): () => void;
}

/** A finished flush of the recorder. */
export interface FlushReport {
  /** Whether its rows are durable. */
  readonly ok: boolean;
  /** From its beginning until it was durable, or had failed. */
  readonly ms: number;
  readonly rows: number;
  /** Approximate bytes of text it wrote: values, messages, log lines. */
  readonly bytes: number;
}

export interface RunStore {
  /** One run, or null. An id may be cut to its first characters (at least 4) if only one run matches. */
  get(id: string): Promise<Run | null>;
  list(filter?: RunFilter): Promise<Page<Run>>;
  /** Child runs of a run, oldest first. */
  children(parentRunId: string): Promise<readonly Run[]>;
  /** One statement: a run that waits for someone to execute it (no owner, epoch 0). */
  insert(run: NewRun): Promise<void>;
  /**
   * One atomic statement: takes the run if it is not terminal and nobody holds it: no owner, lease over, or an owner for which `isGone`
   * (asked beforehand with the recorded owner) returns true. Raises the epoch; counts a recovery if a previous owner was lost.
   */
  claim(id: string, owner: Owner, leaseMs: number, isGone?: (owner: Owner) => boolean): Promise<ClaimOutcome>;
  /** One statement for all: renews leases; returns the lost claims (epoch has moved on, or run is gone). */
  renew(claims: readonly Claim[], leaseMs: number): Promise<readonly Claim[]>;
  /** One statement: hands the run back so that others may claim it at once. Silently refused if the claim is old. */
  release(claim: Claim): Promise<void>;
  /** One statement: replaces the parameters of a run while the claim holds. Records what a trigger has mapped, once it is checked. */
  setParams(claim: Claim, params: string): Promise<void>;
  /**
   * One transaction: nobody holds it → Cancelled at once with its unfinished task runs; held → `cancelRequestedAt` is set and the state
   * becomes Cancelling (its owner acts on that), with a transition the first time. Terminal → unchanged. Returns the resulting state type.
   */
  requestCancel(id: string, at: number, message: string, isGone?: (owner: Owner) => boolean): Promise<StateType | null>;
  /** Run ids of those claims for which a cancel was requested. One statement. */
  cancelRequested(claims: readonly Claim[]): Promise<readonly string[]>;
  /**
   * One transaction, an explicit retry of a terminal run that is not Completed: opens the next attempt (state Scheduled, end, error and
   * cancel request cleared), and the task runs that did not complete, plus those named in `fromTasks`. Returns the run, or null if its
   * state does not allow it.
   */
  reopen(id: string, at: number, fromTasks?: readonly string[]): Promise<Run | null>;
  /**
   * One transaction: the run with all that belongs to it, and its sub-flow runs. False if there is none or it is not terminal (unless
   * `force`).
   */
  delete(id: string, options?: { readonly force?: boolean }): Promise<boolean>;
}

export interface TransitionStore {
  /** All of a run and its task runs, oldest first; `taskRunId` narrows, null means the run itself. */
  ofRun(runId: string, taskRunId?: string | null): Promise<readonly Transition[]>;
  /** A page of these; longer messages are cut to 10,000 characters, and say so. @throws BatutaError FILTER_INVALID */
  page(runId: string, filter?: TransitionFilter): Promise<Page<Transition>>;
}

/** What is stored of a flow: enough to list and draw it without loading its file. */
export interface StoredFlow {
  readonly name: string;
  readonly version: string;
  readonly description: string | null;
  readonly tags: readonly string[];
  readonly kind: 'graph' | 'code';
  /** Graph and the options of its tasks, plain JSON. */
  readonly graph: unknown;
  /** JSON Schema of the parameters if the schema library can produce one, else null. */
  readonly paramsSchema: unknown;
  /** How many of its runs may be active at the same time; null or missing: any number. */
  readonly concurrency?: DeclaredConcurrency | null;
  /** How many runs of it may begin in a window; a key computed by a function is null. Missing: any number. */
  readonly rateLimit?: Rate | null;
  readonly source: string | null;
  readonly updatedAt: number;
}

export interface FlowStore {
  /** One statement: creates or replaces by name; unchanged rows are left alone. */
  put(flow: StoredFlow): Promise<void>;
  get(name: string): Promise<StoredFlow | null>;
  /** By name. */
  list(): Promise<readonly StoredFlow[]>;
}

/** What a migration or a check of the schema found. */
export interface SchemaReport {
  readonly before: number;
  readonly after: number;
  readonly applied: readonly string[];
}

export interface Store {
  readonly dialect: 'sqlite' | 'postgres';
  /** The URL without its password. */
  readonly url: string;
  readonly runs: RunStore;
  readonly taskRuns: TaskRunStore;
  readonly transitions: TransitionStore;
  readonly logs: LogStore;
  readonly artifacts: ArtifactStore;
  readonly resourceUses: ResourceUseStore;
  readonly emissions: EmissionStore;
  readonly exports: ExportStore;
  readonly pins: PinStore;
  readonly flows: FlowStore;
  readonly signals: SignalStore;
  readonly deployments: DeploymentStore;
  readonly backfills: BackfillStore;
  readonly tickets: TicketStore;
  readonly cache: CacheStore;
  readonly rollbacks: RollbackStore;
  readonly fleet: FleetStore;
  readonly expiry: ExpiryStore;
  readonly fairness: FairnessStore;
  readonly debounces: DebounceStore;
  readonly limits: LimitStore;
  readonly rates: RateStore;
  readonly spread: SpreadStore;
  readonly inbox: InboxStore;
  readonly streams: StreamStore;
  readonly results: ResultStore;
  /** What may have killed processes, and what was seen of them. */
  readonly suspects: SuspectStore;
  readonly ticks: TickStore;
  readonly triggers: TriggerStore;
  /** Events that were emitted, or received by webhooks. */
  readonly emitted: EmittedStore;
  readonly webhooks: WebhookStore;
  readonly alerts: AlertStore;
  readonly errorGroups: ErrorGroupStore;
  readonly workers: WorkerStore;
  readonly figures: FigureStore;
  readonly keys: KeyStore;
  readonly sessions: SessionStore;
  readonly audit: AuditStore;
  readonly secrets: SecretStore;
  readonly variables: VariableStore;
  readonly connections: ConnectionStore;
  readonly events: EventStore;
  /** What others report to this store. */
  readonly reports: ReportStore;
  /** What of this store waits to be reported to a server; null on PostgreSQL. */
  readonly outbox: OutboxStore | null;
  readonly recorder: Recorder;
  /**
   * A number that changes when another connection has written (SQLite: `PRAGMA data_version`; PostgreSQL: null, not known). Costs
   * microseconds; lets a watcher poll often and read seldom.
   */
  dataVersion(): number | null;
  /**
   * Calls `onWrite` a moment before a write of any process, including this one, can be read, until the returned function is called. Null if
   * there are no notifications: on PostgreSQL, and on SQLite if the file system does not report each write.
   */
  watchWrites(onWrite: () => void): (() => void) | null;
  /** How its connections are used; null if one does everything (SQLite). */
  poolUse(): PoolUse | null;
  /**
   * Frees disk space reserved for a full disk, so that the end of a run can still be recorded. It is reserved again when the store is next
   * opened.
   */
  freeReserve(): void;
  /** Applies missing migrations, one transaction each. Safe to call from several processes at once. */
  migrate(): Promise<SchemaReport>;
  schemaVersion(): Promise<number>;
  /** Locators of the results of a run and its sub-flows, for removing the files with it. */
  resultRefs(runId: string): Promise<readonly string[]>;
  /** The locators among these that are still referenced. One statement. */
  keptResults(keys: readonly string[]): Promise<readonly string[]>;
  /** Deletes terminal runs that ended before `before`, batch by batch, with all that belongs to them. */
  prune(before: number, options?: PruneOptions): Promise<PruneReport>;
  /** The same for runs whose retention is over: as set by their deployment, else `keepMs` (null: forever). `now` is UTC epoch ms. */
  expire(options: PruneOptions & { readonly now: number; readonly keepMs: number | null }): Promise<PruneReport>;
  /** Flushes and closes. May be called twice. */
  close(): Promise<void>;
}
