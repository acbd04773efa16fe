/** Sub-flows whose caller has ended, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { Claim, Store, SubFlowPlace } from '../../../src/store/store.ts';
import { makers, type Place } from './makers.ts';
import { endRun, leaseMs, newRun, ownerNamed, startRun, taskRun, transitionOf } from './rows.ts';

describe.each(makers)('sub-flows whose caller has ended, on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  const begin = (parent: Claim | null = null): Promise<Claim> => startRun(store, { parentRunId: parent?.runId ?? null });
  const idsOf = (places: readonly SubFlowPlace[]): string[] => places.map(({ id }) => id).sort();
  const find = async (graceMs = 0): Promise<string[]> => idsOf((await store.fleet.orphans({ after: null, graceMs, limit: 100 })).orphans);

  test('are found, executed, waiting or suspended, whatever their caller has ended as; those of open callers are not', async () => {
    const [done, open] = [await begin(), await begin()];
    const [executed, suspended, ended] = [await begin(done), await begin(done), await begin(done)];
    await begin(open);
    await store.recorder.addRunPatch(suspended, { state: stateOf('PAUSED', 'Suspended') }, null);
    await store.runs.release(suspended);
    const waiting = newRun({ state: stateOf('SCHEDULED'), parentRunId: done.runId });
    await store.fleet.insertMany([{ run: waiting, idempotencyKey: null }]);
    await endRun(store, ended);
    expect(await find()).toEqual([]);
    await endRun(store, done, 'FAILED');
    expect(await find()).toEqual([executed.runId, suspended.runId, waiting.id].sort());
  });

  test('are found below a run that was taken from lost processes once too often, whoever took it died right after', async () => {
    const caller = newRun();
    await store.recorder.addRun(caller, ownerNamed('lost'), 0);
    const child = await begin({ runId: caller.id, epoch: 1, owner: ownerNamed('lost') });
    const { ended } = await store.fleet.reclaim({ limit: 10, maxRecoveries: 0, goneOwners: [] });
    expect(ended).toMatchObject([{ id: caller.id }]);
    expect(await find()).toEqual([child.runId]);
  });

  test('are left for a moment to whoever ended their caller', async () => {
    const caller = await begin();
    const child = await begin(caller);
    await endRun(store, caller, 'COMPLETED', systemClock.now());
    expect(await find(600_000)).toEqual([]);
    expect(await find(-1_000)).toEqual([child.runId]);
  });

  test('are none once they are being cancelled or undone, were opened again by hand, or are only reported here', async () => {
    const caller = await begin();
    const [cancelled, undone, opened] = [await begin(caller), await begin(caller), await begin(caller)];
    await store.runs.requestCancel(cancelled.runId, 5, 'enough');
    await store.rollbacks.arm(undone, 1);
    await store.rollbacks.begin(undone, { state: stateOf('FAILED'), error: null }, 2);
    await endRun(store, opened, 'FAILED');
    await store.runs.reopen(opened.runId, 6);
    await store.recorder.addRun(newRun({ parentRunId: caller.runId }), ownerNamed('reporter:elsewhere'), leaseMs);
    // What has happened to others, what may have to be undone and tasks that have ended change nothing.
    const plain = await begin(caller);
    await store.rollbacks.arm(plain, 1);
    const row = taskRun(plain.runId, 'work', { state: stateOf('COMPLETED') });
    await store.recorder.addTaskRun(plain, row, transitionOf(row));
    await endRun(store, caller);
    expect(await find()).toEqual([plain.runId]);
  });

  test('are found page by page, also where a page holds none', async () => {
    const open = await begin();
    for (let made = 0; made < 5; made++) await begin(open);
    const done = await begin();
    const children = [await begin(done), await begin(done), await begin(done)];
    await endRun(store, done);
    let found: string[] = [];
    let [pages, after]: [number, SubFlowPlace | null] = [0, null];
    do {
      const page = await store.fleet.orphans({ after, graceMs: 0, limit: 2 });
      [found, after, pages] = [[...found, ...idsOf(page.orphans)], page.last, pages + 1];
    } while (after !== null);
    expect(found.sort()).toEqual(children.map(({ runId }) => runId).sort());
    expect(pages).toBe(5);
  });
});
