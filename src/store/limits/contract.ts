/**
 * Contract of limits: how many runs, and how many tasks of a tag, are active at the same time.
 *
 * No counter says when a slot is free. A run holds its slot as long as it is in the epoch in which it took it, has an owner, and has not
 * ended; a task as long as the claim under which it runs holds. However a claim is lost, its slot is lost with it, so nothing can leak. All
 * times are UTC epoch ms.
 */
import type { Owner } from '../../model/run.ts';
import type { State } from '../../model/state.ts';
import type { CancelledRun, NewRun } from '../fleet/contract.ts';
import type { Ticketed } from '../leases/contract.ts';
import type { Claim } from '../ownership.ts';

/**
 * Where a run stands with its limit. `taken`: it may begin · `waits`: it is AwaitingSlot · `skipped`: it has ended, Cancelled (Skipped) ·
 * `lost`: the claim is old.
 */
export type SlotOutcome =
  | { readonly kind: 'taken' | 'waits' | 'skipped'; readonly state: State; readonly cancelled: readonly CancelledRun[] }
  | { readonly kind: 'lost' };

/** Current state of a limit on runs. */
export interface RunLimit {
  /** `flow:<name>` or `deployment:<name>`, with `:<key>` if there is a key. */
  readonly name: string;
  /** Null: nothing declares it any more, so nothing waits for it. */
  readonly slots: number | null;
  /** Longest first, at most 100. */
  readonly holders: readonly SlotRun[];
  readonly waiters: readonly SlotRun[];
  readonly held: number;
  readonly waiting: number;
}

export interface SlotRun {
  readonly runId: string;
  readonly runName: string;
  readonly sinceAt: number;
}

/** A task run that wants to be executed, or is. */
export interface SlotClaim {
  /** Id of the task run. */
  readonly holder: string;
  readonly runId: string;
  /** Epoch of the run, or of the spread task if it is one. */
  readonly epoch: number;
  readonly spread: boolean;
}

export interface SlotWish extends SlotClaim {
  /** Name of the task. */
  readonly task: string;
  /** Names of limits; it takes a slot of each, all at once. */
  readonly names: readonly string[];
  /** Higher goes first. */
  readonly priority: number;
}

/** Answer to a wish: held now, or the limit it waits for. */
export type SlotAnswer = { readonly held: true } | { readonly held: false; readonly message: string };

/** Result of a change of task slots. */
export interface SlotChange {
  /** Ids of processes whose waiting tasks got slots. */
  readonly owners: readonly string[];
}

export interface TagLimit {
  readonly name: string;
  readonly slots: number;
}

/** Current state of a task limit. */
export interface TagLimitView extends TagLimit {
  /** Longest first, at most 100. */
  readonly holders: readonly SlotTask[];
  readonly waiters: readonly SlotTask[];
  readonly held: number;
  readonly waiting: number;
}

export interface SlotTask extends SlotRun {
  readonly taskRunId: string;
}

export interface LimitStore {
  /** One transaction: adds a run that its maker owns at once and that is under a limit; it has its slot, or waits for it. */
  start(run: NewRun & { readonly concurrencyKey: string }, owner: Owner, leaseMs: number): Promise<SlotOutcome>;
  /** One transaction: the owner of a run asks for its slot, or asks again. */
  take(claim: Claim): Promise<SlotOutcome>;
  /** One transaction: the same for a run whose limit only its class knows. If it has to wait, it is handed back. */
  bind(claim: Claim, key: string): Promise<SlotOutcome>;
  /** Whether a waiting run would get its slot now. One statement or two, no lock. */
  mayTake(runId: string): Promise<boolean>;
  /**
   * One transaction per limit: the unowned waiting runs whose turn it is: higher priority first, then the longest waiting. They count as
   * ticketed from now on.
   *
   * @param key null: of all limits
   * @param ticketedBeforeMs leaves out more recently ticketed ones
   */
  nextRuns(options: { readonly key: string | null; readonly ticketedBeforeMs: number }): Promise<readonly Ticketed[]>;
  /** Current state of the limit on runs of that name; `of` names the flow and deployment that may declare it. */
  runLimit(name: string, of: { readonly flow: string; readonly deployment: string | null }): Promise<RunLimit>;
  /** All limits on runs that are declared, held or waited for, by name. */
  runLimits(): Promise<readonly RunLimit[]>;

  /** Limits on tasks, by name. One statement. */
  tagLimits(): Promise<readonly TagLimit[]>;
  /** One transaction: sets a limit on tasks. */
  setTagLimit(name: string, slots: number): Promise<SlotChange>;
  /** One transaction: deletes a limit on tasks; its waiters continue. Null if there is none. */
  deleteTagLimit(name: string): Promise<SlotChange | null>;
  tagLimitViews(): Promise<readonly TagLimitView[]>;
  /**
   * One transaction for all: takes what is free, higher priority first, then the longest waiting; the rest waits. Asking again is harmless.
   */
  askSlots(ownerId: string, wishes: readonly SlotWish[]): Promise<readonly SlotAnswer[]>;
  /** One transaction for all: gives slots back, or ends waits; the next in line get them at once. */
  giveSlots(holders: readonly SlotClaim[]): Promise<SlotChange>;
  /** The task runs among these that no longer wait. One statement. */
  slotsHeld(holders: readonly string[]): Promise<readonly string[]>;
  /** One transaction: gives free slots to waiters; a safety net behind the immediate path. */
  sweepSlots(): Promise<SlotChange>;
  /** Limits that task runs of this run wait for, with how many of them. */
  taskWaits(runId: string): Promise<readonly { readonly name: string; readonly task: string; readonly tasks: number }[]>;
}
