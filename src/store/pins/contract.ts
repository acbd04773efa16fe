/** Contract of pins: runs that only workers with the version of their flow with which they began may finish. */
import type { FlowVersion, RunPin } from '../../model/pin.ts';
import type { StateName, StateType } from '../../model/state.ts';
import type { Claim } from '../ownership.ts';

/** Running runs that are pinned to one version of a flow. */
export interface PinnedRuns extends Pick<RunPin, 'flow' | 'version' | 'host'> {
  readonly runs: number;
  /** The oldest of them. */
  readonly runId: string;
}

/** Running runs of a flow that began with one version of it and are in one state. */
export interface RunsUnderWay extends FlowVersion {
  readonly type: StateType;
  readonly name: StateName;
  readonly isPinned: boolean;
  readonly runs: number;
}

export interface PinStore {
  /**
   * One statement: pins a run that has not begun to a version, for its owner, who begins it. A run that has begun keeps what it has.
   * Silently refused if the claim is old. @param at UTC epoch ms
   */
  pin(claim: Claim, version: FlowVersion, host: FlowVersion, at: number): Promise<void>;
  /** The pin of a run that is pinned and has begun, else null. One statement. */
  get(runId: string): Promise<RunPin | null>;
  /** The same for many, by run. One statement. */
  ofRuns(runIds: readonly string[]): Promise<ReadonlyMap<string, RunPin>>;
  /** The same for a run and the runs it has started, only open ones. One statement. */
  ofFamily(runId: string): Promise<readonly RunPin[]>;
  /** One statement: the run may continue with any version from now on. Returns the pin it had; null if it had none. */
  unpin(runId: string): Promise<RunPin | null>;
  /** Pinned runs that have begun and not ended, by flow and version. One statement. */
  underWay(): Promise<readonly PinnedRuns[]>;
  /** Runs of these flows that have begun and not ended, by flow, version, state and whether they are pinned. One statement. */
  byVersion(flows: readonly string[]): Promise<readonly RunsUnderWay[]>;
}
