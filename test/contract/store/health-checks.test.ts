/** What the checks of the fleet say, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { FleetReader } from '../../../src/monitor/fleet-figures.ts';
import { clockCheck, databaseCheck, queuesCheck, schedulesCheck, versionsCheck } from '../../../src/monitor/health/fleet-checks.ts';
import { Health, type HealthCheck } from '../../../src/monitor/health/health.ts';
import type { Store } from '../../../src/store/store.ts';
import { makers, type Place } from './makers.ts';
import { newRun, owner } from './rows.ts';
import { deploy, now } from './ticking.ts';

describe.each(makers)('health on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  const look = async (check: HealthCheck) => (await new Health([check], systemClock).read()).checks[0];

  test('the database is healthy while it answers, and unhealthy with what to do once it does not', async () => {
    expect(await look(databaseCheck(store, systemClock))).toMatchObject({ name: 'database', status: 'healthy', mend: null });
    await store.close();
    expect(await look(databaseCheck(store, systemClock))).toMatchObject({ status: 'unhealthy', mend: expect.stringContaining('doctor') });
  });

  test.each([
    ['healthy', -60_000],
    ['healthy', 5_000],
    ['degraded', 20_000],
    ['unhealthy', 120_000],
  ])('schedules are %s with a tick that has been due for %d ms', async (status, ms) => {
    await deploy(store, 'nightly', now() - ms);
    expect(await look(schedulesCheck(store))).toMatchObject({ status });
  });

  test('queues in which runs wait that nobody serves are named, with the command that serves them', async () => {
    const beat = { id: 'w', name: 'w', version: '1', host: 'h', pid: 1, concurrency: 1, flows: {}, startedAt: now(), running: 0, lagMs: 0 };
    await store.workers.beat({ ...beat, queues: ['default'] });
    const fleet = (): FleetReader => new FleetReader({ store, clock: systemClock, leaseMs: 60_000 });
    await store.fleet.insertMany([{ run: newRun({ queue: 'default' }), idempotencyKey: null }]);
    expect(await look(queuesCheck(fleet()))).toMatchObject({ status: 'healthy', found: '1 worker, 1 run waits' });
    await store.fleet.insertMany([{ run: newRun({ queue: 'slow' }), idempotencyKey: null }]);
    expect(await look(queuesCheck(fleet()))).toMatchObject({
      status: 'degraded',
      found: expect.stringContaining('nobody serves slow (1 wait)'),
      mend: 'Start a worker: npx batuta worker --queue slow',
    });
  });

  test('versions to which runs are pinned and that no living worker has are named, with what to do', async () => {
    const check = async () => look(versionsCheck(store, new FleetReader({ store, clock: systemClock, leaseMs: 60_000 })));
    expect(await check()).toMatchObject({ status: 'healthy', found: 'no run under way is pinned to a version' });
    for (const version of ['v1', 'v1', 'v2']) {
      const run = newRun({ flow: 'sync' });
      await store.recorder.addRun(run, owner, 60_000);
      const claim = { runId: run.id, epoch: 1, owner };
      await store.pins.pin(claim, { flow: 'sync', version }, { flow: 'sync', version }, 1);
      await store.recorder.addRunPatch(claim, { startedAt: 1, flowVersion: version }, null);
    }
    const beat = {
      name: 'w',
      version: '1',
      host: 'h',
      pid: 1,
      queues: ['default'],
      concurrency: 1,
      startedAt: now(),
      running: 0,
      lagMs: 0,
    };
    await store.workers.beat({ ...beat, id: 'new', flows: { sync: 'v2' } });
    expect(await check()).toMatchObject({
      status: 'degraded',
      found: 'pinned to versions that no worker has: sync v1 (2 runs)',
      mend: expect.stringContaining('runs unpin --flow sync --pinned v1'),
    });
    await store.workers.beat({ ...beat, id: 'old', flows: { sync: 'v1' } });
    expect(await check()).toMatchObject({ status: 'healthy', found: '3 runs pinned, all to versions that workers have' });
  });

  test('a clock that is apart from that of the database is told; on SQLite they are one', async () => {
    const apart = (ms: number) => ({ ...systemClock, now: () => Date.now() + ms });
    const found = await Promise.all([0, 10_000, -120_000].map((ms) => look(clockCheck(store, apart(ms)))));
    expect(found.map((one) => one?.status)).toEqual(
      store.dialect === 'sqlite' ? ['healthy', 'healthy', 'healthy'] : ['healthy', 'degraded', 'unhealthy'],
    );
  });
});
