/** Contract of reports: what others report to this store, and what this store has waiting to be reported. Times are UTC epoch ms. */
import type { Owner } from '../../model/run.ts';
import type { Registered, RefusedItem, Reporter, ReporterCard, ReporterNote, ReportItem, ReportKind } from '../../model/report.ts';

/** Result of a batch. */
export type BatchOutcome =
  /** `last`: number of the last item taken so far. */
  | { readonly ok: true; readonly last: number; readonly refused: readonly RefusedItem[] }
  /**
   * `unknown`: no such reporter, wrong secret, or somebody else has registered with it since · `replaced`: a newer version of it has
   * registered · `gap`: items are missing before it.
   */
  | { readonly ok: false; readonly reason: 'unknown' | 'replaced' | 'gap'; readonly last: number };

export interface ReportBatch {
  readonly reporterId: string;
  readonly secret: string;
  /** The one it last registered with. */
  readonly token: string;
  /** Number of the last item that was confirmed before it. */
  readonly after: number;
  /** By their numbers, lowest first. */
  readonly items: readonly ReportItem[];
  /** Items that were read and do not fit, among the numbers of the others. */
  readonly refused: readonly RefusedItem[];
  readonly note: ReporterNote;
}

export type StoredReporter = Omit<Reporter, 'state'>;

/** The server's side. */
export interface ReportStore {
  /**
   * One transaction: adds a reporter, or finds it again. One that names its predecessor continues where that stopped, and takes over its
   * runs. Null if its id is known with another secret, by another token, or with items it has not sent: somebody else continues under it.
   */
  register(card: ReporterCard): Promise<Registered | null>;
  /** One transaction: writes everything new in a batch and moves the number on, or nothing. */
  apply(batch: ReportBatch): Promise<BatchOutcome>;
  /** Reporters heard from within 30 days, or whose runs are kept; by name, then newest first. */
  list(): Promise<readonly StoredReporter[]>;
}

/** Who a store reports as. */
export interface OutboxIdentity {
  readonly id: string;
  readonly secret: string;
  readonly confirmed: number;
  readonly previous: { readonly id: string; readonly secret: string } | null;
}

/** The token the server knows a store by, and the next; what it may have of it. */
export interface OutboxTokens {
  /** Null before the first time. */
  readonly token: string | null;
  readonly next: string;
  /** Whether `next` was made just now. An older one may be in a copy of the store as well. */
  readonly isNew: boolean;
  /** Number of the last item that was sent to a server, 0 for none. */
  readonly sent: number;
}

/** A waiting item, as it is sent. */
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

/** The reporter's side, SQLite only: what waits on disk. */
export interface OutboxStore {
  /**
   * One transaction: makes this process the one that reports, unless another living one does; makes a new id if the name or version
   * changed. Null if another process reports.
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
  /** One transaction: tokens to register with; the next one is on disk before the server sees it. */
  tokens(makeToken: () => string): Promise<OutboxTokens>;
  /** One statement: the server knows this identity, by this token. */
  registered(id: string, token: string): Promise<void>;
  /**
   * One transaction: captures what has changed since the last time, oldest first; if more than `maxBytes` then wait, leaves out the oldest
   * log lines, then the data of the oldest artifacts. Runs and their states always stay.
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
  /** One statement: the server may have all up to this number from now on. */
  sending(last: number): Promise<void>;
  /** One transaction: the server has all up to this number. */
  confirm(last: number): Promise<void>;
  /** One transaction: leaves out an item that no server accepts. */
  leaveOut(seq: number): Promise<void>;
  /**
   * One transaction: everything of runs that are open, or have waiting items, is sent again, because the server lost what it had.
   *
   * @param last number of the last item that it has
   */
  resend(last: number): Promise<void>;
  /**
   * One transaction: continues under a new, unused id, and sends as `resend` does; for a store that was copied. Does nothing if the refused
   * identity is no longer current, because another process of the store has registered.
   *
   * @param refused its id then, and its next token; null if none was shown
   */
  separate(refused: { readonly id: string; readonly next: string | null }, id: string, secret: string): Promise<void>;
  state(): Promise<OutboxState>;
  /** Whether nothing waits and nothing has changed since the last capture. */
  isEmpty(): Promise<boolean>;
}
