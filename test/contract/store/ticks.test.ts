/** Ticks of schedules that become runs, over both makers, decided about as the scheduler does. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { makeId } from '../../../src/base/id.ts';
import type { Deployment, Overlap } from '../../../src/model/deployment.ts';
import type { Run } from '../../../src/model/run.ts';
import { parseSchedule, type Schedule } from '../../../src/model/schedule.ts';
import { stateOf } from '../../../src/model/state.ts';
import { missedAfterMs } from '../../../src/model/ticks.ts';
import type { ClaimTicksReport, Store } from '../../../src/store/store.ts';
import { planTicks } from '../../../scheduler/plan-ticks.ts';
import { deploymentNamed, scheduleOf } from '../../support/deployments.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { endRun, leaseMs, newRun, ownerNamed } from './rows.ts';

const hourMs = 3_600_000;
/** Longer than the scheduler's own, so that a busy machine meets the ticks before they come. */
const lookAheadMs = 60_000;
const worker = ownerNamed('worker');

/** Ticks at the instant and every so often before and after it. */
const ticking = (at: number, everyMs = hourMs): Schedule => ({
  kind: 'interval',
  every: { ms: everyMs },
  anchor: at,
  timezone: 'UTC',
  start: null,
  end: null,
});

describe.each(makers)('ticks on $name', (maker) => {
  let here: Place;
  let store: Store;
  const now = (): number => systemClock.now();
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  /** A deployment with a schedule whose first tick no run stands for is `nextTickAt`. */
  async function deploy(name: string, nextTickAt: number, changes: Partial<Deployment> = {}, everyMs = hourMs): Promise<string> {
    const schedule = scheduleOf(name, { schedule: ticking(nextTickAt, everyMs), nextTickAt });
    await store.deployments.put([{ deployment: deploymentNamed(name, changes), schedules: [schedule], graph: null, spec: {} }]);
    return schedule.id;
  }

  function claim(from = store, limit = 1_000): Promise<ClaimTicksReport> {
    const onError = (error: unknown): never => {
      throw error;
    };
    return from.ticks.claim({ limit, lookAheadMs, missedAfterMs }, (due, at, open) =>
      planTicks(due, at, at, open, { makeId, random: () => 0.5, lookAheadMs, maxRuns: 1_000, onError }),
    );
  }

  async function runsOf(deployment: string): Promise<readonly Run[]> {
    const { items } = await store.runs.list({ deployment, limit: 1_000 });
    return items.toSorted((a, b) => (a.scheduledFor ?? 0) - (b.scheduledFor ?? 0) || (a.id < b.id ? -1 : 1));
  }

  const nextOf = async (name: string): Promise<number | null> => (await store.deployments.get(name))?.schedules[0]?.nextTickAt ?? null;

  /** Takes the only run of a deployment that may start, as a worker does. */
  async function start(id: string): Promise<{ readonly runId: string; readonly epoch: number }> {
    const run = (await store.fleet.claimMany([id], worker, leaseMs)).get(id);
    expect(run).toBeDefined();
    return { runId: id, epoch: run?.epoch ?? 0 };
  }

  describe('a tick that is due', () => {
    test('becomes a run of its deployment, with a ticket for its instant', async () => {
      const tick = now() + 30_000;
      const id = await deploy('nightly', tick, {
        queue: 'slow',
        priority: 7,
        params: '{"json":{"region":"eu"}}',
        runName: 'sales of {region}',
      });
      const { waiting, schedules, held, dropped } = await claim();
      const [run] = await runsOf('nightly');
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
      expect(await nextOf('nightly')).toBe(tick + hourMs);
      expect(await claim()).toMatchObject({ schedules: 0, waiting: [] });
    });

    test('takes the parameters of its schedule before those of the deployment, and its limit on runs', async () => {
      const tick = now();
      const changes = { concurrency: { limit: 1, key: '{region}', onConflict: 'queue' } } as const;
      const schedule = scheduleOf('nightly', { schedule: ticking(tick), nextTickAt: tick, params: '{"json":{"region":"us"}}' });
      await store.deployments.put([{ deployment: deploymentNamed('nightly', changes), schedules: [schedule], graph: null, spec: {} }]);
      await claim();
      expect(await runsOf('nightly')).toMatchObject([{ params: '{"json":{"region":"us"}}', concurrencyKey: 'deployment:nightly:us' }]);
    });

    test('starts later by the jitter of its schedule, which all schedulers know', async () => {
      const tick = now();
      const schedule = scheduleOf('spread', { schedule: ticking(tick), nextTickAt: tick, jitterMs: 60_000 });
      await store.deployments.put([{ deployment: deploymentNamed('spread'), schedules: [schedule], graph: null, spec: {} }]);
      const { waiting } = await claim();
      const [run] = await runsOf('spread');
      expect(run?.scheduledFor).toBe(tick);
      expect(run?.dueAt).toBeGreaterThanOrEqual(tick);
      expect(run?.dueAt).toBeLessThanOrEqual(tick + 60_000);
      expect(waiting[0]?.dueAt).toBe(run?.dueAt);
    });

    test('makes no run when its deployment or schedule is paused, nor when it is not near yet', async () => {
      await deploy('paused', now());
      await deploy('later', now() + 600_000);
      await store.deployments.pause('paused', null, now());
      expect(await claim()).toMatchObject({ schedules: 0 });
      expect((await store.runs.list({})).items).toEqual([]);
    });

    test('of a schedule that has ended is the last', async () => {
      const tick = now();
      const schedule = scheduleOf('once', { schedule: { ...ticking(tick), end: tick + 1 }, nextTickAt: tick });
      await store.deployments.put([{ deployment: deploymentNamed('once'), schedules: [schedule], graph: null, spec: {} }]);
      await claim();
      expect(await runsOf('once')).toHaveLength(1);
      expect(await nextOf('once')).toBeNull();
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
      const reports = await Promise.all(stores.map((from) => claim(from, 400)));
      reports.push(await claim());
      const made = reports.flatMap(({ waiting }) => waiting.map(({ id }) => id));
      expect(made).toHaveLength(1_000);
      expect(new Set(made).size).toBe(1_000);
    });

    test('of which a run is there already stays with that run', async () => {
      const tick = now();
      const id = await deploy('nightly', tick);
      await store.fleet.insertMany([
        { run: newRun({ state: stateOf('SCHEDULED'), deployment: 'nightly', scheduleId: id, scheduledFor: tick }), idempotencyKey: null },
      ]);
      expect(await claim()).toMatchObject({ schedules: 1, waiting: [] });
      expect(await runsOf('nightly')).toHaveLength(1);
      expect(await nextOf('nightly')).toBe(tick + hourMs);
    });

    test('one that cannot be decided about does not hold up the others, and ticks no more', async () => {
      await deploy('broken', now());
      await deploy('sound', now());
      const errors: string[] = [];
      const onError = (_: unknown, { deployment }: { readonly deployment: { readonly name: string } }): void =>
        void errors.push(deployment.name);
      await store.ticks.claim({ limit: 10, lookAheadMs, missedAfterMs }, (due, at, open) => {
        const spoilt = due.map((one) =>
          one.deployment.name === 'broken'
            ? { ...one, schedule: { ...one.schedule, schedule: { ...parseSchedule({ cron: '* * * * *' }), timezone: 'Nowhere' } } }
            : one,
        );
        return planTicks(spoilt, at, at, open, { makeId, random: () => 0.5, lookAheadMs, maxRuns: 1_000, onError });
      });
      expect(errors).toEqual(['broken']);
      expect(await runsOf('sound')).toHaveLength(1);
      expect(await nextOf('broken')).toBeNull();
    });
  });

  describe('a run that was made ahead of its tick', () => {
    const later = async (): Promise<number> => {
      const tick = now() + 30_000;
      await deploy('nightly', tick);
      await claim();
      expect(await runsOf('nightly')).toHaveLength(1);
      return tick;
    };

    test('is taken back when its deployment or schedule is paused, and made again when that is resumed in time', async () => {
      const tick = await later();
      await store.deployments.pause('nightly', null, now());
      expect(await runsOf('nightly')).toEqual([]);
      await store.deployments.resume('nightly', null, now());
      await claim();
      expect(await runsOf('nightly')).toMatchObject([{ scheduledFor: tick }]);
      await store.deployments.pause('nightly', 'cron', now());
      expect(await runsOf('nightly')).toEqual([]);
    });

    test('is taken back with its deployment, and when its schedule says otherwise', async () => {
      await later();
      const stored = await store.deployments.get('nightly');
      if (stored === null) throw new Error('It was stored.');
      const { schedules, ...deployment } = stored;
      const same = { deployment: { ...deployment, version: 2, queue: 'slow' }, schedules, graph: null, spec: {} };
      await store.deployments.put([same]);
      expect(await runsOf('nightly')).toHaveLength(1);
      const other = schedules.map((schedule) => ({ ...schedule, schedule: ticking(now() + hourMs) }));
      await store.deployments.put([{ ...same, deployment: { ...deployment, version: 3 }, schedules: other }]);
      expect(await runsOf('nightly')).toEqual([]);
      await deploy('weekly', now() + 30_000);
      await claim();
      await store.deployments.delete('weekly');
      expect(await runsOf('weekly')).toEqual([]);
    });

    test('stays when its tick has come, or somebody has begun with it', async () => {
      await deploy('come', now());
      await deploy('begun', now() + 900);
      await claim();
      await start((await runsOf('begun'))[0]?.id ?? '');
      for (const name of ['come', 'begun']) await store.deployments.pause(name, null, now());
      expect(await runsOf('come')).toHaveLength(1);
      expect(await runsOf('begun')).toHaveLength(1);
    });
  });

  describe('ticks that were missed', () => {
    test('leave one row that is Skipped and says how many there were, and the run of the newest', async () => {
      const missed = now() - 10 * hourMs - 60_000;
      await deploy('nightly', missed);
      expect(await claim()).toMatchObject({ dropped: 1, waiting: [{ epoch: 0 }] });
      const [skipped, made] = await runsOf('nightly');
      expect(skipped).toMatchObject({
        scheduledFor: missed + 9 * hourMs,
        endedAt: expect.any(Number),
        state: { type: 'CANCELLED', name: 'Skipped', message: expect.stringMatching(/^10 ticks from .* were missed .*'latest'/) },
      });
      expect(made).toMatchObject({
        scheduledFor: missed + 10 * hourMs,
        state: { type: 'SCHEDULED', message: expect.stringContaining('missed') },
      });
      expect(await store.transitions.ofRun(skipped?.id ?? '')).toMatchObject([{ name: 'Skipped' }]);
      expect(await nextOf('nightly')).toBe(missed + 11 * hourMs);
    });

    test('come after those on time, so that making up holds up no tick of now', async () => {
      for (const at of [1, 2, 3]) await deploy(`old-${at}`, now() - hourMs / 2, { catchup: 'all' });
      await deploy('timely', now() + 1_000);
      await claim(store, 1);
      expect(await runsOf('timely')).toHaveLength(1);
    });

    test('are all made up within the window, in parts', async () => {
      const missed = now() - 1_500_000;
      await deploy('often', missed, { catchup: 'all', catchupWindowMs: hourMs }, 1_000);
      const report = await claim();
      expect(report.waiting).toHaveLength(1_000);
      await claim();
      const { items } = await store.runs.list({ deployment: 'often', limit: 1_000 });
      expect(items).toHaveLength(1_000);
      expect(await nextOf('often')).toBeGreaterThan(now());
    });
  });

  describe('runs that would overlap', () => {
    /** A deployment that ticked an hour ago, whose run is being executed, and that ticks now. */
    async function running(overlap: Overlap): Promise<{ readonly runId: string; readonly epoch: number }> {
      const tick = now() - hourMs;
      await deploy('sync', tick, { overlap, catchup: 'all', catchupWindowMs: 2 * hourMs });
      // Of the two ticks the first alone.
      await store.ticks.claim({ limit: 1, lookAheadMs, missedAfterMs }, (due, at, open) => {
        const [plan] = planTicks(due, at, at, open, { makeId, random: () => 0.5, lookAheadMs, maxRuns: 1, onError: () => undefined });
        return [plan ?? { runs: [], nextTickAt: null }];
      });
      const [run] = await runsOf('sync');
      return await start(run?.id ?? '');
    }

    test('are made on the tick, not before it, so that what ends just before counts as ended', async () => {
      await deploy('sync', now() + 30_000, { overlap: 'skip' });
      expect(await claim()).toMatchObject({ schedules: 0 });
      const turn = await store.ticks.nextTurn({ lookAheadMs, withinMs: 1_000 });
      expect(turn.at).toBeGreaterThan(turn.now);
    });

    test(`'skip' drops the tick, and its row names the run`, async () => {
      const claimed = await running('skip');
      expect(await claim()).toMatchObject({ dropped: 1, held: 0, waiting: [] });
      expect((await runsOf('sync'))[1]?.state).toMatchObject({ name: 'Skipped', message: expect.stringContaining("overlap 'skip'") });
      await endRun(store, claimed);
      expect(await store.ticks.release(null)).toEqual([]);
    });

    test(`'buffer-all' lets the run wait, nobody gets it meanwhile, and it is let go once the other has ended`, async () => {
      const claimed = await running('buffer-all');
      expect(await claim()).toMatchObject({ held: 1, dropped: 0, waiting: [] });
      const held = (await runsOf('sync'))[1];
      expect(held?.state).toMatchObject({ name: 'Scheduled', message: expect.stringMatching(/^Waits until the run /) });
      expect((await store.fleet.claimMany([held?.id ?? ''], worker, leaseMs)).size).toBe(0);
      expect(await store.fleet.dueUnticketed({ ticketedBeforeMs: 0, limit: 10 })).toEqual([]);
      expect(await store.ticks.release(null)).toEqual([]);
      await endRun(store, claimed);
      expect(await store.ticks.release(['another'])).toEqual([]);
      expect(await store.ticks.release(['sync'])).toMatchObject([{ id: held?.id, epoch: 0 }]);
      expect(await store.ticks.release(['sync'])).toEqual([]);
      await start(held?.id ?? '');
      expect(await store.transitions.ofRun(held?.id ?? '')).toMatchObject([{}, { message: 'The runs before it have ended.' }]);
    });

    test(`'buffer-one' lets one wait and drops the others`, async () => {
      const tick = now() - 3 * hourMs;
      await deploy('sync', tick, { overlap: 'buffer-one', catchup: 'all', catchupWindowMs: 5 * hourMs });
      expect(await claim()).toMatchObject({ held: 1, dropped: 2, waiting: [{}] });
      expect((await runsOf('sync')).map(({ state }) => state.name)).toEqual(['Scheduled', 'Scheduled', 'Skipped', 'Skipped']);
    });

    test('are let go one after the other, the oldest first, however many look', async () => {
      const tick = now() - 4 * hourMs;
      await deploy('sync', tick, { overlap: 'buffer-all', catchup: 'all', catchupWindowMs: 5 * hourMs });
      const { waiting } = await claim();
      const stores = [store, await here.open(), await here.open()];
      const order: (number | null)[] = [];
      for (let next = waiting; next.length > 0; ) {
        const [run] = next;
        order.push((await store.runs.get(run?.id ?? ''))?.scheduledFor ?? null);
        await endRun(store, await start(run?.id ?? ''));
        next = (await Promise.all(stores.map((from) => from.ticks.release(null)))).flat();
        expect(next.length).toBeLessThanOrEqual(1);
      }
      expect(order).toEqual([0, 1, 2, 3, 4].map((hour) => tick + hour * hourMs));
    });

    test(`'cancel-running' names the runs whose place is taken until their cancel is asked for`, async () => {
      const claimed = await running('cancel-running');
      expect(await claim()).toMatchObject({ held: 1 });
      expect(await store.ticks.overtaken()).toEqual([claimed.runId]);
      await store.runs.requestCancel(claimed.runId, now(), 'A later tick took its place.');
      expect(await store.ticks.overtaken()).toEqual([]);
      expect(await store.ticks.release(null)).toEqual([]);
    });

    test('runs that people started do not count', async () => {
      const run = newRun({ state: stateOf('SCHEDULED'), deployment: 'sync' });
      await store.fleet.insertMany([{ run, idempotencyKey: null }]);
      await deploy('sync', now(), { overlap: 'skip' });
      expect(await claim()).toMatchObject({ dropped: 0, waiting: [{}] });
    });

    test('two schedules of one deployment that tick together do not both start, whoever looks', async () => {
      const tick = now();
      const schedules = ['a', 'b', 'c'].map((slug) => scheduleOf('sync', { slug, schedule: ticking(tick), nextTickAt: tick }));
      await store.deployments.put([{ deployment: deploymentNamed('sync', { overlap: 'skip' }), schedules, graph: null, spec: {} }]);
      const stores = [store, await here.open(), await here.open()];
      await Promise.all(stores.map((from) => claim(from, 1)));
      await claim();
      expect((await runsOf('sync')).map(({ state }) => state.name).toSorted()).toEqual(['Scheduled', 'Skipped', 'Skipped']);
    });

    test('one that was cancelled while it waited, and is opened again, waits no more', async () => {
      await running('buffer-all');
      await claim();
      const held = (await runsOf('sync'))[1]?.id ?? '';
      expect(await store.runs.requestCancel(held, now(), 'Not wanted.')).toBe('CANCELLED');
      await store.runs.reopen(held, now());
      await start(held);
    });
  });

  describe('runs that nobody takes', () => {
    test('are marked Late once, keep what their message says, and are executed all the same', async () => {
      const rows = [
        newRun({ state: stateOf('SCHEDULED'), dueAt: now() - 20_000 }),
        newRun({ state: stateOf('SCHEDULED', 'Scheduled', 'Waits for a worker that knows the flow.'), dueAt: now() - 20_000 }),
        newRun({ state: stateOf('SCHEDULED'), dueAt: now() - 5_000 }),
        newRun({ state: stateOf('SCHEDULED', 'AwaitingRetry'), dueAt: now() - 20_000 }),
        newRun({ state: stateOf('SCHEDULED') }),
      ];
      await store.fleet.insertMany(rows.map((run) => ({ run, idempotencyKey: null })));
      const [late, told] = rows.map(({ id }) => id);
      expect((await store.ticks.markLate({ lateAfterMs: 15_000, limit: 10 })).toSorted()).toEqual([late, told].toSorted());
      expect(await store.ticks.markLate({ lateAfterMs: 15_000, limit: 10 })).toEqual([]);
      expect((await store.runs.get(late ?? ''))?.state).toEqual(stateOf('SCHEDULED', 'Late', 'No worker has taken it in time.'));
      expect((await store.runs.get(told ?? ''))?.state).toEqual(stateOf('SCHEDULED', 'Late', 'Waits for a worker that knows the flow.'));
      expect(await store.transitions.ofRun(late ?? '')).toMatchObject([{ name: 'Scheduled' }, { name: 'Late' }]);
      await start(late ?? '');
    });
  });

  describe('what is kept', () => {
    test('runs of a deployment are deleted when it says so, all others when the settings do', async () => {
      const endedAgo = async (ms: number, deployment: string | null): Promise<string> => {
        const run = newRun({ state: stateOf('SCHEDULED'), deployment, createdAt: now() - ms });
        await store.fleet.insertMany([{ run, idempotencyKey: null }]);
        await endRun(store, await start(run.id), 'COMPLETED', now() - ms);
        return run.id;
      };
      await deploy('short', now() + hourMs, { retentionMs: hourMs });
      await deploy('long', now() + hourMs, { retentionMs: Number.MAX_SAFE_INTEGER });
      await deploy('plain', now() + hourMs);
      const gone = [await endedAgo(2 * hourMs, 'short'), await endedAgo(20 * hourMs, 'plain'), await endedAgo(20 * hourMs, null)];
      const kept = [await endedAgo(hourMs / 2, 'short'), await endedAgo(20 * hourMs, 'long'), await endedAgo(2 * hourMs, 'plain')];
      expect(await store.expire({ now: now(), keepMs: null })).toMatchObject({ runs: 1 });
      expect(await store.expire({ now: now(), keepMs: 10 * hourMs })).toMatchObject({ runs: 2 });
      for (const id of gone) expect(await store.runs.get(id)).toBeNull();
      for (const id of kept) expect(await store.runs.get(id)).not.toBeNull();
    });
  });
});
