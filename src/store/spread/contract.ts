/**
 * Contract of what spread tasks need of the store: task runs that any worker may claim and execute, apart from their run.
 *
 * A spread task run is `waiting` (its ticket is out), `held` (a worker executes it) or `ended`. Claiming it, handing it back, reclaiming it
 * and ending it from outside raise its epoch; writes with an older one are refused. Its records are stored like those of all task runs. All
 * times are UTC epoch ms; what is due or over is judged by the clock of the database (SQLite: of this machine).
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
  /** Text from which the worker makes the arguments, or null if it is in the result storage. */
  readonly inputs: string | null;
  readonly inputsRef: string | null;
}

/** A task run that a worker has claimed, with all it needs to execute it. */
export interface ClaimedTask extends Pick<OfferedTask, 'taskRun' | 'queue' | 'inputs' | 'inputsRef'> {
  readonly claim: TaskClaim;
  readonly run: Run;
}

/** What the holder of a task run records at once. */
export interface ClaimedWrite {
  readonly claim: TaskClaim;
  /** Null: unchanged. */
  readonly taskRun: TaskRun | null;
  readonly transitions: readonly Transition[];
  readonly artifacts: readonly Artifact[];
  readonly resourceUses?: readonly ResourceUse[];
}

/** What to end of what a worker has: nothing, what waits there for its next attempt or for a slot, or everything. */
export type EndHeld = 'none' | 'waiting' | 'all';

export interface SpreadStore extends LeaseStore {
  /**
   * One transaction, fenced by the claim of the run: records task runs as waiting, and counts them as ticketed from now on. One that waits,
   * is held or has a recorded end stays as it is. Returns tickets for those that now wait; null, and nothing was written, if the claim is
   * old.
   */
  offer(claim: Claim, tasks: readonly OfferedTask[]): Promise<readonly Ticketed[] | null>;
  /**
   * One statement: takes what waits, is due, and whose run is neither over nor being cancelled. By id; the rest is left out. `isAlone` (the
   * process executes nothing else) includes task runs on trial, with any number of places; otherwise only ones that take at most `slots`,
   * default 1.
   */
  claimMany(
    ids: readonly string[],
    owner: Owner,
    leaseMs: number,
    isAlone?: boolean,
    slots?: number,
  ): Promise<ReadonlyMap<string, ClaimedTask>>;
  /** One statement: the task run of that id if it waits and takes several places, else null. */
  heavy(id: string): Promise<HeavyTask | null>;
  /** One statement for all: renews leases; returns the lost claims. */
  renew(claims: readonly TaskClaim[], leaseMs: number): Promise<readonly TaskClaim[]>;
  /** The task runs of these claims that should stop: their run is being cancelled or over, or the claim was lost. One statement. */
  toStop(claims: readonly TaskClaim[]): Promise<readonly string[]>;
  /**
   * One transaction: what holders record. A task run that ends in it is released. Returns the claims refused because they are old or their
   * task run has ended meanwhile; nothing of theirs was written.
   */
  write(writes: readonly ClaimedWrite[]): Promise<readonly TaskClaim[]>;
  /** One statement: hands a task run back, to be taken at `dueAt` or (null) at once. Returns its ticket; null if the claim is old. */
  release(claim: TaskClaim, dueAt: number | null): Promise<Ticketed | null>;
  /** The rows of the ended ones of these task runs. One statement. */
  ended(ids: readonly string[]): Promise<readonly TaskRun[]>;
  /**
   * One transaction, fenced by the claim of the run: ends those that no worker has and, as `held` says, those that one has, which can then
   * no longer write.
   */
  end(claim: Claim, ids: readonly string[], state: State, at: number, held: EndHeld): Promise<void>;
  /** One statement: the task runs of a run that wait for a worker, counted by queue and task. */
  waiting(runId: string): Promise<readonly WaitingTasks[]>;
}
