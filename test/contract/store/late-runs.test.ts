/** Runs that no worker takes, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stateOf } from '../../../src/model/state.ts';
import type { Store } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { newRun } from './rows.ts';
import { now, takeRun } from './ticking.ts';

describe.each(makers)('runs on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

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
      expect((await store.runs.get(late ?? ''))?.state).toEqual(stateOf('SCHEDULED', 'Late', 'No worker took it in time.'));
      expect((await store.runs.get(told ?? ''))?.state).toEqual(stateOf('SCHEDULED', 'Late', 'Waits for a worker that knows the flow.'));
      expect(await store.transitions.ofRun(late ?? '')).toMatchObject([{ name: 'Scheduled' }, { name: 'Late' }]);
      await takeRun(store, late ?? '');
    });
  });
});
