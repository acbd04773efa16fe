/** The waits of runs and of tasks for the rates they are under, in the process that owns them. */
import { decodeValue } from '../../model/values.ts';
import { maskedParams, sensitivePathsIn } from '../../model/sensitive.ts';
import { type RateName, rateWaitText } from '../../model/rate.ts';
import { stateOf } from '../../model/state.ts';
import { rateIn } from '../../model/submitted.ts';
import type { RateAnswer, RateWish } from '../../store/store.ts';
import { isHandedBack, type RunAttempt } from '../run/run-attempt.ts';
import type { Wait } from '../waiting/activity.ts';
import { limitName } from './limit-key.ts';
import { askAgainMs, earlyMs, momentMs, RatePass } from './rates.ts';

/** A wait that is shorter is not worth a record, ms. */
const unrecordedMs = 250;

type Turn = RateAnswer & { readonly granted: false };

/** What waits, and what it does about it. */
interface RateWaiter {
  readonly wish: Omit<RateWish, 'start'>;
  /** Told of a turn that is not at once, and of each that is another. */
  readonly note: (message: string, turn: Turn) => void;
  /** Lets go of what waits, where that can be done at once. True when it has. */
  readonly letGo?: (wait: Wait) => boolean;
}

/**
 * Before an attempt of a run begins. Its pass stands in the attempt, which says when it has begun. A run that nobody else has to wait for is let go of
 * where its turn is not soon.
 *
 * @param suspend lets go of the run; null where it has to wait here
 * @throws BatutaError STORE_…, OPTION_INVALID when the function that gives the key throws
 */
export async function awaitRate(active: RunAttempt, suspend: ((wait: Wait) => void) | null): Promise<void> {
  const rate = rateOfRun(active);
  if (rate === null || active.stopReason) return;
  const mayLetGo = suspend !== null && active.services.settings.suspendOverMs !== null;
  const { run, record } = active;
  const wish = { holder: run.id, runId: run.id, task: null, names: [rate], priority: run.priority };
  active.pass = await active.activity.work(() =>
    awaitTurn(active, {
      wish,
      note: (message, { nextAt }) =>
        void record.setRun(stateOf('SCHEDULED', 'Scheduled', message), { dueAt: nextAt }).catch(() => undefined),
      letGo: (wait) => {
        if (mayLetGo) suspend(wait);
        return mayLetGo;
      },
    }),
  );
}

/** Its deployment's, which stands beside its parameters, else that of its flow. */
function rateOfRun({ definition, run }: RunAttempt): RateName | null {
  const name = rateIn(run.params);
  if (name !== null && run.deployment !== null) return { name, base: `deployment:${run.deployment}` };
  const { rateLimit } = definition;
  if (!rateLimit) return null;
  const params = rateLimit.key === null ? null : keyParams(run.params);
  return { name: limitName('flow', definition.name, rateLimit.key, params, 'rateLimit.key'), base: `flow:${definition.name}` };
}

/** Parameters of a run as keys are made of them. */
export function keyParams(params: string): unknown {
  return maskedParams(decodeValue(params), sensitivePathsIn(params), 'hash');
}

/** A pass, or null when the run is stopped first. */
export async function awaitTurn(active: RunAttempt, waiter: RateWaiter): Promise<RatePass | null> {
  const { rates } = active.services.limits;
  let noted = 0;
  for (;;) {
    const asked = await rates.ask(waiter.wish);
    if (asked instanceof RatePass) {
      if (!active.stopReason) return asked;
      await asked.giveBack();
    }
    if (active.stopReason || asked instanceof RatePass) return await leave(active, waiter.wish.holder);
    const why = rateWaitText(asked.name, asked.limit, asked.perMs);
    const wait: Wait = { dueAt: asked.nextAt - earlyMs, why, isRetry: false, isStart: waiter.letGo !== undefined, overMs: momentMs };
    // What is let go of is recorded as that.
    if (asked.waitMs <= momentMs || waiter.letGo?.(wait) !== true) {
      if (asked.waitMs > unrecordedMs && Math.abs(asked.nextAt - noted) > momentMs) {
        noted = asked.nextAt;
        waiter.note(why, asked);
      }
      await rest(active, asked.waitMs, wait);
    }
    if (active.stopReason) return await leave(active, waiter.wish.holder);
  }
}

/** Whoever is let go of keeps its place in line. */
async function leave({ stopReason, services }: RunAttempt, holder: string): Promise<null> {
  if (stopReason === null || !isHandedBack(stopReason)) await services.limits.rates.leave(holder);
  return null;
}

/** Waits for the turn, or for less. */
async function rest({ sleeps, signal, services, activity }: RunAttempt, waitMs: number, wait: Wait): Promise<void> {
  await activity.wait(wait, () => sleeps.until(services.leaseClock, Math.min(waitMs, askAgainMs), signal));
}
