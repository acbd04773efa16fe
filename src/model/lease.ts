/**
 * Leased work: what a process owns for as long as its lease holds. Runs and spread task runs are such work.
 *
 * It waits (nobody's) → is held (owner, lease, epoch) → is over, or waits again. Each change of hands raises the epoch, and whoever holds an
 * older one can write nothing more. Here stand the rules of who may take what and what follows from a lost owner; the store has
 * the statements (`store/leases`). Pure.
 */
import type { Owner, Run } from './run.ts';
import { isTerminal, type State, stateOf } from './state.ts';

/** How early a ticket may come: clocks and timers are not exact, ms. */
export const earlyMs = 1_000;
/** How long after the lease of a process that executed something alone one waits to be told what ended it, ms. */
export const toldWithinMs = 10_000;
/** Losses after which work is on trial: it is executed by a process that executes nothing else. */
export const lossesBeforeTrial = 2;
/** Losses alone that prove it when there were others in company before. */
const provingLosses = 2;
/** Said of a process that executed something alone when nobody could tell what ended it. */
const unseen = 'it executed nothing else, and its lease ended';

/** Why a run cannot be taken by a process that starts it at once; null when it may be. @param isGone whether an owner is known to be gone */
export function refusalOf({ state, owner }: Pick<Run, 'state' | 'owner'>, isGone: (owner: Owner) => boolean): 'ended' | 'held' | null {
  if (isTerminal(state.type)) return 'ended';
  return owner !== null && !isGone(owner) ? 'held' : null;
}

/** What its last owner left behind. */
export interface LostWork {
  readonly id: string;
  /** Run that it is, or belongs to. */
  readonly runId: string;
  /** Losses that counted so far. */
  readonly recoveries: number;
  readonly leaseUntil: number | null;
}

/** What is known of an owner that is lost. */
export interface LostOwner {
  /** Runs with what belongs to them that it held, and spread tasks among that. */
  readonly held: number;
  readonly tasks: number;
  /** When it was last heard of as a worker; null when it was not. */
  readonly beatAt: number | null;
  /** The work that was seen to have ended it, and a sentence about it. */
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
  /** Whether that was one too many. */
  readonly crashes: boolean;
  /** Owners it has lost, this one included. */
  readonly losses: number;
  /** What was seen of the lost process, null when nothing was. */
  readonly seen: string | null;
  /** What is remembered of it; null: as it was. */
  readonly suspicion: (Suspicion & { readonly isOnTrial: boolean }) | null;
}

/** Whether its lost owner is charged to it: only a loss that it suffered alone is, or one that it was seen to have caused. */
export function judgeLoss(
  { id, runId, recoveries, leaseUntil }: LostWork,
  { held, tasks, beatAt, culprit, seen }: LostOwner,
  { shared, alone }: Suspicion = { shared: 0, alone: recoveries },
  maxRecoveries: number,
): Judgement {
  // It lives, but could not renew its leases for a while.
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

/** The state that lost work goes on in. `owners`: names of those it had, the last one last. */
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
  const next = kind === 'run' ? 'another goes on from what is recorded' : 'another takes it';
  return stateOf('SCHEDULED', 'Resuming', `Its process ${last} was lost; ${next}.${seen}`);
}
