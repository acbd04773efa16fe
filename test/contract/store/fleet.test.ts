/** What a fleet asks of the store, over both makers: waiting runs, lost owners, workers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeId } from '../../../src/base/id.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { NewRun, Store, WaitingRun, WorkerRow } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { endRun, leaseMs, newRun, owner, ownerNamed, startRun, startedAt, taskRun, transitionOf } from './rows.ts';

const waiting = (changes: Partial<NewRun> = {}, idempotencyKey: string | null = null): WaitingRun => ({
  run: newRun({ state: stateOf('SCHEDULED'), ...changes }),
  idempotencyKey,
});
const reclaiming = { limit: 100, maxRecoveries: 3, goneOwners: [] };

describe.each(makers)('the fleet on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  async function insert(changes: Partial<NewRun> = {}, key: string | null = null): Promise<string> {
    const [placed] = await store.fleet.insertMany([waiting(changes, key)]);
    return placed?.id ?? '';
  }

  describe('waiting runs', () => {
    test('three thousand runs are inserted in one call, each with its first transition', async () => {
      const rows = Array.from({ length: 3_000 }, (_, index) => waiting({ name: `run-${index}`, queue: 'bulk', priority: index % 3 }));
      const placed = await store.fleet.insertMany(rows);
      expect(placed).toEqual(rows.map(({ run }) => ({ id: run.id, inserted: true })));
      const last = rows.at(-1)?.run.id ?? '';
      expect(await store.runs.get(last)).toMatchObject({ name: 'run-2999', queue: 'bulk', priority: 2, epoch: 0, owner: null });
      expect(await store.transitions.ofRun(last)).toMatchObject([{ type: 'SCHEDULED', name: 'Scheduled', owner: null }]);
    });

    test('a run that names no queue is in the default one', async () => {
      expect(await store.runs.get(await insert())).toMatchObject({ queue: 'default', priority: 0 });
    });

    test('the same key of the same flow stands for the same run, of another flow for another', async () => {
      const first = await insert({}, 'january');
      const [again, twin, otherKey, otherFlow] = await store.fleet.insertMany([
        waiting({}, 'january'),
        waiting({}, 'january'),
        waiting({}, 'february'),
        waiting({ flow: 'other' }, 'january'),
      ]);
      expect(again).toEqual({ id: first, inserted: false });
      expect(twin).toEqual({ id: first, inserted: false });
      expect(otherKey).toMatchObject({ inserted: true });
      expect(otherFlow).toMatchObject({ inserted: true });
      expect(new Set([first, otherKey?.id, otherFlow?.id]).size).toBe(3);
    });

    test('of processes that submit one key at once all are told the same run', async () => {
      const other = await here.open();
      const placed = await Promise.all(
        Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? store : other).fleet.insertMany([waiting({}, 'once')])),
      );
      expect(new Set(placed.flat().map(({ id }) => id)).size).toBe(1);
      expect(placed.flat().filter(({ inserted }) => inserted)).toHaveLength(1);
    });

    test('a group is claimed by one statement; what is held, ended, unknown or not due is left out', async () => {
      const [a, b] = [await insert(), await insert()];
      const held = await startRun(store);
      const ended = await startRun(store);
      await endRun(store, ended);
      const later = await insert({ dueAt: systemClock.now() + 60_000 });
      const soon = await insert({ dueAt: systemClock.now() + 500 });
      const [unknown, missing] = [makeId(), [] as string[]];
      const ids = [a, b, a, held.runId, ended.runId, later, soon, unknown, unknown];
      const claimed = await store.fleet.claimMany(ids, ownerNamed('worker'), leaseMs, { missing: (id) => missing.push(id) });
      expect(missing).toEqual([unknown]);
      expect([...claimed.keys()].sort()).toEqual([a, b, soon].sort());
      expect(claimed.get(a)).toMatchObject({ id: a, epoch: 1, recoveries: 0, owner: { id: 'worker' } });
      expect(await store.runs.get(later)).toMatchObject({ epoch: 0, owner: null });
    });

    test('of two workers that claim the same hundred runs each run goes to one', async () => {
      const ids = (await store.fleet.insertMany(Array.from({ length: 100 }, () => waiting()))).map(({ id }) => id);
      const other = await here.open();
      const [mine, theirs] = await Promise.all([
        store.fleet.claimMany(ids, ownerNamed('a'), leaseMs),
        other.fleet.claimMany(ids.toReversed(), ownerNamed('b'), leaseMs),
      ]);
      expect(mine.size + theirs.size).toBe(100);
      expect(ids.filter((id) => mine.has(id) && theirs.has(id))).toEqual([]);
    });

    test('a run whose lease is over is not claimed by a ticket: its lost owner has to be counted first', async () => {
      const run = newRun();
      await store.recorder.addRun(run, owner, 0);
      expect((await store.fleet.claimMany([run.id], ownerNamed('worker'), leaseMs)).size).toBe(0);
    });

    test('runs that are due get another ticket once the last one is old, and once only', async () => {
      const due = await insert({ queue: 'slow', priority: 5 });
      await insert({ dueAt: systemClock.now() + 60_000 });
      await startRun(store);
      expect(await store.fleet.dueUnticketed({ ticketedBeforeMs: 10_000, limit: 10 })).toEqual([]);
      expect(await store.fleet.dueUnticketed({ ticketedBeforeMs: 0, limit: 10 })).toEqual([
        { id: due, epoch: 0, queue: 'slow', priority: 5, dueAt: null },
      ]);
      expect(await store.fleet.dueUnticketed({ ticketedBeforeMs: 10_000, limit: 10 })).toEqual([]);
    });

    test('a run that was given back while it ran is found without a ticket', async () => {
      const claim = await startRun(store);
      await store.runs.release(claim);
      expect(await store.fleet.dueUnticketed({ ticketedBeforeMs: 10_000, limit: 10 })).toMatchObject([{ id: claim.runId, epoch: 1 }]);
    });
  });

  describe('lost owners', () => {
    test('a run whose lease is over waits again, and its owner can write nothing more', async () => {
      const fenced: string[] = [];
      store.recorder.onFenced(({ runId }) => fenced.push(runId));
      const run = newRun({ queue: 'slow' });
      await store.recorder.addRun(run, owner, 0);
      const report = await store.fleet.reclaim(reclaiming);
      expect(report).toEqual({ waiting: [{ id: run.id, epoch: 2, queue: 'slow', priority: 0, dueAt: null }], ended: [], crashed: [] });
      const state = { type: 'SCHEDULED', name: 'Resuming', message: expect.stringContaining(owner.id) };
      expect(await store.runs.get(run.id)).toMatchObject({ state, recoveries: 1, owner: null });
      expect((await store.transitions.ofRun(run.id)).at(-1)).toMatchObject({ name: 'Resuming', owner: null });
      await store.recorder.addRunPatch({ runId: run.id, epoch: 1 }, { state: stateOf('COMPLETED') }, null);
      expect(fenced).toEqual([run.id]);
      expect(await store.fleet.reclaim(reclaiming)).toEqual({ waiting: [], ended: [], crashed: [] });
    });

    test('a lease that holds is left alone, unless its owner is known to be gone', async () => {
      const { runId } = await startRun(store);
      expect((await store.fleet.reclaim(reclaiming)).waiting).toEqual([]);
      expect(await store.fleet.owners()).toEqual([owner]);
      expect((await store.fleet.reclaim({ ...reclaiming, goneOwners: [ownerNamed('another'), owner] })).waiting).toMatchObject([
        { id: runId },
      ]);
      expect(await store.fleet.owners()).toEqual([]);
    });

    test('a run that has lost too many owners crashes with what it had under way, naming them', async () => {
      const { runId } = await startRun(store);
      const row = taskRun(runId, 'flights');
      await store.recorder.addTaskRun({ runId, epoch: 1 }, row, transitionOf(row));
      await store.fleet.reclaim({ ...reclaiming, maxRecoveries: 1, goneOwners: [owner] });
      await store.fleet.claimMany([runId], ownerNamed('second'), 0);
      const report = await store.fleet.reclaim({ ...reclaiming, maxRecoveries: 1 });
      expect(report).toMatchObject({ waiting: [], ended: [{ id: runId }] });
      const run = await store.runs.get(runId);
      expect(run).toMatchObject({ state: { type: 'CRASHED', name: 'Crashed' }, recoveries: 2, owner: null });
      expect(run?.endedAt).toBeGreaterThan(startedAt);
      expect(run?.state.message).toContain(`2 in all: ${owner.id}, second`);
      expect(await store.taskRuns.ofRun(runId)).toMatchObject([{ state: { type: 'CRASHED' } }]);
    });

    describe('the hooks of a run that crashed', () => {
      let runId: string;
      beforeEach(async () => {
        ({ runId } = await startRun(store));
        const { crashed } = await store.fleet.reclaim({ ...reclaiming, maxRecoveries: 0, goneOwners: [owner] });
        expect(crashed).toMatchObject([{ id: runId, epoch: 2, dueAt: null }]);
      });

      test('are owed until one of those who look at the same time takes them', async () => {
        const other = await here.open();
        const run = await store.fleet.owedHooks(runId);
        if (run === null) throw new Error('Hooks are owed.');
        expect(run).toMatchObject({ id: runId, epoch: 2, state: { type: 'CRASHED' } });
        const taken = await Promise.all([store, other].map(({ fleet }) => fleet.takeHooks(run)));
        expect(taken.toSorted()).toEqual([false, true]);
        expect(await store.fleet.owedHooks(runId)).toBeNull();
        expect(await store.fleet.hooksUnticketed({ ticketedBeforeMs: 0, limit: 10 })).toEqual([]);
      });

      test('are ticketed again when the ticket is lost', async () => {
        expect(await store.fleet.hooksUnticketed({ ticketedBeforeMs: 60_000, limit: 10 })).toEqual([]);
        expect(await store.fleet.hooksUnticketed({ ticketedBeforeMs: 0, limit: 10 })).toMatchObject([{ id: runId, epoch: 2 }]);
      });

      test('are owed no longer once it is retried or deleted', async () => {
        await store.runs.reopen(runId, startedAt);
        expect(await store.fleet.owedHooks(runId)).toBeNull();
        expect(await store.fleet.hooksUnticketed({ ticketedBeforeMs: 0, limit: 10 })).toEqual([]);
        const { runId: second } = await startRun(store);
        await store.fleet.reclaim({ ...reclaiming, maxRecoveries: 0, goneOwners: [owner] });
        await store.runs.delete(second);
        expect(await store.fleet.hooksUnticketed({ ticketedBeforeMs: 0, limit: 10 })).toEqual([]);
      });
    });

    test('a run that was to be cancelled when its owner was lost is cancelled', async () => {
      const { runId } = await startRun(store);
      await store.runs.requestCancel(runId, startedAt, 'enough');
      const report = await store.fleet.reclaim({ ...reclaiming, goneOwners: [owner] });
      expect(report).toMatchObject({ waiting: [], ended: [{ id: runId }] });
      expect(await store.runs.get(runId)).toMatchObject({ state: { type: 'CANCELLED' }, owner: null });
    });

    test('a wait for the next attempt survives the loss of the owner', async () => {
      const { runId } = await startRun(store);
      const dueAt = systemClock.now() + 60_000;
      await store.recorder.addRunPatch({ runId, epoch: 1 }, { state: stateOf('SCHEDULED', 'AwaitingRetry'), dueAt }, null);
      expect((await store.fleet.reclaim({ ...reclaiming, goneOwners: [owner] })).waiting).toMatchObject([{ id: runId, dueAt }]);
    });

    test('of two who look at the same time each lost run goes to one', async () => {
      for (let index = 0; index < 40; index++) await store.recorder.addRun(newRun(), owner, 0);
      const other = await here.open();
      const reports = await Promise.all([store.fleet.reclaim(reclaiming), other.fleet.reclaim(reclaiming)]);
      const ids = reports.flatMap(({ waiting: taken }) => taken.map(({ id }) => id));
      const rest = (await store.fleet.reclaim(reclaiming)).waiting.map(({ id }) => id);
      expect(new Set([...ids, ...rest]).size).toBe(40);
      expect(ids.length + rest.length).toBe(40);
    });
  });

  describe('workers', () => {
    const worker: WorkerRow = {
      id: 'here:1:2',
      name: 'worker-1',
      version: '0.1.0',
      host: 'here',
      pid: 1,
      queues: ['default', 'slow'],
      concurrency: 16,
      flows: { hello: 'v1' },
      startedAt,
      running: 0,
      lagMs: 0,
    };

    test('a worker is listed as it last told, until it is taken out', async () => {
      await store.workers.beat(worker);
      await store.workers.beat({ ...worker, running: 3, lagMs: 12.6 });
      const [listed, ...others] = await store.workers.list();
      expect(listed).toMatchObject({ ...worker, running: 3, lagMs: 13 });
      expect(listed?.silentMs).toBeLessThan(10_000);
      expect(others).toEqual([]);
      await store.workers.remove(worker.id);
      expect(await store.workers.list()).toEqual([]);
    });

    test('only workers that have been silent too long are taken out', async () => {
      await store.workers.beat(worker);
      await store.workers.prune(60_000);
      expect(await store.workers.list()).toHaveLength(1);
      await store.workers.prune(-1);
      expect(await store.workers.list()).toEqual([]);
    });
  });
});
