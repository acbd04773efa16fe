/** Contract of the inbox: what runs need people to decide. Times are UTC epoch ms. */
import type { Duration } from '../base/duration.ts';
import type { DecidedVia, ListedInboxItem } from '../model/inbox.ts';
import type { InboxPageFilter, Page } from '../store/store.ts';
import type { WireValue } from './wire.ts';

/** An item of the inbox. */
export interface InboxEntry extends Omit<ListedInboxItem, 'value'> {
  /** The decision, as superjson writes it; null until there is one, and in a list if it cannot be read (`get` says why). */
  readonly data: WireValue | null;
}

/** Options of `inbox.link`. */
export interface InboxLinkOptions {
  /** Name of the key, or of the visitor, who alone may use it, logged in. Default: any holder. */
  readonly for?: string;
  /** How long it is valid from now. Default 7 days, never longer than the item. */
  readonly expires?: Duration;
}

/** Who decides, as known to the process. */
export interface Decider {
  readonly by: string;
  readonly via: DecidedVia;
}

export interface InboxClient {
  /** Newest first; default open ones. @throws BatutaError FILTER_INVALID */
  list(filter?: InboxPageFilter): Promise<Page<InboxEntry>>;
  /** @param id of the item, or of a run with one open item @throws BatutaError INBOX_ITEM_NOT_FOUND, RUN_NOT_FOUND */
  get(id: string): Promise<InboxEntry>;
  /**
   * Decides. The first decision counts.
   *
   * @param id as for `get`
   * @throws BatutaError DECISION_INVALID with `details.issues` if the answer does not fit the form; DECISION_REFUSED once it was decided,
   *   its time is over, or its run has ended; as `get` does
   */
  decide(id: string, value: unknown): Promise<InboxEntry>;
  /**
   * An address for mail and chat that gives this answer once anyone opens and confirms it. It can be used until somebody has decided.
   *
   * @param id as for `get`
   * @throws BatutaError SECRET_KEY_MISSING (it is signed with `BATUTA_SECRET_KEY`), DECISION_INVALID, DECISION_REFUSED, DURATION_INVALID;
   *   as `get` does
   */
  link(id: string, value: unknown, options?: InboxLinkOptions): Promise<string>;
}
