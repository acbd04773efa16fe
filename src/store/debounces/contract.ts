/**
 * Contract of debounced runs: closely spaced calls are gathered into one run, which begins once it has been quiet for a while. All times
 * are UTC epoch ms, by the clock of the database.
 */
import type { Run } from '../../model/run.ts';
import type { InsertedRun, NewRun } from '../fleet/contract.ts';
import type { Ticketed } from '../leases/contract.ts';
import type { Claim } from '../ownership.ts';

export interface DebouncedCall {
  /** The new run, if none is gathering; else its parameters replace those of the previous call. */
  readonly run: NewRun;
  /** With the flow, tells which calls belong together. */
  readonly key: string;
  readonly waitMs: number;
  /** From the first call on, however many follow; null: without end. Ignored in later calls. */
  readonly maxWaitMs: number | null;
  /** Whether the name of this call replaces the previous one as well. */
  readonly renames: boolean;
}

/** What a run that gathers calls waits for. */
export interface Debounce {
  readonly key: string;
  readonly waitMs: number;
  readonly calls: number;
  readonly dueAt: number;
  readonly latestAt: number | null;
}

/**
 * The outcome for a run that is due. `closed`: no more calls are added, `run` is its current state; null if the claim is old · `early`: it
 * is due in so many ms, and still held · `waits`: it was handed back until it is due, and needs this ticket.
 */
export type Closing =
  | { readonly kind: 'closed'; readonly run: Run | null }
  | { readonly kind: 'early'; readonly ms: number }
  | { readonly kind: 'waits'; readonly ticket: Ticketed | null };

export interface DebounceStore {
  /** One transaction: adds the call to the run that gathers for its key, or inserts its run, due after `waitMs`. */
  add(call: DebouncedCall): Promise<InsertedRun & { readonly dueAt: number }>;
  /**
   * One transaction, for a run that a worker has claimed: lets it begin if it is due, else hands it back. One that is due within `holdMs`
   * stays held.
   */
  close(claim: Claim, holdMs: number): Promise<Closing>;
  /** One statement: no more calls are added to the run. */
  forget(runId: string): Promise<void>;
  /** Of a run that gathers calls; else null. */
  get(runId: string): Promise<Debounce | null>;
}
