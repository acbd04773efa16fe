/** Contract of reports: what others report to this store, and what of this store waits to be reported. Times are UTC epoch ms. */
import type { Owner } from '../../model/run.ts';
import type { Registered, RefusedItem, Reporter, ReporterCard, ReporterNote, ReportItem, ReportKind } from '../../model/report.ts';

/** What came of a batch. */
export type BatchOutcome =
  /** `last`: number of the last item that is taken from now on. */
  | { readonly ok: true; readonly last: number; readonly refused: readonly RefusedItem[] }
  /** `unknown`: no such reporter, or another secret, or somebody else has registered with it since · `replaced`: a newer version of it has registered · `gap`: items are missing before it. */
  | { readonly ok: false; readonly reason: 'unknown' | 'replaced' | 'gap'; readonly last: number };

export interface ReportBatch {
  readonly reporterId: string;
  readonly secret: string;
  /** By which it has registered last. */
  readonly token: string;
  /** Number of the last item that was confirmed before it. */
  readonly after: number;
  /** By their numbers, lowest first. */
  readonly items: readonly ReportItem[];
  /** Items that were read and do not fit, among the numbers of the others. */
  readonly refused: readonly RefusedItem[];
  readonly note: ReporterNote;
}

/** A reporter as it is stored. */
export type StoredReporter = Omit<Reporter, 'state'>;

/** The server's side. */
export interface ReportStore {
  /**
   * One transaction: takes up a reporter, or finds it again. One that names who it was before goes on where that stood, and has its runs.
   * Null when its id is known with another secret, by another token, or with items that it has not sent: somebody else goes on under it.
   */
  register(card: ReporterCard): Promise<Registered | null>;
  /** One transaction: writes all that is new of a batch and moves the number on, or none of it. */
  apply(batch: ReportBatch): Promise<BatchOutcome>;
  /** Those that were heard within 30 days, or whose runs are kept; by name, then the newest first. */
  list(): Promise<readonly StoredReporter[]>;
}

/** Who a store reports as. */
export interface OutboxIdentity {
  readonly id: string;
  readonly secret: string;
  readonly confirmed: number;
  readonly previous: { readonly id: string; readonly secret: string } | null;
}

/** By what the server knows a store, and by what next; and what it may have of it. */
export interface OutboxTokens {
  /** Null before the first time. */
  readonly token: string | null;
  readonly next: string;
  /** Whether `next` was made just now. One of before may stand in a copy of the store as well. */
  readonly isNew: boolean;
  /** Number of the last item that was sent to a server, 0 for none. */
  readonly sent: number;
}

/** An item that waits, as it is sent. */
export interface WaitingItem {
  readonly seq: number;
  readonly kind: ReportKind;
  /** JSON. */
  readonly body: string;
}

export interface OutboxState {
  readonly items: number;
  readonly bytes: number;
  readonly dropped: number;
}

/** The reporter's side, SQLite alone: what waits on disk. */
export interface OutboxStore {
  /**
   * One transaction: makes this process the one that reports, unless another that lives does; and makes a new id where name or version have
   * changed. Null when another process reports.
   */
  hold(wish: {
    readonly owner: Owner;
    readonly holdMs: number;
    readonly name: string;
    readonly version: string;
    readonly makeId: () => string;
    readonly makeSecret: () => string;
    readonly isGone: (owner: Owner) => boolean;
  }): Promise<OutboxIdentity | null>;
  /** One statement: lets another process report at once. */
  letGo(owner: Owner): Promise<void>;
  /** One transaction: by what to register; what comes next is on disk before the server hears of it. */
  tokens(makeToken: () => string): Promise<OutboxTokens>;
  /** One statement: the server knows this identity, by this token. */
  registered(id: string, token: string): Promise<void>;
  /**
   * One transaction: takes over what has changed since the last time, the oldest first; and, when more than `maxBytes` wait then, leaves out the
   * oldest log lines, then the data of the oldest artifacts. Runs and their states always stay.
   */
  capture(by: {
    readonly version: string;
    readonly name: string;
    readonly host: string;
    readonly pid: number;
    readonly maxBytes: number;
  }): Promise<{
    readonly captured: number;
    readonly hasMore: boolean;
  }>;
  /** The next items to be sent. */
  next(maxItems: number, maxBytes: number): Promise<readonly WaitingItem[]>;
  /** One statement: from now on the server may have all up to this number. */
  sending(last: number): Promise<void>;
  /** One transaction: the server has all up to this number. */
  confirm(last: number): Promise<void>;
  /** One transaction: leaves out an item that no server takes. */
  leaveOut(seq: number): Promise<void>;
  /**
   * One transaction: all of the runs that are open, or of which items wait, is to be sent once more, since the server lacks what it had.
   *
   * @param last number of the last item that it has
   */
  resend(last: number): Promise<void>;
  /**
   * One transaction: goes on under a new id that nobody was before, and sends as `resend` does; for a store that was copied. Nothing, when the
   * store is no more what it was refused as, since another process of it has registered.
   *
   * @param refused its id then, and the token that was to come next; null where none was shown
   */
  separate(refused: { readonly id: string; readonly next: string | null }, id: string, secret: string): Promise<void>;
  state(): Promise<OutboxState>;
  /** Whether nothing waits and nothing has changed since the last capture. */
  isEmpty(): Promise<boolean>;
}
