/** Contract of positions: how far the sources of streams have got in a run. */
import type { Claim } from '../ownership.ts';

/** A confirmed position of a source. */
export interface StreamPosition {
  /** Name of its task. */
  readonly task: string;
  /** The position as results are stored. */
  readonly position: string;
}

export interface StreamStore {
  /** One statement: how far the source has got; the last one counts. Silently refused if the claim is old. @param at UTC epoch ms */
  confirm(claim: Claim, position: StreamPosition, at: number): Promise<void>;
  /** The confirmed positions of a run, one per source. One statement. */
  positionsOf(runId: string): Promise<readonly StreamPosition[]>;
}
