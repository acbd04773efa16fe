/** Signals to runs, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stateOf } from '../../../src/model/state.ts';
import type { Store } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { newRun, startedAt } from './rows.ts';

describe.each(makers)('signals on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  test('are numbered by name, also when many send at once, and read by their number', async () => {
    const run = newRun();
    await store.runs.insert(run);
    const other = await here.open();
    const sent = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        (index % 2 === 0 ? store : other).signals.send(run.id, 'go', `{"json":${index}}`, startedAt),
      ),
    );
    expect(sent.map((one) => one?.number).sort((a, b) => Number(a) - Number(b))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(await store.signals.send(run.id, 'stop', null, startedAt)).toEqual({ number: 1, woken: [] });
    expect(await store.signals.get(run.id, 'stop', 1)).toEqual({ runId: run.id, name: 'stop', number: 1, data: null, sentAt: startedAt });
    expect(await store.signals.get(run.id, 'stop', 2)).toBeNull();
    expect(await store.signals.ofRun(run.id)).toHaveLength(11);
  });

  test('to an unknown run are refused', async () => {
    expect(await store.signals.send('nobody', 'go', null, startedAt)).toBeNull();
  });

  test('make a suspended run and those above it due, as another ticket than the one that waits', async () => {
    const parent = newRun({ state: stateOf('PAUSED'), dueAt: startedAt + 86_400_000 });
    const child = newRun({ state: stateOf('PAUSED'), parentRunId: parent.id });
    await store.runs.insert(parent);
    await store.runs.insert(child);
    expect(await store.signals.send(child.id, 'go', null, startedAt)).toEqual({ number: 1, woken: [child.id, parent.id] });
    for (const { id } of [parent, child]) {
      expect(await store.runs.get(id)).toMatchObject({ state: { type: 'SCHEDULED', name: 'Resuming' }, dueAt: startedAt, epoch: 1 });
      expect((await store.transitions.ofRun(id, null)).at(-1)).toMatchObject({ name: 'Resuming' });
    }
    expect(await store.signals.wake(parent.id, startedAt, 'again')).toEqual([]);
  });

  test('are deleted with their run', async () => {
    const run = newRun();
    await store.runs.insert(run);
    await store.signals.send(run.id, 'go', null, startedAt);
    expect(await store.runs.delete(run.id, { force: true })).toBe(true);
    expect(await store.signals.ofRun(run.id)).toEqual([]);
  });
});
