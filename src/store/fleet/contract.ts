/** Contract of what a fleet needs of the store: runs that wait for a worker, and the workers themselves. All times are UTC epoch ms. */
import type { Owner, Run } from '../../model/run.ts';
import type { FairTicket } from '../fairness/contract.ts';
import type { LeaseStore, ReclaimOptions, LostReport, Ticketed } from '../leases/contract.ts';

/** A run that waits for a worker. */
export interface WaitingRun {
  readonly run: NewRun;
  /** Unique per flow; null for a run that may exist twice. */
  readonly idempotencyKey: string | null;
  /** Not begun after this instant; default any time. Also stored with its parameters. */
  readonly expiresAt?: number | null;
}

/** The run that now represents a row to be inserted. */
export interface InsertedRun {
  readonly id: string;
  /** False if a run with its idempotency key (or its id) existed before. */
  readonly inserted: boolean;
}

/** A run that makes room for another: it was asked to end, or has ended if nobody held it. */
export interface CancelledRun {
  readonly id: string;
  readonly message: string;
}

/** Position of a run in its queue. */
export interface LinePlace {
  /** Whether it is held back until earlier runs of its deployment have ended. */
  readonly isHeld: boolean;
  /** For a held run: the runs it waits for now. `first` is one that is not held itself, if any; null: none are left. */
  readonly behind: {
    readonly first: { readonly id: string; readonly name: string; readonly scheduledFor: number };
    readonly count: number;
  } | null;
  /** Due runs that go first; counted up to 10,000. */
  readonly ahead: number;
}

/** A run that takes several places of a worker. */
export interface HeavyRun {
  readonly id: string;
  readonly flow: string;
  readonly queue: string;
  readonly slots: number;
}

/** Options of a claim: what kind of process claims, and callbacks for runs that it does not get. */
export interface ClaimListener {
  /** Whether this process executes nothing else, so that it may claim runs on trial as well. Default false. */
  readonly isAlone?: boolean;
  /** How many places it has for what it claims: runs that take more are left out. Default 1. */
  readonly slots?: number;
  /** This run waits and is due, but takes more places than were given. */
  heavy?(run: HeavyRun): void;
  /** The ticket of this run is a right to a turn: it waits for its own, or has had it. See `FairnessStore`. */
  fair?(ticket: FairTicket): void;
  /** A run was asked to end to make room for another. */
  cancelled?(run: CancelledRun): void;
  /** This run does not exist, or did not a moment ago: it may be asked for again. */
  missing?(id: string): void;
}

export interface ReclaimReport extends LostReport {
  /** Runs that ended Crashed; each needs a ticket, by which a worker calls its hooks. */
  readonly crashed: readonly Ticketed[];
}

/** An open sub-flow. */
export interface SubFlowPlace {
  readonly parentRunId: string;
  readonly id: string;
}

export interface OrphanPage {
  /** Those whose caller has ended. */
  readonly orphans: readonly SubFlowPlace[];
  /** The last one looked at; null: there are no more. */
  readonly last: SubFlowPlace | null;
}

export interface FleetStore extends LeaseStore {
  reclaim(options: ReclaimOptions): Promise<ReclaimReport>;
  /**
   * One statement: looks at up to `limit` open sub-flows behind `after`, by caller and id, for those whose caller ended at least `graceMs`
   * ago. Not one that is being cancelled or rolled back, was opened again by hand, or is only reported here.
   */
  orphans(options: { readonly after: SubFlowPlace | null; readonly graceMs: number; readonly limit: number }): Promise<OrphanPage>;
  /**
   * Inserts waiting runs (no owner, epoch 0), 1,000 per transaction, and counts them as ticketed from now on: the caller puts their
   * tickets. A row whose flow and idempotency key (or whose id) exist already is left out. Returns, in the order of the rows, the runs that
   * now represent them.
   */
  insertMany(rows: readonly WaitingRun[]): Promise<readonly InsertedRun[]>;
  /**
   * One atomic statement: claims the waiting ones of these runs: not terminal, no owner, due now or within a second. Returns them by id as
   * they are then; missing, ended, held and not yet due ones are left out.
   *
   * Runs under a limit follow, one transaction per limit: those whose turn it is are claimed with their slots, the others wait
   * (AwaitingSlot) or are dropped.
   */
  claimMany(ids: readonly string[], owner: Owner, leaseMs: number, listener?: ClaimListener): Promise<ReadonlyMap<string, Run>>;
  /** Position of a run that waits for a worker; null if there is no such run. At most three statements. */
  placeInLine(runId: string): Promise<LinePlace | null>;
  /** One statement: the run of that id if it is Crashed and its hooks have not been taken yet, else null. */
  owedHooks(runId: string): Promise<Run | null>;
  /** One statement: takes the hooks of a crashed run, if unchanged since it was read. False if somebody else has them. */
  takeHooks(run: Pick<Run, 'id' | 'epoch'>): Promise<boolean>;
  /** As `dueUnticketed`, for crashed runs whose hooks nobody has taken. Hooks not called within a day are dropped. */
  hooksUnticketed(options: { readonly ticketedBeforeMs: number; readonly limit: number }): Promise<readonly Ticketed[]>;
}

/** A worker as it reports itself. */
export interface WorkerRow {
  /** Same as the id of its process as owner of runs. */
  readonly id: string;
  /** Name for people. */
  readonly name: string;
  /** Version of Batuta. */
  readonly version: string;
  readonly host: string;
  readonly pid: number;
  /** In the order in which they are served. */
  readonly queues: readonly string[];
  readonly concurrency: number;
  /** Versions of the flows it knows, by name. */
  readonly flows: Readonly<Record<string, string>>;
  readonly startedAt: number;
  /** Places taken by what it executes now; a heavy run takes several. */
  readonly running: number;
  /** Longest delay of its event loop since the last beat, ms. */
  readonly lagMs: number;
}

/** A worker as it is stored. */
export interface StoredWorker extends WorkerRow {
  readonly beatAt: number;
  /** Time since its last beat, ms. */
  readonly silentMs: number;
}

export interface WorkerStore {
  /** One statement: records that a worker is alive. */
  beat(worker: WorkerRow): Promise<void>;
  /** One statement: removes a worker; does nothing if it does not exist. */
  remove(id: string): Promise<void>;
  /** By name, then by start. */
  list(): Promise<readonly StoredWorker[]>;
  /** One statement: removes workers that have been silent for longer than `silentMs`. */
  prune(silentMs: number): Promise<void>;
}

/** A run before the store adds epoch and lease. Queue `default` and priority 0 if none are named. */
export type NewRun = Omit<
  Run,
  | 'epoch'
  | 'owner'
  | 'leaseUntil'
  | 'recoveries'
  | 'cancelRequestedAt'
  | 'result'
  | 'resultRef'
  | 'error'
  | 'startedAt'
  | 'endedAt'
  | 'executedMs'
  | 'resumedAt'
  | 'mapped'
  | 'queue'
  | 'priority'
  | 'scheduleId'
  | 'backfillId'
  | 'concurrencyKey'
> &
  Partial<Pick<Run, 'queue' | 'priority' | 'scheduleId' | 'backfillId' | 'concurrencyKey'>>;

/** A ticket as the local broker keeps it; the first four fields together identify it. */
export interface StoredTicket {
  readonly queue: string;
  readonly kind: 'run' | 'task';
  readonly id: string;
  readonly epoch: number;
}

/** Tickets and notices of the local broker. Ids only; nothing here is worth keeping. All instants are epoch ms. */
export interface TicketStore {
  /** One statement for all. An existing ticket is left unchanged. `dueAt` null: at once. */
  put(tickets: readonly (StoredTicket & { readonly priority: number; readonly dueAt: number | null })[], now: number): Promise<void>;
  /**
   * Takes up to `limit` due tickets of a queue for `holder`, highest priority first, then longest there; nobody else gets them until
   * `until`. Each ticket is taken by one statement; lapsed tickets are taken again.
   */
  take(wish: {
    readonly queue: string;
    readonly limit: number;
    readonly now: number;
    readonly until: number;
    readonly holder: string;
  }): Promise<readonly StoredTicket[]>;
  /** One statement: keeps all tickets of a holder from others until `until`. */
  renew(holder: string, until: number): Promise<void>;
  /** One statement: removes tickets, except any that somebody else has taken meanwhile. */
  finish(tickets: readonly StoredTicket[], holder: string): Promise<void>;
  /** One statement: lets others take these at once. */
  giveBack(tickets: readonly StoredTicket[], holder: string): Promise<void>;
  /** One statement: removes a ticket that nobody has taken; false if there is none. */
  remove(ticket: StoredTicket): Promise<boolean>;
  /** When the next ticket becomes due or lapses; null if none will. May be past. */
  nextTurn(): Promise<number | null>;
  counts(queue: string, now: number): Promise<{ readonly waiting: number; readonly delayed: number; readonly taken: number }>;
  /** Writes a message for other processes that share the store. */
  notify(notice: { readonly at: number; readonly writer: string; readonly channel: string; readonly message: string }): Promise<void>;
  /** Messages of others after a place, oldest first, at most 1,000. */
  notices(after: number, writer: string): Promise<readonly { readonly seq: number; readonly channel: string; readonly message: string }[]>;
  /** Place of the newest message; 0 if there is none. */
  lastNotice(): Promise<number>;
  forgetNotices(before: number): Promise<void>;
}
