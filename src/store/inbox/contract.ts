/** Contract of the inbox: what runs wait for people to decide. */
import type { DecidedVia, InboxItem, InboxStatus, ListedInboxItem } from '../../model/inbox.ts';
import type { Page } from '../lists/contract.ts';
import type { Claim } from '../ownership.ts';

/** What a run asks for. */
export type AskedItem = Pick<InboxItem, 'id' | 'runId' | 'name' | 'number' | 'title' | 'description' | 'schema' | 'createdAt' | 'dueAt'>;

export interface InboxFilter {
  /** Default `open`; `all` for every one. */
  readonly status?: InboxStatus | 'all';
  readonly flow?: string;
  readonly runId?: string;
}

export interface InboxPageFilter extends InboxFilter {
  /** 1 to 1000, default 50. */
  readonly limit?: number;
  readonly cursor?: string;
}

/** A decision to be recorded. */
export interface Decision {
  /** The answer as results are stored. */
  readonly value: string;
  readonly by: string;
  readonly via: DecidedVia;
  readonly at: number;
}

/** Its result. */
export interface DecisionOutcome {
  /** Whether it counts; else it was already decided, over or withdrawn. */
  readonly isDecided: boolean;
  readonly item: ListedInboxItem;
  /** Runs that no longer wait, the outermost last. */
  readonly woken: readonly string[];
}

export interface InboxStore {
  /**
   * One statement: asks, and asks again if it had expired, or was left open by a wait that began at another instant (`createdAt`). An
   * existing open item stays. Silently refused if the claim is old.
   */
  ask(claim: Claim, item: AskedItem): Promise<void>;
  /** The item of a run by name and number. One statement. */
  asked(runId: string, name: string, number: number): Promise<InboxItem | null>;
  get(id: string): Promise<ListedInboxItem | null>;
  /** Newest first. @throws BatutaError FILTER_INVALID */
  list(filter?: InboxPageFilter): Promise<Page<ListedInboxItem>>;
  /**
   * One transaction: the item is decided, the run is sent its answer, and continues if it is suspended. The first decision counts; null: no
   * such item.
   */
  decide(id: string, decision: Decision): Promise<DecisionOutcome | null>;
  /** One statement: it is over without a decision. False if one came first. */
  expire(claim: Claim, name: string, number: number, at: number): Promise<boolean>;
  /** One transaction: the answer was refused by the flow, which asks again. */
  refuse(claim: Claim, name: string, number: number, problem: string): Promise<void>;
}
