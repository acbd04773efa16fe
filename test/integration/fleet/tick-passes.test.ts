/** When a scheduler looks for ticks, what it does with what it finds, and which ticks count as missed. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { materialiseLoop } from '../../../scheduler/loops/materialise.ts';
import { BatutaError } from '../../../src/base/errors.ts';
import { deploymentsChannel } from '../../../src/model/deployment.ts';
import type { ClaimTicksReport, Ticketed, TickStore } from '../../../src/store/store.ts';
import { deploymentNamed, scheduleOf } from '../../support/deployments.ts';
import { type HandLoops, openHandLoops } from '../../support/hand-loops.ts';
import { gate } from '../../support/make-flow.ts';
import { until } from '../../support/room.ts';

const ticket = (id: string): Ticketed => ({ id, epoch: 0, queue: 'default', priority: 0, dueAt: null });
const nothing: ClaimTicksReport = { now: 0, schedules: 0, waiting: [], held: 0, dropped: 0, setAside: [] };

let at: HandLoops;
beforeEach(async () => {
  at = await openHandLoops();
});
afterEach(() => at.close());

describe('ticks', () => {
  const turns: { now: number; at: number | null }[] = [];
  const claims: ClaimTicksReport[] = [];
  let calls: string[];
  beforeEach(() => {
    turns.length = claims.length = 0;
    calls = [];
    const { ticks } = at.store;
    Object.assign(ticks, {
      nextTurn: async () => (calls.push('looks'), turns.shift() ?? { now: 0, at: null }),
      claim: async () => (calls.push('claims'), claims.shift() ?? nothing),
      overtaken: async () => (calls.push('settles'), []),
    });
  });
  const loop = () => materialiseLoop(at.parts, { lookAheadMs: 5_000 });

  test('a look is made as soon as the next tick needs its run, and each second in any case', async () => {
    const service = loop();
    turns.push({ now: 10, at: 310 }, { now: 310, at: 1_310 }, { now: 320, at: 1_319 }, { now: 400, at: null });
    await service.start();
    await until(() => at.timers().length === 2);
    expect(at.timers()).toEqual([300, 1_000]);
    await at.fire(300);
    expect(at.timers()).toEqual([1_000]);
    await at.fire(1_000);
    await until(() => at.timers().length === 2);
    expect(at.timers()).toEqual([999, 1_000]);
    // What was set for the tick that another has taken is not left behind.
    await at.fire(1_000);
    await until(() => at.timers().join() === '1000');
    expect(calls).toEqual(['looks', 'looks', 'looks', 'looks']);
    await service.stop();
  });

  test('it tells how far behind it is, and that it is not', async () => {
    turns.push({ now: 5_000, at: 2_000 }, { now: 5_000, at: 5_000 }, { now: 5_000, at: 6_000 }, { now: 5_000, at: null });
    claims.push({ ...nothing, schedules: 1 }, { ...nothing, schedules: 1 });
    await at.pass(loop());
    await at.pass(loop());
    expect(at.told.flatMap((one) => (one.kind === 'scheduleLag' ? [one.ms] : []))).toEqual([3_000, 0, 0, 0]);
    expect(at.timers()).toEqual([]);
  });

  test('runs that were made get their tickets, and the next schedules are claimed at once', async () => {
    turns.push({ now: 1, at: 1 }, { now: 1, at: 1 });
    claims.push(
      { ...nothing, schedules: 2, waiting: [ticket('a'), ticket('b')], dropped: 1 },
      { ...nothing, schedules: 1, waiting: [ticket('c')], held: 1 },
    );
    await at.pass(loop());
    expect([calls, at.put]).toEqual([
      ['looks', 'claims', 'looks', 'claims', 'settles', 'looks'],
      [['a', 'b'], ['c']],
    ]);
    expect(at.told.filter(({ kind }) => kind === 'ticks')).toEqual([
      { kind: 'ticks', made: 2, held: 0, dropped: 1, missed: 0 },
      { kind: 'ticks', made: 1, held: 1, dropped: 0, missed: 0 },
    ]);
    expect(at.logged).toEqual(['Ticks were dropped by catch-up or overlap policies; their rows say why.']);
  });

  test('what another has locked is asked for a moment later', async () => {
    const service = loop();
    turns.push({ now: 1, at: 1 });
    await service.start();
    await until(() => at.timers().length === 2);
    expect([at.timers(), calls, at.put]).toEqual([[100, 1_000], ['looks', 'claims'], []]);
    turns.push({ now: 1, at: 1 });
    claims.push({ ...nothing, schedules: 1, waiting: [ticket('a')] });
    await at.fire(100);
    await until(() => at.put.length === 1);
    await service.stop();
    expect([calls, at.timers()]).toEqual([['looks', 'claims', 'looks', 'claims', 'looks'], []]);
  });

  test('a schedule that was set aside is named, and the pass goes on', async () => {
    turns.push({ now: 1, at: 1 });
    claims.push({ ...nothing, schedules: 2, waiting: [ticket('a')], setAside: [{ deployment: 'd', schedule: 's', fault: 'bad' }] });
    await at.pass(loop());
    expect([at.logged.length, at.put]).toEqual([1, [['a']]]);
  });

  test('an end waits for tickets that are being put; the runs after them are made meanwhile, and their tickets follow', async () => {
    const first = gate();
    const order: string[] = [];
    Object.assign(at.parts.broker, {
      put: async ([{ id = '' } = {}]: readonly Partial<Ticketed>[]) => {
        order.push(`puts ${id}`);
        if (id === 'a') await first.opened;
        order.push(`has put ${id}`);
      },
    });
    turns.push({ now: 1, at: 1 }, { now: 1, at: 1 });
    claims.push({ ...nothing, schedules: 1, waiting: [ticket('a')] }, { ...nothing, schedules: 1, waiting: [ticket('b')] });
    const service = loop();
    await service.start();
    await until(() => calls.filter((call) => call === 'claims').length === 2);
    const stopped = service.stop().then(() => order.push('stopped'));
    expect(order).toEqual(['puts a']);
    first.open();
    await stopped;
    expect(order).toEqual(['puts a', 'has put a', 'puts b', 'has put b', 'stopped']);
  });

  test('a change of schedules makes it look at once, until its end; where it cannot hear of them it looks each second', async () => {
    const service = loop();
    await service.start();
    await at.rests();
    await at.parts.broker.notify(deploymentsChannel, 'weather');
    await until(() => calls.length === 2);
    await at.rests();
    await service.stop();
    await at.parts.broker.notify(deploymentsChannel, 'weather');
    Object.assign(at.parts.broker, { subscribe: () => Promise.reject(new BatutaError('BROKER_UNAVAILABLE', 'It is away.')) });
    await at.pass(loop());
    expect([calls.length, at.logged.length]).toEqual([3, 1]);
  });

  describe('that come due', () => {
    const noon = Date.UTC(2026, 2, 10, 12);
    /** What becomes of a tick of noon in one pass after the other, each at such a time after it; null: nothing is due then. */
    async function decided(passes: readonly (number | null)[]): Promise<string[]> {
      const decisions: string[] = [];
      const due = {
        deployment: deploymentNamed('d', { catchup: 'none' }),
        flowConcurrency: null,
        schedule: { ...scheduleOf('d'), nextTickAt: noon },
      };
      const left = [...passes];
      Object.assign(at.store.ticks, {
        nextTurn: async () => {
          const next = left[0];
          if (next === null) left.shift();
          return next === undefined || next === null ? { now: 0, at: null } : { now: noon + next, at: noon };
        },
        claim: async (_: unknown, decide: Parameters<TickStore['claim']>[1]) => {
          const [plan] = decide([due], noon + (left.shift() ?? 0), new Map());
          decisions.push(plan?.runs[0]?.run.state.name ?? 'none');
          return { ...nothing, schedules: 1 };
        },
      });
      const service = loop();
      await service.start();
      while (left.length > 0) {
        await at.rests();
        await at.fire(at.timers()[0] ?? 0);
      }
      await service.stop();
      return decisions;
    }

    test('are missed if nothing was at work for them, and not if it only cannot keep up', async () => {
      expect(await decided([2_000, 10_000, 19_000])).toEqual(['Scheduled', 'Scheduled', 'Scheduled']);
      expect(await decided([2_001])).toEqual(['Skipped']);
    });

    test('are missed if the scheduler was away for ten seconds, or had nothing to do meanwhile', async () => {
      expect(await decided([0, 9_999])).toEqual(['Scheduled', 'Scheduled']);
      expect(await decided([0, 10_000])).toEqual(['Scheduled', 'Skipped']);
      expect(await decided([0, null, 5_000])).toEqual(['Scheduled', 'Skipped']);
    });

    test('are judged anew where the clock has gone back', async () => {
      expect(await decided([9_000, 2_000, 2_000])).toEqual(['Skipped', 'Scheduled', 'Scheduled']);
      expect(await decided([2_000, 9_000, 9_000])).toEqual(['Scheduled', 'Scheduled', 'Scheduled']);
    });

    test('and were missed are counted, whatever the policy makes of them', async () => {
      await decided([0, 5_000, 60_000]);
      await decided([2_000]);
      expect(at.told.flatMap((one) => (one.kind === 'ticks' ? [one.missed] : []))).toEqual([0, 0, 1, 0]);
    });
  });
});
