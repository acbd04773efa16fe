/** Positions of streams over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stateOf } from '../../../src/model/state.ts';
import type { Store } from '../../../src/store/store.ts';
import { makers, type Place } from './makers.ts';
import { leaseMs, newRun, owner } from './rows.ts';

describe.each(makers)('positions of streams on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  test('of each source the last one stands, written by the owner of the run alone, and goes with the run', async () => {
    const run = newRun();
    await store.recorder.addRun(run, owner, leaseMs);
    const claim = { runId: run.id, epoch: 1, owner };
    await store.streams.confirm(claim, { task: 'rows', position: '1' }, 1);
    await store.streams.confirm(claim, { task: 'rows', position: '"é😀"' }, 2);
    await store.streams.confirm(claim, { task: 'others', position: '{}' }, 2);
    await store.streams.confirm({ ...claim, epoch: 2 }, { task: 'rows', position: '3' }, 3);
    await store.streams.confirm({ ...claim, owner: { ...owner, id: 'another' } }, { task: 'rows', position: '4' }, 3);
    const positions = await store.streams.positionsOf(run.id);
    expect(positions.toSorted((a, b) => a.task.localeCompare(b.task))).toEqual([
      { task: 'others', position: '{}' },
      { task: 'rows', position: '"é😀"' },
    ]);
    await store.recorder.addRunPatch(claim, { state: stateOf('COMPLETED'), endedAt: 4 }, null);
    await store.runs.delete(run.id);
    expect(await store.streams.positionsOf(run.id)).toEqual([]);
  });
});
