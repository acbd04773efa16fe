/** How runs and tasks wait for their rates, in the process that owns them. */
import { isBatutaError } from '../../base/errors.ts';
import { decodeValue } from '../../model/values.ts';
import { maskedParams, sensitivePathsIn } from '../../model/sensitive.ts';
import { type RateName, rateWaitText } from '../../model/rate.ts';
import { runScope } from '../../model/run-context.ts';
import { stateOf } from '../../model/state.ts';
import { rateIn } from '../../model/submitted.ts';
import type { RateAnswer, RateWish } from '../../store/store.ts';
import { isHandedBack, type RunAttempt } from '../run/run-attempt.ts';
import type { Verdict } from '../run/run-end.ts';
import type { Wait } from '../waiting/activity.ts';
import { isDropped } from '../waiting/dropped.ts';
import { limitName } from './limit-key.ts';
import { earlyMs, hasMoved, momentMs, RatePass } from './rates.ts';

/** Shorter waits are not recorded, ms. */
const unrecordedMs = 250;
/** Between two requests while the database is away, ms. */
const awayMs = 1_000;

type Turn = RateAnswer & { readonly granted: false };

/** What waits, and how it is notified. */
interface RateWaiter {
  readonly wish: Omit<RateWish, 'start'>;
  /** Called with a turn that is not immediate, and its changes. */
  readonly note: (message: string, turn: Turn) => void;
  /** Releases what waits, at once; missing if that is impossible. */
  readonly letGo?: (wait: Wait) => void;
}

/**
 * Waits before an attempt of a run begins. Its pass is stored in the attempt, which reports when it has begun. A run that nothing else
 * waits for is released if its turn is not soon.
 *
 * @param suspend releases the run; null if it has to wait here
 * @param isFirst whether it is the first attempt here: the run may then merely continue, which the rate does not count
 * @returns why the run goes no further: it was handed back, or its key function threw; null: it begins, or is cancelled
 * @throws BatutaError STORE_…
 */
export async function awaitRate(active: RunAttempt, suspend: ((wait: Wait) => void) | null, isFirst: boolean): Promise<Verdict | null> {
  if (active.stopReason === null) {
    let rate: RateName | null;
    try {
      rate = rateOfRun(active);
    } catch (error) {
      return { kind: 'error', error, task: null, isFinal: true };
    }
    if (rate !== null && !(isFirst && (await onlyGoesOn(active)))) await awaitPass(active, rate, suspend);
  }
  const { stopReason } = active;
  return stopReason !== null && isHandedBack(stopReason) ? { kind: 'stopped', reason: stopReason } : null;
}

/** Whether it was suspended midway and now continues; another attempt, or a run whose process was lost, begins again. */
async function onlyGoesOn({ run, recorded, services }: RunAttempt): Promise<boolean> {
  if (run.state.type === 'PAUSED') return true;
  if (recorded.size === 0) return false;
  const transitions = await services.store.transitions.ofRun(run.id, null);
  const last = transitions.findLast((one) => one.name !== 'AwaitingSlot' && one.name !== 'Pending');
  // A flow retry opens all that did not complete.
  if (last?.name === 'AwaitingRetry') return [...recorded.values()].some(({ state }) => state.name === 'AwaitingRetry');
  return transitions.findLast((one) => one.type !== 'SCHEDULED' && one.type !== 'PENDING')?.type === 'PAUSED';
}

async function awaitPass(active: RunAttempt, rate: RateName, suspend: ((wait: Wait) => void) | null): Promise<void> {
  const letGo = active.services.settings.suspendOverMs === null ? null : suspend;
  const { run, record } = active;
  const wish = wishOf(run, rate);
  active.pass = await active.activity.work(() =>
    awaitTurn(active, {
      wish,
      note: (message, { nextAt }) =>
        void record.setRun(stateOf('SCHEDULED', 'Scheduled', message), { dueAt: nextAt }).catch(() => undefined),
      // A sub-flow is released with the run that called it.
      ...(letGo === null ? {} : { letGo }),
    }),
  );
}

/** That of its deployment, stored with its parameters, else that of its flow. */
function rateOfRun(active: RunAttempt): RateName | null {
  const { definition, run } = active;
  const name = rateIn(run.params);
  if (name !== null && run.deployment !== null) return { name, base: `deployment:${run.deployment}` };
  const { rateLimit } = definition;
  if (!rateLimit) return null;
  const { key } = rateLimit;
  const params = key === null ? null : keyParams(run.params);
  const named = runScope.run(active.scope(null, null), () => limitName('flow', definition.name, key, params, 'rateLimit.key'));
  return { name: named, base: `flow:${definition.name}` };
}

/** A run's parameters, as keys are made from them. */
export function keyParams(params: string): unknown {
  return maskedParams(decodeValue(params), sensitivePathsIn(params), 'hash');
}

/** A pass; null if the run is stopped first, or its body settles while it waits. */
export function awaitTurn(active: RunAttempt, waiter: RateWaiter): Promise<RatePass | null> {
  return active.services.limits.rates.whileWaiting(() => untilTurn(active, waiter));
}

async function untilTurn(active: RunAttempt, waiter: RateWaiter): Promise<RatePass | null> {
  let noted: number | null = null;
  for (;;) {
    const asked = await askRate(active, waiter.wish);
    if (asked instanceof RatePass) {
      if (!active.stopReason) return asked;
      await asked.giveBack();
    }
    if (active.stopReason || asked === null || asked instanceof RatePass || isDropped(active))
      return await leave(active, waiter.wish.holder);
    const why = rateWaitText(asked.name, asked.limit, asked.perMs);
    const wait: Wait = {
      dueAt: asked.nextAt - active.services.limits.rates.leadMs - earlyMs,
      why,
      isRetry: false,
      isStart: waiter.letGo !== undefined,
      overMs: momentMs,
    };
    // A release has its own record.
    if (asked.waitMs > momentMs && waiter.letGo) waiter.letGo(wait);
    else {
      if (asked.waitMs > unrecordedMs && hasMoved(noted, asked)) {
        noted = asked.nextAt;
        waiter.note(why, asked);
      }
      await rest(active, asked.waitMs, wait);
    }
    if (active.stopReason || isDropped(active)) return await leave(active, waiter.wish.holder);
  }
}

/**
 * A pass, once its instant has come, or the turn to wait for; keeps trying while the database is away. Null if the run is stopped first.
 *
 * @throws BatutaError STORE_…
 */
export async function askRate(active: RunAttempt, wish: RateWaiter['wish']): Promise<RatePass | Turn | null> {
  const { limits, leaseClock } = active.services;
  for (;;) {
    try {
      const asked = await limits.rates.ask(wish);
      if (!(asked instanceof RatePass)) return asked;
      await untilInstant(active, asked);
      if (active.stopReason || asked.isFresh(leaseClock.monotonic())) return asked;
      await asked.giveBackLate(leaseClock.monotonic());
    } catch (error) {
      if (!isBatutaError(error, 'STORE_UNAVAILABLE')) throw error;
      if (!active.stopReason) await active.sleeps.until(leaseClock, awayMs, active.signal);
    }
    if (active.stopReason) return null;
  }
}

async function untilInstant(active: RunAttempt, pass: RatePass): Promise<void> {
  const { leaseClock } = active.services;
  for (let ms = pass.restMs(leaseClock.monotonic()); ms > 0 && !active.stopReason; ms = pass.restMs(leaseClock.monotonic()))
    await active.sleeps.until(leaseClock, ms, active.signal);
}

/**
 * Whether a run that has a pass, and has not begun, may still begin; if it is too late, it waits for its turn again, once for all of its
 * tasks. False if it is stopped.
 *
 * @throws BatutaError STORE_…
 */
export function mayStillBegin(active: RunAttempt): Promise<boolean> {
  const { turn, activity } = active;
  // It waits as well, or the run would not be released.
  if (turn !== null) return activity.wait({ ...sameTurn }, () => turn);
  active.turn = untilNextTurn(active).finally(() => (active.turn = null));
  return active.turn;
}

/** A wait of each task but the first for the turn of their run. */
const sameTurn = { dueAt: null, why: 'Waits for the rate of its run.', isRetry: false, overMs: momentMs } as const;

async function untilNextTurn(active: RunAttempt): Promise<boolean> {
  const { pass, run, services } = active;
  if (active.stopReason) return false;
  const now = services.leaseClock.monotonic();
  if (pass === null || pass.isFresh(now)) return true;
  active.pass = null;
  await pass.giveBackLate(now);
  const rate = rateOfRun(active);
  if (rate === null) return true;
  active.pass = await awaitTurn(active, { wish: wishOf(run, rate), note: () => undefined });
  return active.pass !== null;
}

/** One that is handed back keeps its place in line. */
async function leave({ stopReason, services }: RunAttempt, holder: string): Promise<null> {
  if (stopReason === null || !isHandedBack(stopReason)) await services.limits.rates.leave(holder);
  return null;
}

/** Waits for the turn, or for less. */
async function rest({ sleeps, waitSignal, services, activity }: RunAttempt, waitMs: number, wait: Wait): Promise<void> {
  await activity.wait(wait, () => sleeps.until(services.leaseClock, services.limits.rates.restMs(waitMs), waitSignal));
}

function wishOf({ id, priority }: RunAttempt['run'], rate: RateName): RateWaiter['wish'] {
  return { holder: id, runId: id, task: null, names: [rate], priority };
}
