/**
 * Contract of what spread tasks need of the store: task runs that any worker may claim and execute, apart from their run.
 *
 * A spread task run is `waiting` (its ticket is out), `held` (a worker executes it) or `ended`. Claiming, giving back, reclaiming and
 * ending it from outside raise its epoch; whoever writes with an older one is refused. What is recorded of it stands where all task
 * runs stand. All times are UTC epoch ms; what is due or over is judged by the clock of the database (SQLite: of this machine).
 */
import type { ResourceUse } from '../../model/resource-use.ts';
import type { Artifact, Owner, Run, TaskRun, Transition } from '../../model/run.ts';
import type { State } from '../../model/state.ts';
import type { LeaseStore, Ticketed } from '../leases/contract.ts';
import type { Claim, TaskClaim } from '../ownership.ts';

/** Spread task runs of one task that wait for a worker of one queue. */
export interface WaitingTasks {
  readonly queue: string;
  readonly task: string;
  readonly count: number;
  /** How many of a worker's places one of them takes; missing: one. */
  readonly slots?: number;
}

/** A spread task run that takes several places of a worker. */
export interface HeavyTask {
  readonly id: string;
  /** Of its run. */
  readonly flow: string;
  readonly queue: string;
  readonly slots: number;
}

/** A task run that is offered to the workers of a queue. */
export interface OfferedTask {
  /** The row, Scheduled. */
  readonly taskRun: TaskRun;
  readonly queue: string;
  /** Whole number from -100 to 100. */
  readonly priority: number;
  /** How many of a worker's places it takes, from 1; default 1. */
  readonly slots?: number;
  /** Text that the worker makes the arguments of, or null when it stands in the result storage. */
  readonly inputs: string | null;
  readonly inputsRef: string | null;
}

/** A task run that a worker has claimed, with all it needs to execute it. */
export interface ClaimedTask extends Pick<OfferedTask, 'taskRun' | 'inputs' | 'inputsRef'> {
  readonly claim: TaskClaim;
  readonly run: Run;
}

/** What the holder of a task run records at once. */
export interface ClaimedWrite {
  readonly claim: TaskClaim;
  /** Null: as it was. */
  readonly taskRun: TaskRun | null;
  readonly transitions: readonly Transition[];
  readonly artifacts: readonly Artifact[];
  readonly resourceUses?: readonly ResourceUse[];
}

export interface SpreadStore extends LeaseStore {
  /**
   * One transaction, fenced by the claim of the run: records task runs as waiting, and counts them as ticketed from now on. One that
   * waits, is held or has been recorded as ended already stays as it is. Gives tickets for those that now wait; null when the claim is
   * old, in which case nothing was written.
   */
  offer(claim: Claim, tasks: readonly OfferedTask[]): Promise<readonly Ticketed[] | null>;
  /**
   * One statement: takes what waits, is due, and whose run is neither over nor being cancelled. By id; the rest is left
   * out. With `isAlone`, for a process that executes nothing else, those on trial as well, and however many places they take; else those that take
   * at most `slots`, default 1.
   */
  claimMany(
    ids: readonly string[],
    owner: Owner,
    leaseMs: number,
    isAlone?: boolean,
    slots?: number,
  ): Promise<ReadonlyMap<string, ClaimedTask>>;
  /** One statement: the task run of that id when it waits and takes several places, else null. */
  heavy(id: string): Promise<HeavyTask | null>;
  /** One statement for all: renews leases; gives back the claims that were lost. */
  renew(claims: readonly TaskClaim[], leaseMs: number): Promise<readonly TaskClaim[]>;
  /** Of these claims, the task runs that should stop: their run is being cancelled or over, or the claim was lost. One statement. */
  toStop(claims: readonly TaskClaim[]): Promise<readonly string[]>;
  /**
   * One transaction: what holders record. A task run that has ended in it is let go of. Gives the claims that were refused because they
   * are old or their task run has ended meanwhile; nothing of theirs was written.
   */
  write(writes: readonly ClaimedWrite[]): Promise<readonly TaskClaim[]>;
  /** One statement: gives a task run back, to be taken at `dueAt` or (null) at once. Gives its ticket; null when the claim is old. */
  release(claim: TaskClaim, dueAt: number | null): Promise<Ticketed | null>;
  /** Of these task runs, the rows of those that have ended. One statement. */
  ended(ids: readonly string[]): Promise<readonly TaskRun[]>;
  /**
   * One transaction, fenced by the claim of the run: ends what waits and, with `heldToo`, what is held, whose holders can write
   * nothing more.
   */
  end(claim: Claim, ids: readonly string[], state: State, at: number, heldToo: boolean): Promise<void>;
  /** One statement: the task runs of a run that wait for a worker, counted by queue and task. */
  waiting(runId: string): Promise<readonly WaitingTasks[]>;
}
