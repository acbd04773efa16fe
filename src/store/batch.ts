/** What the recorder collects for one flush. Rows of one thing are merged as they are added. */
import type { Artifact, LogLine, Owner, RunPatch, TaskRun, Transition } from '../model/run.ts';
import type { ResourceUse } from '../model/resource-use.ts';
import { claimKey } from './ownership.ts';
import type { Claim, NewRun } from './store.ts';
import { jsonText } from './storable.ts';

/** A run created in this flush, patches of the same flush already applied. */
export interface PendingRun {
  run: NewRun & RunPatch;
  readonly owner: Owner;
  readonly leaseMs: number;
}

/** A row with the claim it is written under. */
export interface Claimed<T> {
  claim: Claim;
  row: T;
}

export interface ClaimedTaskRun extends Claimed<TaskRun> {
  /** Whether nothing of it was recorded before this flush. */
  readonly isNew: boolean;
  /** The first and last of its transitions in this flush, and their number. */
  firstMove: Transition | null;
  lastMove: Transition | null;
  moves: number;
}

/** A future flush. `settled` is shared by everybody who added to it. */
export class Batch {
  readonly newRuns = new Map<string, PendingRun>();
  /** By task run id; the last row wins. */
  readonly taskRuns = new Map<string, ClaimedTaskRun>();
  readonly transitions: Claimed<Transition>[] = [];
  /** By claim key. */
  readonly patches = new Map<string, Claimed<RunPatch>>();
  /** By id; the last wins. */
  readonly artifacts = new Map<string, Claimed<Artifact>>();
  /** By id; the last wins. */
  readonly resourceUses = new Map<string, Claimed<ResourceUse>>();
  readonly logs: LogLine[] = [];
  /** Claims to check, by claim key; claims of new runs hold by themselves and are left out. */
  readonly claims = new Map<string, Claim>();
  /** Whether nobody waits for any of it, so that it may be held for more. */
  mayWait = false;
  readonly settled: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  #noted: Claim | null = null;

  constructor() {
    let settle: { resolve: () => void; reject: (error: unknown) => void } | undefined;
    this.settled = new Promise((resolve, reject) => {
      settle = { resolve, reject };
    });
    this.resolve = () => settle?.resolve();
    this.reject = (error) => settle?.reject(error);
    // A failed flush must not end processes that do not wait for it; waiters still see it.
    this.settled.catch(() => undefined);
  }

  /** Rows that count against the size of a flush. */
  get size(): number {
    return this.taskRuns.size + this.logs.length + this.artifacts.size + this.resourceUses.size + this.newRuns.size;
  }

  /** All rows that a flush writes, including transitions and changes of runs. */
  get rows(): number {
    return this.size + this.transitions.length + this.patches.size;
  }

  /** UTF-8 length of values, errors, messages, log text and artifacts, bytes; approximate, as other columns do not count. */
  get bytes(): number {
    let bytes = 0;
    for (const { row } of this.taskRuns.values()) bytes += bytesOf(row.result) + bytesOf(row.error?.message);
    for (const { row } of this.patches.values()) bytes += bytesOf(row.result) + bytesOf(row.error?.message);
    for (const { run } of this.newRuns.values()) bytes += bytesOf(run.params) + bytesOf(run.result);
    for (const { row } of this.artifacts.values()) bytes += bytesOf(row.data);
    for (const { message, fields } of this.logs) bytes += bytesOf(message) + bytesOf(fields);
    return bytes;
  }

  addRun(run: NewRun, owner: Owner, leaseMs: number): void {
    this.newRuns.set(run.id, { run, owner, leaseMs });
    const transition = { runId: run.id, taskRunId: null, at: run.createdAt, ...run.state, attempt: run.attempt, owner: owner.id };
    this.transitions.push({ claim: { runId: run.id, epoch: 1 }, row: transition });
  }

  addRunPatch(claim: Claim, patch: RunPatch, transition: Transition | null): void {
    const born = claim.epoch === 1 ? this.newRuns.get(claim.runId) : undefined;
    if (born !== undefined) {
      born.run = { ...born.run, ...patch };
    } else {
      this.#note(claim);
      const key = claimKey(claim);
      const pending = this.patches.get(key);
      if (pending === undefined) this.patches.set(key, { claim, row: patch });
      else pending.row = { ...pending.row, ...patch };
    }
    if (transition !== null) this.transitions.push({ claim, row: transition });
  }

  addTaskRun(claim: Claim, row: TaskRun, transition: Transition | null, isNew: boolean): void {
    this.#note(claim);
    let pending = this.taskRuns.get(row.id);
    if (pending === undefined) {
      pending = { claim, row, isNew, firstMove: null, lastMove: null, moves: 0 };
      this.taskRuns.set(row.id, pending);
    } else if (pending.claim.epoch <= claim.epoch) {
      pending.claim = claim;
      pending.row = row;
    }
    if (transition === null) return;
    this.transitions.push({ claim, row: transition });
    pending.firstMove ??= transition;
    pending.lastMove = transition;
    pending.moves++;
  }

  addArtifact(claim: Claim, artifact: Artifact): void {
    this.#note(claim);
    this.artifacts.set(artifact.id, { claim, row: artifact });
  }

  addResourceUse(claim: Claim, use: ResourceUse): void {
    this.#note(claim);
    this.resourceUses.set(use.id, { claim, row: use });
  }

  #note(claim: Claim): void {
    // A run adds many rows in a row under the same object; computing its key each time would cost more than the rest.
    if (this.#noted === claim) return;
    this.#noted = claim;
    if (claim.epoch !== 1 || !this.newRuns.has(claim.runId)) this.claims.set(claimKey(claim), claim);
  }
}

/** As it is written: text, or JSON. */
function bytesOf(value: unknown): number {
  if (value === null || value === undefined) return 0;
  return Buffer.byteLength(typeof value === 'string' ? value : jsonText(value));
}
