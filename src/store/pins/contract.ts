/** Contract of pins: runs that only workers with the version of their flow with which they began may finish. */
import type { FlowVersion, RunPin } from '../../model/pin.ts';
import type { Run } from '../../model/run.ts';
import type { StateName, StateType } from '../../model/state.ts';
import type { Ticketed } from '../leases/contract.ts';
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

/** Work of one queue that no worker claims until one has a version. */
export interface ParkedWork {
  /** Runs, or spread task runs. */
  readonly work: 'run' | 'task';
  readonly queue: string;
  readonly wanted: Pick<RunPin, 'flow' | 'version' | 'host'>;
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
  /**
   * One transaction: the run may continue with any version from now on, and whatever is parked because of it waits for any worker again.
   * Returns the pin it had; null if it had none.
   */
  unpin(runId: string): Promise<RunPin | null>;
  /** Pinned runs that have begun and not ended, by flow and version. One statement. */
  underWay(): Promise<readonly PinnedRuns[]>;
  /**
   * One statement: parks work that nobody holds: no ticket claims it, and it is put no ticket, until `unpark`, `unpin` or a retry frees
   * it. False if it has another epoch, is held or over, or if the pin is gone.
   *
   * @param pin that no worker can meet: of the run itself, of the run of the task, or of a sub-flow
   */
  park(work: ParkedWork['work'], which: Pick<Run, 'id' | 'epoch'>, pin: RunPin): Promise<boolean>;
  /** What is parked, each queue and version once. One statement. */
  parked(): Promise<readonly ParkedWork[]>;
  /** One statement: at most `limit` of it may be claimed again, and count as ticketed from now on: the caller puts their tickets. */
  unpark(parked: ParkedWork, limit: number): Promise<readonly Ticketed[]>;
  /** The same for runs parked because of a sub-flow that has ended or is not pinned any more. At most two statements. */
  unparkVoid(limit: number): Promise<readonly Ticketed[]>;
  /** Runs of these flows that have begun and not ended, by flow, version, state and whether they are pinned. One statement. */
  byVersion(flows: readonly string[]): Promise<readonly RunsUnderWay[]>;
}
