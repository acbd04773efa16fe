/** Contract of emissions: values that runs emit while they run, numbered without gaps in each run. */
import type { Emission } from '../../model/emission.ts';
import type { Claim, TaskClaim } from '../ownership.ts';

/** A value to be recorded. */
export interface NewEmission extends Omit<Emission, 'seq' | 'value'> {
  readonly runId: string;
  /** Id of a value that may be sent again: recorded once. Null for one that is sent once. */
  readonly id: string | null;
  /** The value as results are stored: both null for undefined. */
  readonly value: string | null;
  readonly ref: string | null;
  /** What it counts towards the limit of its run. */
  readonly bytes: number;
}

/** As it is recorded. */
export interface StoredEmission extends Omit<Emission, 'value'> {
  readonly value: string | null;
  readonly ref: string | null;
}

/**
 * `kept`: durable, now or from an earlier time · `refused`: the claim is old, or the run has ended · `full`: the run has emitted as much as
 * it may.
 */
export type EmissionOutcome = 'kept' | 'refused' | 'full';

export interface EmissionWrite {
  /** Of the run, or of the spread task run that emits it. */
  readonly claim: Claim | TaskClaim;
  readonly emission: NewEmission;
}

export interface EmissionFilter {
  /** Only after this number. */
  readonly after?: number | undefined;
  /** From 1 to 1,000; default 1,000. */
  readonly limit?: number | undefined;
}

/** How much a run has emitted on one stream. */
export interface EmissionStream {
  readonly stream: string;
  readonly count: number;
  /** Number of its last value, and when it was emitted; UTC epoch ms. */
  readonly newest: number;
  readonly at: number;
}

/** How far a run has got. */
export interface EmissionPlace {
  readonly runId: string;
  readonly newest: number;
  readonly isOver: boolean;
}

export interface EmissionStore {
  /**
   * One transaction: records values in order; values of the same run from other writers come before or after all of them. Refused ones are
   * left out, the rest is recorded.
   *
   * @param maxRunBytes most that the values of a run may count together
   */
  add(writes: readonly EmissionWrite[], maxRunBytes: number): Promise<readonly EmissionOutcome[]>;
  /** Values of one stream by number, as many as fit into 512 KiB; at least one if there is one. Two statements. */
  page(
    runId: string,
    stream: string,
    filter?: EmissionFilter,
  ): Promise<{ readonly items: readonly StoredEmission[]; readonly hasMore: boolean }>;
  /** The streams of a run by name. One statement. */
  streams(runId: string): Promise<readonly EmissionStream[]>;
  /**
   * For the existing ones of these runs: number of the newest value over all streams (0 for none), and whether the run has ended. One
   * statement.
   */
  places(runIds: readonly string[]): Promise<readonly EmissionPlace[]>;
}
