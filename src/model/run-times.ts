/** How long a run or task run was executed, and how long it took in all. Pure. */
import type { Transition } from './run.ts';
import { isTerminal, type State } from './state.ts';

/** Input for the times of a run, epoch ms. */
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
  /** Not executed between first start and end (or now): waiting for its next attempt, a slot, a signal, a manual retry. */
  readonly waitingMs: number;
  /** From its first start to its end, or to now. */
  readonly wallMs: number;
}

/** Null before it has started. `now` counts until it has ended. */
export function runTimes({ state, startedAt, endedAt, executedMs, resumedAt }: TimedRun, now: number): RunTimes | null {
  if (startedAt === null) return null;
  const until = endedAt ?? now;
  const wallMs = Math.max(0, until - startedAt);
  const goesOn = isTerminal(state.type) || state.type === 'RUNNING' || state.type === 'CANCELLING';
  const lastMs = goesOn ? Math.max(0, until - (resumedAt ?? startedAt)) : 0;
  const executingMs = Math.min(wallMs, (executedMs ?? 0) + lastMs);
  return { executingMs, waitingMs: wallMs - executingMs, wallMs };
}

/** The same from the history, with suspension separate; of a run or of a task run. */
export interface SpentTimes extends RunTimes {
  /** While it slept or waited for a signal or an approval. */
  readonly suspendedMs: number;
  /** Otherwise not executed between first start and end: for its next attempt, a slot, a worker, a manual retry. */
  readonly waitingMs: number;
}

/**
 * Null before it has started.
 *
 * @param history its transitions only, oldest first
 * @param now counts until it has ended
 */
export function spentTimes(history: readonly Pick<Transition, 'at' | 'type'>[], now: number): SpentTimes | null {
  const first = history.findIndex(({ type }) => type === 'RUNNING' || type === 'PAUSED');
  if (first === -1) return null;
  const spent = { executingMs: 0, suspendedMs: 0, waitingMs: 0 };
  for (let at = first; at < history.length; at++) {
    const [one, next] = [history[at], history[at + 1]];
    if (one === undefined || (next === undefined && isTerminal(one.type))) break;
    spent[partOf(one.type)] += Math.max(0, (next?.at ?? now) - one.at);
  }
  return { ...spent, wallMs: spent.executingMs + spent.suspendedMs + spent.waitingMs };
}

function partOf(type: Transition['type']): Exclude<keyof SpentTimes, 'wallMs'> {
  if (type === 'PAUSED') return 'suspendedMs';
  return type === 'RUNNING' || type === 'CANCELLING' ? 'executingMs' : 'waitingMs';
}
