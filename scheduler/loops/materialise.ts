/**
 * Turns ticks of schedules into runs: shortly before each tick a row that waits for it, with a ticket delayed to the millisecond.
 *
 * Sleeps until the next tick needs its run, at most a second, and is woken by changes of schedules, here or announced through the broker.
 * Any number of schedulers may run; each tick is decided by one of them. A crash before the rows are written leaves the ticks to the next
 * pass; one after leaves runs without tickets, which `reissue` finds.
 */
import type { Timer } from '../../src/base/clock.ts';
import { makeService, type Service } from '../../src/base/service.ts';
import { deploymentsChannel } from '../../src/model/deployment.ts';
import { missedAfterMs } from '../../src/model/schedule/ticks.ts';
import type { ClaimTicksReport, TickPlan } from '../../src/store/store.ts';
import { planTicks } from '../plan-ticks.ts';
import { settleOverlap } from '../../src/upkeep/overlap.ts';
import { type LoopParts, tryPutTickets, upkeepLoop } from '../../src/upkeep/parts.ts';

/** Maximum time between two passes, ms. */
const netMs = 1_000;
/** Delay before it retries what another has locked, ms. */
const lockedMs = 100;
/** Schedules per transaction, and about as many runs. */
const batchSchedules = 1_000;
/** A scheduler without a pass for longer than this counts as having been away, ms. */
const awayMs = 10_000;

export interface MaterialiseOptions {
  /** How long before its tick a run is made, ms. */
  readonly lookAheadMs: number;
}

export function materialiseLoop(parts: LoopParts, { lookAheadMs }: MaterialiseOptions): Service {
  const { engine, broker, log } = parts;
  const { store, clock, leaseClock, random, makeId, lifecycle } = engine.services;
  /** When it fell behind and when it last ran; null while nothing is due. What is late only for that reason was not missed. */
  let behind: { readonly since: number; readonly seenAt: number } | null = null;
  /** Of the ticks last decided; counted only if observed. */
  let missed = 0;
  /** Tickets being put; the next runs are made meanwhile. */
  let ticketing: Promise<void> = Promise.resolve();
  let timer: Timer | undefined;
  let unsubscribe: (() => void) | undefined;

  const plan = {
    makeId,
    random,
    lookAheadMs,
    maxRuns: batchSchedules,
  };

  const claim = (): Promise<ClaimTicksReport> =>
    store.ticks.claim({ limit: batchSchedules, lookAheadMs, missedAfterMs }, (due, now, open) => {
      const goesOn = behind !== null && now >= behind.seenAt && now - behind.seenAt < awayMs;
      behind = { since: goesOn && behind !== null ? behind.since : now, seenAt: now };
      const plans = planTicks(due, now, behind.since, open, plan);
      if (lifecycle.isObserved) missed = countMissed(plans, behind.since);
      return plans;
    });

  const wakeIn = (ms: number): void => {
    timer?.cancel();
    timer = ms < netMs ? leaseClock.setTimer(Math.max(1, ms), loop.wake, { unref: true }) : undefined;
  };

  const loop = upkeepLoop(parts, {
    name: 'materialise',
    intervalMs: netMs,
    failed: 'Ticks could not be turned into runs; they are once the database is back.',
    async step() {
      const turn = await store.ticks.nextTurn({ lookAheadMs, withinMs: netMs });
      if (lifecycle.isObserved) lifecycle.tell({ kind: 'scheduleLag', ms: turn.at === null ? 0 : Math.max(0, turn.now - turn.at) });
      if (turn.at === null || turn.at > turn.now) {
        behind = null;
        return wakeIn(turn.at === null ? netMs : turn.at - turn.now);
      }
      const { schedules, waiting, held, dropped, setAside } = await claim();
      if (lifecycle.isObserved) lifecycle.tell({ kind: 'ticks', made: waiting.length, held, dropped, missed });
      for (const one of setAside)
        log.error(one, 'A schedule was set aside; the others continue. It ticks again once it is deployed or resumed.');
      if (schedules === 0) return wakeIn(lockedMs);
      if (dropped > 0) log.warn({ ticks: dropped }, 'Ticks were dropped by catch-up or overlap policies; their rows say why.');
      await ticketing;
      ticketing = tryPutTickets(parts, waiting, clock.now());
      // What they wait for may have ended while they were made.
      if (held > 0) await settleOverlap(parts);
      return 'again';
    },
  });

  return makeService({
    name: 'materialise',
    async start() {
      await loop.start();
      unsubscribe = await broker.subscribe(deploymentsChannel, loop.wake).catch((error: unknown) => {
        log.warn({ err: error }, 'New schedules will be found by polling, up to a second later.');
        return undefined;
      });
    },
    async stop() {
      unsubscribe?.();
      await loop.stop();
      await ticketing;
      timer?.cancel();
    },
  });
}

/** Ticks that came due while no scheduler was running, whatever became of them. */
function countMissed(plans: readonly TickPlan[], asOf: number): number {
  return plans.flatMap(({ runs }) => runs).filter(({ run }) => (run.scheduledFor ?? asOf) < asOf - missedAfterMs).length;
}
