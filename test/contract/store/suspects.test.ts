/** Who is charged with a lost process, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stateOf } from '../../../src/model/state.ts';
import type { Claim, ReclaimReport, Store } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { leaseMs, newRun, ownerNamed, startedAt, startRun, taskRun } from './rows.ts';

describe.each(makers)('lost processes on $name', (maker) => {
  let here: Place;
  let store: Store;
  let deaths = 0;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  async function submit(count: number, changes: Parameters<typeof newRun>[0] = {}): Promise<string[]> {
    const rows = Array.from({ length: count }, () => ({ run: newRun({ state: stateOf('SCHEDULED'), ...changes }), idempotencyKey: null }));
    return (await store.fleet.insertMany(rows)).map(({ id }) => id);
  }

  /** A process claims these runs and is lost. Gives what was reclaimed. */
  async function lose(ids: readonly string[], { isAlone = false, culprit = '', limit = 100 } = {}): Promise<ReclaimReport> {
    const owner = ownerNamed(`process-${(deaths += 1)}`);
    const claimed = await store.fleet.claimMany(ids, owner, leaseMs, { isAlone });
    expect(claimed.size).toBe(ids.length);
    if (culprit !== '') await store.suspects.note({ owner: owner.id, culprit, seen: 'it looped' });
    const report = await store.fleet.reclaim({ limit, maxRecoveries: 3, goneOwners: [owner] });
    if (limit >= ids.length) return report;
    await lostRest(owner);
    return report;
  }

  async function lostRest(owner: ReturnType<typeof ownerNamed>): Promise<void> {
    while ((await store.fleet.reclaim({ limit: 1, maxRecoveries: 3, goneOwners: [owner] })).waiting.length > 0);
  }

  test('runs that were lost together never become Crashed for it, however often; from the second loss on each is left to a process of its own', async () => {
    const ids = await submit(4);
    await lose(ids);
    await lose(ids);
    expect((await store.fleet.claimMany(ids, ownerNamed('next'), leaseMs)).size).toBe(0);
    for (const id of ids) expect(await store.suspects.waiting(id)).toMatchObject({ id, runId: id });
    for (let round = 0; round < 5; round += 1) expect((await lose(ids, { isAlone: true })).crashed).toEqual([]);
    for (const id of ids) expect(await store.runs.get(id)).toMatchObject({ state: { type: 'SCHEDULED' }, recoveries: 0 });
  });

  test('of runs that are taken back one after another the last does not look as if it had been alone', async () => {
    const ids = await submit(3);
    await lose(ids, { limit: 1 });
    for (const id of ids) expect(await store.runs.get(id)).toMatchObject({ recoveries: 0 });
  });

  test('the one that loses its processes also when it is alone becomes Crashed, and says what was seen; the others go on', async () => {
    const [guilty = '', ...others] = await submit(4);
    await lose([guilty, ...others]);
    await lose([guilty, ...others]);
    expect((await lose([guilty], { isAlone: true })).crashed).toEqual([]);
    expect((await lose([guilty], { isAlone: true, culprit: guilty })).crashed).toMatchObject([{ id: guilty }]);
    expect((await store.runs.get(guilty))?.state).toMatchObject({
      type: 'CRASHED',
      message: expect.stringMatching(/4 in all.*it looped/) as string,
    });
    for (const id of others) {
      await store.suspects.clear(id);
      expect((await store.fleet.claimMany([id], ownerNamed('next'), leaseMs)).size).toBe(1);
    }
  });

  test('where it was seen which run it was, that one is charged and no other', async () => {
    const [guilty = '', ...others] = await submit(3);
    await lose([guilty, ...others], { culprit: guilty });
    expect(await store.runs.get(guilty)).toMatchObject({
      recoveries: 1,
      state: { message: expect.stringContaining('it looped') as string },
    });
    expect(await store.suspects.waiting(guilty)).not.toBeNull();
    for (const id of others) expect(await store.runs.get(id)).toMatchObject({ recoveries: 0 });
    expect((await store.fleet.claimMany(others, ownerNamed('next'), leaseMs)).size).toBe(2);
  });

  test('a run and its sub-flow that were lost together count as one that was alone', async () => {
    const [parent = ''] = await submit(1);
    const [child = ''] = await submit(1, { parentRunId: parent });
    await lose([parent, child]);
    for (const id of [parent, child]) expect(await store.runs.get(id)).toMatchObject({ recoveries: 1 });
  });

  test('a sub-flow of a run elsewhere, and a spread task of one, are company; a spread task of the same run is none', async () => {
    const elsewhere = await startRun(store);
    const [child = ''] = await submit(1, { parentRunId: elsewhere.runId });
    const [beside = '', own = '', plain = ''] = await submit(3);
    await lose([child, beside]);
    for (const id of [child, beside]) expect(await store.runs.get(id)).toMatchObject({ recoveries: 0 });
    const loseWithTask = async (id: string, of: Claim | null): Promise<void> => {
      const worker = ownerNamed(`with task ${id}`);
      const run = (await store.fleet.claimMany([id], worker, leaseMs)).get(id);
      const claim = of ?? { runId: id, epoch: run?.epoch ?? 0 };
      const row = taskRun(claim.runId, `load ${id}`, { state: stateOf('SCHEDULED') });
      await store.spread.offer(claim, [{ taskRun: row, queue: 'default', priority: 0, inputs: '[]', inputsRef: null }]);
      expect((await store.spread.claimMany([row.id], worker, leaseMs)).size).toBe(1);
      await store.fleet.reclaim({ limit: 100, maxRecoveries: 3, goneOwners: [worker] });
    };
    await loseWithTask(own, null);
    await loseWithTask(plain, elsewhere);
    expect([await store.runs.get(own), await store.runs.get(plain)]).toMatchObject([{ recoveries: 1 }, { recoveries: 0 }]);
  });

  test('a worker that was heard of after its lease had ended was held up, and is charged to nobody', async () => {
    const [id = '', silent = ''] = await submit(2);
    const [held, gone] = [ownerNamed('held up'), ownerNamed('gone')];
    await store.fleet.claimMany([id], held, -60_000);
    await store.fleet.claimMany([silent], gone, -60_000);
    const none = { version: '0', queues: [], concurrency: 1, flows: {}, startedAt, running: 0, lagMs: 0 };
    await store.workers.beat({ ...none, id: held.id, name: 'w1', host: held.host, pid: held.pid });
    await store.fleet.reclaim({ limit: 100, maxRecoveries: 3, goneOwners: [] });
    expect([await store.runs.get(id), await store.runs.get(silent)]).toMatchObject([{ recoveries: 0 }, { recoveries: 1 }]);
  });

  test('a process that lives after all is charged to nobody', async () => {
    const ids = await submit(2);
    const owner = ownerNamed('frozen');
    await lose(ids);
    await store.fleet.claimMany(ids, owner, 0);
    await store.fleet.reclaim({ limit: 100, maxRecoveries: 3, goneOwners: [] });
    expect(await store.suspects.waiting(ids[0] ?? '')).not.toBeNull();
    await store.suspects.acquit(owner.id);
    expect(await store.suspects.waiting(ids[0] ?? '')).toBeNull();
    expect((await store.fleet.claimMany(ids, ownerNamed('next'), leaseMs)).size).toBe(2);
  });

  test('a process that executes something alone is taken back once its end was told, or some time after its lease; others are at once', async () => {
    const [id = '', unheard = '', other = ''] = await submit(3);
    const owner = ownerNamed('alone');
    const gone = ownerNamed('alone and never heard of again');
    await store.fleet.claimMany([id], owner, 0);
    await store.fleet.claimMany([unheard], gone, -60_000);
    await store.suspects.expect(owner.id, id);
    await store.suspects.expect(gone.id, unheard);
    const reclaim = async () =>
      (await store.fleet.reclaim({ limit: 1, maxRecoveries: 3, goneOwners: [owner] })).waiting.map((ticket) => ticket.id);
    expect([await reclaim(), await reclaim()]).toEqual([[unheard], []]);
    await store.fleet.claimMany([other], ownerNamed('another'), 0);
    expect([await reclaim(), await reclaim()]).toEqual([[other], []]);
    await store.suspects.note({ owner: owner.id, culprit: id, seen: 'it ran out of memory' });
    expect(await reclaim()).toEqual([id]);
    expect((await store.runs.get(id))?.state.message).toContain('it ran out of memory');
  });

  test('what was seen is taken back when the process recovers, and what is suspect goes with its run', async () => {
    const [id = ''] = await submit(1);
    const owner = ownerNamed('held up');
    await store.fleet.claimMany([id], owner, leaseMs);
    await store.suspects.note({ owner: owner.id, culprit: id, seen: 'it looped' });
    await store.suspects.takeBack(owner.id);
    await store.fleet.reclaim({ limit: 100, maxRecoveries: 3, goneOwners: [owner] });
    expect((await store.runs.get(id))?.state.message).not.toContain('it looped');
    await lose([id]);
    expect(await store.suspects.waiting(id)).not.toBeNull();
    await store.runs.requestCancel(id, startedAt, 'enough');
    await store.runs.delete(id);
    expect(await store.suspects.waiting(id)).toBeNull();
  });
});
