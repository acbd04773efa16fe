/** Contract of emissions: values that runs give out while they run, numbered without gaps in each run. */
import type { Emission } from '../../model/emission.ts';
import type { Claim, TaskClaim } from '../ownership.ts';

/** A value to be recorded. */
export interface NewEmission extends Omit<Emission, 'seq' | 'value'> {
  readonly runId: string;
  /** Id of one that may be given again: recorded once. Null for one that is given once. */
  readonly id: string | null;
  /** The value as results are stored: both null for undefined. */
  readonly value: string | null;
  readonly ref: string | null;
  /** What it counts against the most of its run. */
  readonly bytes: number;
}

/** As it is recorded. */
export interface StoredEmission extends Omit<Emission, 'value'> {
  readonly value: string | null;
  readonly ref: string | null;
}

/** `kept`: durable, now or since it was given before · `refused`: the claim is old, or the run has ended · `full`: the run has given out as much as it may. */
export type EmissionOutcome = 'kept' | 'refused' | 'full';

export interface EmissionWrite {
  /** Of the run, or of the spread task run that gives it. */
  readonly claim: Claim | TaskClaim;
  readonly emission: NewEmission;
}

export interface EmissionFilter {
  /** Only after this number. */
  readonly after?: number | undefined;
  /** From 1 to 1,000; default 1,000. */
  readonly limit?: number | undefined;
}

/** How much a run has given out by one stream. */
export interface EmissionStream {
  readonly stream: string;
  readonly count: number;
  /** Number of its last value, and when that came; UTC epoch ms. */
  readonly newest: number;
  readonly at: number;
}

/** How far a run has come. */
export interface EmissionPlace {
  readonly runId: string;
  readonly newest: number;
  readonly isOver: boolean;
}

export interface EmissionStore {
  /**
   * One transaction: records values in their order, those of a run by whom else they are given before or behind them all. What is refused is
   * left out, the rest is recorded.
   *
   * @param maxRunBytes most that the values of a run may count together
   */
  add(writes: readonly EmissionWrite[], maxRunBytes: number): Promise<readonly EmissionOutcome[]>;
  /** Values of one stream by their numbers, as many as 512 KiB hold; at least one where there is one. Two statements. */
  page(
    runId: string,
    stream: string,
    filter?: EmissionFilter,
  ): Promise<{ readonly items: readonly StoredEmission[]; readonly hasMore: boolean }>;
  /** The streams of a run by their names. One statement. */
  streams(runId: string): Promise<readonly EmissionStream[]>;
  /** Of these runs, those that are there: number of the newest value over all its streams (0 for none), and whether it has ended. One statement. */
  places(runIds: readonly string[]): Promise<readonly EmissionPlace[]>;
}
