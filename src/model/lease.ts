/**
 * Leased work: owned by a process for as long as its lease holds. Runs and spread task runs are such work.
 *
 * It waits (unowned) → is held (owner, lease, epoch) → is over, or waits again. Each change of owner raises the epoch; holders of an older
 * one can write nothing more. These are the rules of who may take what and what follows from a lost owner; the store has the statements
 * (`store/leases`). Pure.
 */
import type { Owner, Run } from './run.ts';
import { isTerminal, type State, stateOf } from './state.ts';

/** How early a ticket may come: clocks and timers are inexact, ms. */
export const earlyMs = 1_000;
/** How long after the lease of a process that executed something alone to wait for news of what ended it, ms. */
export const toldWithinMs = 10_000;
/** Losses after which work is on trial, in a process that executes nothing else. */
export const lossesBeforeTrial = 2;
/** Losses alone that prove it if others were in company before. */
const provingLosses = 2;
/** Said of a process that executed something alone if what ended it is unknown. */
const unseen = 'it executed nothing else, and its lease ended';

/** Why a process may not start a run at once; null if it may. @param isGone whether an owner is known to be gone */
export function refusalOf({ state, owner }: Pick<Run, 'state' | 'owner'>, isGone: (owner: Owner) => boolean): 'ended' | 'held' | null {
  if (isTerminal(state.type)) return 'ended';
  return owner !== null && !isGone(owner) ? 'held' : null;
}

/** What a lost owner left behind. */
export interface LostWork {
  readonly id: string;
  /** The run it is, or belongs to. */
  readonly runId: string;
  /** Losses counted so far. */
  readonly recoveries: number;
  readonly leaseUntil: number | null;
}

/** What is known of a lost owner. */
export interface LostOwner {
  /** Runs it held with what belongs to them; spread tasks among that. */
  readonly held: number;
  readonly tasks: number;
  /** When it was last heard of as a worker; null if never. */
  readonly beatAt: number | null;
  /** The work that was seen to end it, and a sentence about it. */
  readonly culprit: string | null;
  readonly seen: string | null;
}

/** Losses in company, and alone. */
export interface Suspicion {
  readonly shared: number;
  readonly alone: number;
}

export interface Judgement {
  /** Whether the loss counts as a recovery. */
  readonly counts: boolean;
  /** Whether that was too many. */
  readonly crashes: boolean;
  /** Owners it lost, including this one. */
  readonly losses: number;
  /** What was seen of the lost process, null if nothing. */
  readonly seen: string | null;
  /** What to remember of it; null: unchanged. */
  readonly suspicion: (Suspicion & { readonly isOnTrial: boolean }) | null;
}

/** Whether the lost owner is charged to it: only if it was lost alone, or seen to cause the loss. */
export function judgeLoss(
  { id, runId, recoveries, leaseUntil }: LostWork,
  { held, tasks, beatAt, culprit, seen }: LostOwner,
  { shared, alone }: Suspicion = { shared: 0, alone: recoveries },
  maxRecoveries: number,
): Judgement {
  // Alive, but could not renew its leases for a while.
  const isAlive = beatAt !== null && leaseUntil !== null && beatAt > leaseUntil;
  const wasAlone = held <= 1 && (id === runId || tasks <= 1);
  const isCharged = culprit === null ? wasAlone && !isAlive : culprit === id;
  const isShared = culprit === null && !isCharged && !isAlive;
  const losses = Math.max(recoveries, shared + alone) + 1;
  const isProven = isCharged && (shared === 0 || alone + 1 >= provingLosses);
  const isOnTrial = culprit === id || losses >= lossesBeforeTrial;
  return {
    counts: isCharged,
    crashes: maxRecoveries === 0 || (isProven && losses > maxRecoveries),
    losses,
    seen: seen ?? (culprit === id ? unseen : null),
    suspicion: isCharged || isShared ? { shared: shared + Number(isShared), alone: alone + Number(isCharged), isOnTrial } : null,
  };
}

/** The state in which lost work continues. `owners`: names of its owners, in order. */
export function stateAfterLoss(
  kind: 'run' | 'task run',
  { isCancelled, owners }: { readonly isCancelled: boolean; readonly owners: readonly string[] },
  judgement: Judgement | undefined,
): State {
  const last = owners.at(-1) ?? '';
  if (isCancelled)
    return stateOf(
      'CANCELLED',
      'Cancelled',
      `${kind === 'run' ? 'It' : 'Its run'} was cancelled; the process that ran it was lost meanwhile.`,
    );
  const seen = judgement?.counts === true && judgement.seen !== null ? ` Of the last was seen: ${judgement.seen}` : '';
  if (judgement?.crashes === true) {
    const lost = kind === 'run' ? `in all: ${owners.join(', ')}` : `in all, the last ${last}`;
    return stateOf('CRASHED', 'Crashed', `Process after process was lost while it ran, ${judgement.losses} ${lost}.${seen}`);
  }
  const next = kind === 'run' ? 'another continues from what is recorded' : 'another takes it';
  return stateOf('SCHEDULED', 'Resuming', `Its process ${last} was lost; ${next}.${seen}`);
}
