/** Ticks of schedules that become runs, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeId } from '../../../src/base/id.ts';
import { parseSchedule } from '../../../src/model/schedule/schedule.ts';
import { stateOf } from '../../../src/model/state.ts';
import { missedAfterMs } from '../../../src/model/schedule/ticks.ts';
import type { Store } from '../../../src/store/store.ts';
import { planTicks } from '../../../scheduler/plan-ticks.ts';
import { deploymentNamed, scheduleOf } from '../../support/deployments.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { newRun } from './rows.ts';
import { claimTicks, deploy, hourMs, lookAheadMs, nextOf, now, runsOf, takeRun, ticking } from './ticking.ts';

describe.each(makers)('ticks on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  describe('a tick that is due', () => {
    test('becomes a run of its deployment, with a ticket for its instant', async () => {
      const tick = now() + 30_000;
      const id = await deploy(store, 'nightly', tick, {
        queue: 'slow',
        priority: 7,
        params: '{"json":{"region":"eu"}}',
        runName: 'sales of {region}',
      });
      const { waiting, schedules, held, dropped } = await claimTicks(store);
      const [run] = await runsOf(store, 'nightly');
      expect({ schedules, held, dropped }).toEqual({ schedules: 1, held: 0, dropped: 0 });
      expect(waiting).toEqual([{ id: run?.id, epoch: 0, queue: 'slow', priority: 7, dueAt: tick }]);
      expect(run).toMatchObject({
        flow: 'daily-sales',
        flowVersion: 'v1',
        source: '/flows/sales.ts#DailySales',
        name: 'sales of eu',
        tags: ['sales', 'eu'],
        params: '{"json":{"region":"eu"}}',
        state: stateOf('SCHEDULED'),
        scheduledFor: tick,
        scheduleId: id,
        dueAt: tick,
        queue: 'slow',
      });
      expect(await store.transitions.ofRun(run?.id ?? '')).toMatchObject([{ type: 'SCHEDULED', name: 'Scheduled', owner: null }]);
      expect(await nextOf(store, 'nightly')).toBe(tick + hourMs);
      expect(await claimTicks(store)).toMatchObject({ schedules: 0, waiting: [] });
    });

    test('takes the parameters of its schedule before those of the deployment, and its limit on runs', async () => {
      const tick = now();
      const changes = { concurrency: { limit: 1, key: '{region}', onConflict: 'queue' } } as const;
      await deploy(store, 'nightly', tick, changes, { params: '{"json":{"region":"us"}}' });
      await claimTicks(store);
      expect(await runsOf(store, 'nightly')).toMatchObject([
        { params: '{"json":{"region":"us"}}', concurrencyKey: 'deployment:nightly:us' },
      ]);
    });

    test('starts later by the jitter of its schedule, which all schedulers know', async () => {
      const tick = now();
      await deploy(store, 'spread', tick, {}, { jitterMs: 60_000 });
      const { waiting } = await claimTicks(store);
      const [run] = await runsOf(store, 'spread');
      expect(run?.scheduledFor).toBe(tick);
      expect(run?.dueAt).toBeGreaterThanOrEqual(tick);
      expect(run?.dueAt).toBeLessThanOrEqual(tick + 60_000);
      expect(waiting[0]?.dueAt).toBe(run?.dueAt);
    });

    test('makes no run when its deployment or schedule is paused, nor when it is not near yet', async () => {
      await deploy(store, 'paused', now());
      await deploy(store, 'later', now() + 600_000);
      await store.deployments.pause('paused', null, now());
      expect(await claimTicks(store)).toMatchObject({ schedules: 0 });
      expect((await store.runs.list({})).items).toEqual([]);
    });

    test('of a schedule that has ended is the last', async () => {
      const tick = now();
      await deploy(store, 'once', tick, {}, { schedule: { ...ticking(tick), end: tick + 1 } });
      await claimTicks(store);
      expect(await runsOf(store, 'once')).toHaveLength(1);
      expect(await nextOf(store, 'once')).toBeNull();
    });

    test('a thousand of them at once are made by one call, each once, by three schedulers', async () => {
      const tick = now() + 1_000;
      await store.deployments.put(
        Array.from({ length: 1_000 }, (_, at) => ({
          deployment: deploymentNamed(`d${at}`),
          schedules: [scheduleOf(`d${at}`, { schedule: ticking(tick), nextTickAt: tick })],
          graph: null,
          spec: {},
        })),
      );
      const stores = [store, await here.open(), await here.open()];
      const reports = await Promise.all(stores.map((from) => claimTicks(from, 400)));
      reports.push(await claimTicks(store));
      const made = reports.flatMap(({ waiting }) => waiting.map(({ id }) => id));
      expect(made).toHaveLength(1_000);
      expect(new Set(made).size).toBe(1_000);
    });

    test('of which a run is there already stays with that run', async () => {
      const tick = now();
      const id = await deploy(store, 'nightly', tick);
      await store.fleet.insertMany([
        { run: newRun({ state: stateOf('SCHEDULED'), deployment: 'nightly', scheduleId: id, scheduledFor: tick }), idempotencyKey: null },
      ]);
      expect(await claimTicks(store)).toMatchObject({ schedules: 1, waiting: [] });
      expect(await runsOf(store, 'nightly')).toHaveLength(1);
      expect(await nextOf(store, 'nightly')).toBe(tick + hourMs);
    });

    test('one that cannot be decided about does not hold up the others, and ticks no more', async () => {
      await deploy(store, 'broken', now());
      await deploy(store, 'sound', now());
      const report = await store.ticks.claim({ limit: 10, lookAheadMs, missedAfterMs }, (due, at, open) => {
        const spoilt = due.map((one) =>
          one.deployment.name === 'broken'
            ? { ...one, schedule: { ...one.schedule, schedule: { ...parseSchedule({ cron: '* * * * *' }), timezone: 'Nowhere' } } }
            : one,
        );
        return planTicks(spoilt, at, at, open, { makeId, random: () => 0.5, lookAheadMs, maxRuns: 1_000 });
      });
      expect(report.setAside).toMatchObject([{ deployment: 'broken', schedule: 'cron' }]);
      expect((await store.deployments.get('broken'))?.schedules[0]?.fault).toBe(report.setAside[0]?.fault);
      expect((await store.deployments.get('sound'))?.schedules[0]).not.toHaveProperty('fault');
      expect(await runsOf(store, 'sound')).toHaveLength(1);
      expect(await nextOf(store, 'broken')).toBeNull();
      await store.deployments.resume('broken', null, now());
      expect(await nextOf(store, 'broken')).not.toBeNull();
      expect((await store.deployments.get('broken'))?.schedules[0]).not.toHaveProperty('fault');
    });
  });

  describe('a run that was made ahead of its tick', () => {
    const later = async (): Promise<number> => {
      const tick = now() + 30_000;
      await deploy(store, 'nightly', tick);
      await claimTicks(store);
      expect(await runsOf(store, 'nightly')).toHaveLength(1);
      return tick;
    };

    test('is taken back when its deployment or schedule is paused, and made again when that is resumed in time', async () => {
      const tick = await later();
      await store.deployments.pause('nightly', null, now());
      expect(await runsOf(store, 'nightly')).toEqual([]);
      await store.deployments.resume('nightly', null, now());
      await claimTicks(store);
      expect(await runsOf(store, 'nightly')).toMatchObject([{ scheduledFor: tick }]);
      await store.deployments.pause('nightly', 'cron', now());
      expect(await runsOf(store, 'nightly')).toEqual([]);
    });

    test('is taken back with its deployment, and when its schedule says otherwise', async () => {
      await later();
      const stored = await store.deployments.get('nightly');
      if (stored === null) throw new Error('It was stored.');
      const { schedules, ...deployment } = stored;
      const same = { deployment: { ...deployment, version: 2, queue: 'slow' }, schedules, graph: null, spec: {} };
      await store.deployments.put([same]);
      expect(await runsOf(store, 'nightly')).toHaveLength(1);
      const other = schedules.map((schedule) => ({ ...schedule, schedule: ticking(now() + hourMs) }));
      await store.deployments.put([{ ...same, deployment: { ...deployment, version: 3 }, schedules: other }]);
      expect(await runsOf(store, 'nightly')).toEqual([]);
      await deploy(store, 'weekly', now() + 30_000);
      await claimTicks(store);
      await store.deployments.delete('weekly');
      expect(await runsOf(store, 'weekly')).toEqual([]);
    });

    test('stays when its tick has come, or somebody has begun with it', async () => {
      await deploy(store, 'come', now());
      await deploy(store, 'begun', now() + 900);
      await claimTicks(store);
      await takeRun(store, (await runsOf(store, 'begun'))[0]?.id ?? '');
      for (const name of ['come', 'begun']) await store.deployments.pause(name, null, now());
      expect(await runsOf(store, 'come')).toHaveLength(1);
      expect(await runsOf(store, 'begun')).toHaveLength(1);
    });
  });
});
