/** How long a run was executed, apart from how long it took in all. Pure. */
import { isTerminal, type State } from './state.ts';

/** What the times of a run are counted from, epoch ms. */
export interface TimedRun {
  readonly state: Pick<State, 'type'>;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly executedMs: number | null;
  readonly resumedAt: number | null;
}

export interface RunTimes {
  /** While it was Running. */
  readonly executingMs: number;
  /** Between its first start and its end (or now), when it was not: for its next attempt, a slot, a signal, a retry by hand. */
  readonly waitingMs: number;
  /** From its first start to its end, or to now. */
  readonly wallMs: number;
}

/** Null before it has started. `now` counts for one that goes on. */
export function runTimes({ state, startedAt, endedAt, executedMs, resumedAt }: TimedRun, now: number): RunTimes | null {
  if (startedAt === null) return null;
  const until = endedAt ?? now;
  const wallMs = Math.max(0, until - startedAt);
  const goesOn = isTerminal(state.type) || state.type === 'RUNNING' || state.type === 'CANCELLING';
  const lastMs = goesOn ? Math.max(0, until - (resumedAt ?? startedAt)) : 0;
  const executingMs = Math.min(wallMs, (executedMs ?? 0) + lastMs);
  return { executingMs, waitingMs: wallMs - executingMs, wallMs };
}
