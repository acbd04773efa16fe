/** Proofs of ownership: what a write carries so that it can be refused once somebody else owns the thing. */

/** Proof of ownership that every write of an owner carries. */
export interface Claim {
  readonly runId: string;
  readonly epoch: number;
}

/** Proof that a worker holds a spread task run. */
export interface TaskClaim {
  readonly taskRunId: string;
  readonly epoch: number;
}
