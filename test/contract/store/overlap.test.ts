/** Ticks of a deployment whose earlier run goes on, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Overlap } from '../../../src/model/deployment.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { Claim, Store } from '../../../src/store/store.ts';
import { deploymentNamed, scheduleOf } from '../../support/deployments.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { endRun, leaseMs, newRun } from './rows.ts';
import { claimTicks, deploy, hourMs, lookAheadMs, now, runsOf, takeRun, ticking, worker } from './ticking.ts';

describe.each(makers)('ticks on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  describe('runs that would overlap', () => {
    /** A deployment that ticked an hour ago, whose run is being executed, and that ticks now. */
    async function running(overlap: Overlap): Promise<Claim> {
      const tick = now() - hourMs;
      await deploy(store, 'sync', tick, { overlap, catchup: 'all', catchupWindowMs: 2 * hourMs });
      // Of the two ticks the first alone.
      await claimTicks(store, 1, 1);
      const [run] = await runsOf(store, 'sync');
      return await takeRun(store, run?.id ?? '');
    }

    test('are made on the tick, not before it, so that what ends just before counts as ended', async () => {
      await deploy(store, 'sync', now() + 30_000, { overlap: 'skip' });
      expect(await claimTicks(store)).toMatchObject({ schedules: 0 });
      const turn = await store.ticks.nextTurn({ lookAheadMs, withinMs: 1_000 });
      expect(turn.at).toBeGreaterThan(turn.now);
    });

    test(`'skip' drops the tick, and its row names the run`, async () => {
      const claimed = await running('skip');
      expect(await claimTicks(store)).toMatchObject({ dropped: 1, held: 0, waiting: [] });
      expect((await runsOf(store, 'sync'))[1]?.state).toMatchObject({
        name: 'Skipped',
        message: expect.stringContaining("overlap 'skip'"),
      });
      await endRun(store, claimed);
      expect(await store.ticks.release(null)).toEqual([]);
    });

    test(`'buffer-all' lets the run wait, nobody gets it meanwhile, and it is let go once the other has ended`, async () => {
      const claimed = await running('buffer-all');
      expect(await claimTicks(store)).toMatchObject({ held: 1, dropped: 0, waiting: [] });
      const held = (await runsOf(store, 'sync'))[1];
      expect(held?.state).toMatchObject({ name: 'Scheduled', message: expect.stringMatching(/^Waits until the run /) });
      expect((await store.fleet.claimMany([held?.id ?? ''], worker, leaseMs)).size).toBe(0);
      expect(await store.fleet.dueUnticketed({ ticketedBeforeMs: 0, limit: 10 })).toEqual([]);
      expect(await store.ticks.release(null)).toEqual([]);
      await endRun(store, claimed);
      expect(await store.ticks.release(['another'])).toEqual([]);
      expect(await store.ticks.release(['sync'])).toMatchObject([{ id: held?.id, epoch: 0 }]);
      expect(await store.ticks.release(['sync'])).toEqual([]);
      await takeRun(store, held?.id ?? '');
      expect(await store.transitions.ofRun(held?.id ?? '')).toMatchObject([{}, { message: 'The runs before it have ended.' }]);
    });

    test(`'buffer-one' lets one wait and drops the others`, async () => {
      const tick = now() - 3 * hourMs;
      await deploy(store, 'sync', tick, { overlap: 'buffer-one', catchup: 'all', catchupWindowMs: 5 * hourMs });
      expect(await claimTicks(store)).toMatchObject({ held: 1, dropped: 2, waiting: [{}] });
      expect((await runsOf(store, 'sync')).map(({ state }) => state.name)).toEqual(['Scheduled', 'Scheduled', 'Skipped', 'Skipped']);
    });

    test('are let go one after the other, the oldest first, however many look', async () => {
      const tick = now() - 4 * hourMs;
      await deploy(store, 'sync', tick, { overlap: 'buffer-all', catchup: 'all', catchupWindowMs: 5 * hourMs });
      const { waiting } = await claimTicks(store);
      const stores = [store, await here.open(), await here.open()];
      const order: (number | null)[] = [];
      for (let next = waiting; next.length > 0; ) {
        const [run] = next;
        order.push((await store.runs.get(run?.id ?? ''))?.scheduledFor ?? null);
        await endRun(store, await takeRun(store, run?.id ?? ''));
        next = (await Promise.all(stores.map((from) => from.ticks.release(null)))).flat();
        expect(next.length).toBeLessThanOrEqual(1);
      }
      expect(order).toEqual([0, 1, 2, 3, 4].map((hour) => tick + hour * hourMs));
    });

    test(`'cancel-running' names the runs whose place is taken until their cancel is asked for`, async () => {
      const claimed = await running('cancel-running');
      expect(await claimTicks(store)).toMatchObject({ held: 1 });
      expect(await store.ticks.overtaken()).toEqual([claimed.runId]);
      await store.runs.requestCancel(claimed.runId, now(), 'A later tick took its place.');
      expect(await store.ticks.overtaken()).toEqual([]);
      expect(await store.ticks.release(null)).toEqual([]);
    });

    test('a pause of the deployment keeps those that wait, and cancels nothing for them; they go on once it is resumed', async () => {
      const claimed = await running('cancel-running');
      await claimTicks(store);
      const held = (await runsOf(store, 'sync'))[1]?.id ?? '';
      await store.deployments.pause('sync', null, now());
      expect(await store.ticks.overtaken()).toEqual([]);
      const earlier = { id: claimed.runId, name: expect.any(String), scheduledFor: expect.any(Number) };
      expect(await store.fleet.placeInLine(held)).toMatchObject({ isHeld: true, behind: { first: earlier, count: 1 } });
      await endRun(store, claimed);
      expect(await store.ticks.release(null)).toEqual([]);
      expect(await store.fleet.placeInLine(held)).toMatchObject({ isHeld: true, behind: null });
      await store.deployments.resume('sync', null, now());
      expect(await store.ticks.release(['sync'])).toMatchObject([{ id: held }]);
      expect(await store.fleet.placeInLine(held)).toMatchObject({ isHeld: false, behind: null });
    });

    test.each(['buffer-one', 'buffer-all', 'cancel-running'] as const)(
      'a pause of one schedule keeps its runs that wait by %s, and cancels nothing for them; they go on once it is resumed',
      async (overlap) => {
        const claimed = await running(overlap);
        await claimTicks(store);
        const held = (await runsOf(store, 'sync'))[1]?.id ?? '';
        expect(await store.deployments.pause('sync', 'cron', now())).toBe(true);
        expect(await store.ticks.overtaken()).toEqual([]);
        await endRun(store, claimed);
        expect(await store.ticks.release(null)).toEqual([]);
        expect(await store.ticks.release(['sync'])).toEqual([]);
        expect((await store.fleet.claimMany([held], worker, leaseMs)).size).toBe(0);
        expect(await store.fleet.placeInLine(held)).toMatchObject({ isHeld: true, behind: null });
        await store.deployments.resume('sync', 'cron', now());
        expect(await store.ticks.release(['sync'])).toMatchObject([{ id: held }]);
      },
    );

    /** A deployment whose schedule `slow` has a run at work and one that waits, is paused, and has another schedule, `other`. */
    async function pausedBesideAnother(overlap: Overlap): Promise<{ claimed: Claim; held: string; tickOther: () => Promise<void> }> {
      const tick = now() - hourMs;
      const slow = scheduleOf('sync', { slug: 'slow', schedule: ticking(tick), nextTickAt: tick });
      const other = scheduleOf('sync', { slug: 'other', schedule: ticking(now() + hourMs), nextTickAt: now() + hourMs });
      const deployment = deploymentNamed('sync', { overlap, catchup: 'all', catchupWindowMs: 2 * hourMs });
      await store.deployments.put([{ deployment, schedules: [slow, other], graph: null, spec: {} }]);
      await claimTicks(store);
      const [first, second] = await runsOf(store, 'sync');
      const claimed = await takeRun(store, first?.id ?? '');
      await store.deployments.pause('sync', 'slow', now());
      const tickOther = async (): Promise<void> => {
        const soon = now();
        const moved = { ...other, schedule: ticking(soon), nextTickAt: soon };
        await store.deployments.put([{ deployment: { ...deployment, version: 2 }, schedules: [slow, moved], graph: null, spec: {} }]);
        await claimTicks(store);
      };
      return { claimed, held: second?.id ?? '', tickOther };
    }

    test.each(['buffer-one', 'buffer-all', 'cancel-running'] as const)(
      'those that a paused schedule keeps hold up no other schedule of the deployment, by %s',
      async (overlap) => {
        const { claimed, held, tickOther } = await pausedBesideAnother(overlap);
        await tickOther();
        const other = (await runsOf(store, 'sync')).find(({ id }) => id !== claimed.runId && id !== held);
        expect(other?.state).toMatchObject({ name: 'Scheduled', message: expect.stringMatching(/^Waits until the run /) });
        expect(await store.ticks.overtaken()).toEqual(overlap === 'cancel-running' ? [claimed.runId] : []);
        expect(await store.fleet.placeInLine(other?.id ?? '')).toMatchObject({ behind: { first: { id: claimed.runId }, count: 1 } });
        await endRun(store, claimed);
        expect(await store.ticks.release(null)).toMatchObject([{ id: other?.id }]);
        await store.deployments.resume('sync', 'slow', now());
        expect(await store.ticks.release(null)).toEqual([]);
        await endRun(store, await takeRun(store, other?.id ?? ''));
        expect(await store.ticks.release(null)).toMatchObject([{ id: held }]);
      },
    );

    test('a tick of another schedule starts at once when all that is open is what a paused schedule keeps', async () => {
      const { claimed, held, tickOther } = await pausedBesideAnother('buffer-one');
      await endRun(store, claimed);
      await tickOther();
      const other = (await runsOf(store, 'sync')).find(({ id }) => id !== claimed.runId && id !== held);
      await takeRun(store, other?.id ?? '');
    });

    test('those of a schedule that is taken away while it is paused go on', async () => {
      const { claimed, held } = await pausedBesideAnother('buffer-all');
      await store.deployments.put([{ deployment: deploymentNamed('sync', { version: 2 }), schedules: [], graph: null, spec: {} }]);
      await endRun(store, claimed);
      expect(await store.ticks.release(null)).toMatchObject([{ id: held }]);
    });

    test('those of a deployment that is deleted while it is paused go on', async () => {
      const claimed = await running('buffer-all');
      await claimTicks(store);
      await store.deployments.pause('sync', null, now());
      await store.deployments.delete('sync');
      await endRun(store, claimed);
      expect(await store.ticks.release(null)).toHaveLength(1);
    });

    test('runs that people started do not count', async () => {
      const run = newRun({ state: stateOf('SCHEDULED'), deployment: 'sync' });
      await store.fleet.insertMany([{ run, idempotencyKey: null }]);
      await deploy(store, 'sync', now(), { overlap: 'skip' });
      expect(await claimTicks(store)).toMatchObject({ dropped: 0, waiting: [{}] });
    });

    test('two schedules of one deployment that tick together do not both start, whoever looks', async () => {
      const tick = now();
      const schedules = ['a', 'b', 'c'].map((slug) => scheduleOf('sync', { slug, schedule: ticking(tick), nextTickAt: tick }));
      await store.deployments.put([{ deployment: deploymentNamed('sync', { overlap: 'skip' }), schedules, graph: null, spec: {} }]);
      const stores = [store, await here.open(), await here.open()];
      await Promise.all(stores.map((from) => claimTicks(from, 1)));
      await claimTicks(store);
      expect((await runsOf(store, 'sync')).map(({ state }) => state.name).toSorted()).toEqual(['Scheduled', 'Skipped', 'Skipped']);
    });

    test('one that was cancelled while it waited, and is opened again, waits no more', async () => {
      await running('buffer-all');
      await claimTicks(store);
      const held = (await runsOf(store, 'sync'))[1]?.id ?? '';
      expect(await store.runs.requestCancel(held, now(), 'Not wanted.')).toBe('CANCELLED');
      await store.runs.reopen(held, now());
      await takeRun(store, held);
    });
  });
});
