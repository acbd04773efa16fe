/** The waits of runs and of tasks for the rates they are under, in the process that owns them. */
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
import { limitName } from './limit-key.ts';
import { earlyMs, hasMoved, momentMs, RatePass } from './rates.ts';

/** A wait that is shorter is not worth a record, ms. */
const unrecordedMs = 250;
/** Between two questions while the database is away, ms. */
const awayMs = 1_000;

type Turn = RateAnswer & { readonly granted: false };

/** What waits, and what it does about it. */
interface RateWaiter {
  readonly wish: Omit<RateWish, 'start'>;
  /** Told of a turn that is not at once, and of each that is another. */
  readonly note: (message: string, turn: Turn) => void;
  /** Lets go of what waits at once; missing where that cannot be done, or not at once. */
  readonly letGo?: (wait: Wait) => void;
}

/**
 * Before an attempt of a run begins. Its pass stands in the attempt, which says when it has begun. A run that nobody else has to wait for is let go of
 * where its turn is not soon.
 *
 * @param suspend lets go of the run; null where it has to wait here
 * @param isFirst whether it is the first attempt here: the run may only go on then, which counts for nothing
 * @returns why the run goes no further: it was handed back, or the function that gives its key threw; null: it begins, or is cancelled
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

/** Whether it was let go of in the middle, and now goes on: another attempt, and a run whose process was lost, begin anew. */
async function onlyGoesOn({ run, recorded, services }: RunAttempt): Promise<boolean> {
  if (run.state.type === 'PAUSED') return true;
  if (recorded.size === 0) return false;
  const transitions = await services.store.transitions.ofRun(run.id, null);
  const last = transitions.findLast((one) => one.name !== 'AwaitingSlot' && one.name !== 'Pending');
  // A retry of the flow opens all that did not complete.
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
      // A sub-flow is let go of with the run that called it.
      ...(letGo === null ? {} : { letGo }),
    }),
  );
}

/** Its deployment's, which stands beside its parameters, else that of its flow. */
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

/** Parameters of a run as keys are made of them. */
export function keyParams(params: string): unknown {
  return maskedParams(decodeValue(params), sensitivePathsIn(params), 'hash');
}

/** A pass, or null when the run is stopped first. */
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
    if (active.stopReason || asked === null || asked instanceof RatePass) return await leave(active, waiter.wish.holder);
    const why = rateWaitText(asked.name, asked.limit, asked.perMs);
    const wait: Wait = {
      dueAt: asked.nextAt - active.services.limits.rates.leadMs - earlyMs,
      why,
      isRetry: false,
      isStart: waiter.letGo !== undefined,
      overMs: momentMs,
    };
    // What is let go of is recorded as that.
    if (asked.waitMs > momentMs && waiter.letGo) waiter.letGo(wait);
    else {
      if (asked.waitMs > unrecordedMs && hasMoved(noted, asked)) {
        noted = asked.nextAt;
        waiter.note(why, asked);
      }
      await rest(active, asked.waitMs, wait);
    }
    if (active.stopReason) return await leave(active, waiter.wish.holder);
  }
}

/**
 * Leave, once its instant has come, or when its turn is: a database that is away for a while ends no wait. Null when the run is stopped meanwhile.
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
 * Whether a run that has leave, and has not begun, may still do so; where it took too long to get there, it waits for its turn again, once for all of
 * its tasks. False when it is stopped.
 *
 * @throws BatutaError STORE_…
 */
export function mayStillBegin(active: RunAttempt): Promise<boolean> {
  active.turn ??= untilNextTurn(active).finally(() => (active.turn = null));
  return active.turn;
}

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

/** Whoever is let go of keeps its place in line. */
async function leave({ stopReason, services }: RunAttempt, holder: string): Promise<null> {
  if (stopReason === null || !isHandedBack(stopReason)) await services.limits.rates.leave(holder);
  return null;
}

/** Waits for the turn, or for less. */
async function rest({ sleeps, signal, services, activity }: RunAttempt, waitMs: number, wait: Wait): Promise<void> {
  await activity.wait(wait, () => sleeps.until(services.leaseClock, services.limits.rates.restMs(waitMs), signal));
}

function wishOf({ id, priority }: RunAttempt['run'], rate: RateName): RateWaiter['wish'] {
  return { holder: id, runId: id, task: null, names: [rate], priority };
}
