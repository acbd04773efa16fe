/** When whoever follows what runs give out is told that there may be more. */
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { EmissionWatch } from '../../../src/engine/emissions/emission-watch.ts';
import type { Store } from '../../../src/store/store.ts';
import { handClock } from '../../support/hand-clock.ts';

function watchOver() {
  const { clock, timers } = handClock();
  const state = { version: 1, newest: 0, isGone: false };
  const store = {
    dataVersion: () => {
      if (state.isGone) throw new Error('the disk is gone');
      return state.version;
    },
    emissions: {
      places: async (runIds: readonly string[]) => {
        if (state.isGone) throw new Error('the disk is gone');
        return runIds.map((runId) => ({ runId, newest: state.newest, isOver: false }));
      },
    },
  } as unknown as Store;
  return {
    watch: new EmissionWatch(store, clock),
    state,
    timers,
    async tick(): Promise<void> {
      for (const { fire } of [...timers.values()]) fire();
      for (let turns = 3; turns > 0; turns--) await turn();
    },
  };
}

test('readers are notified of what others record, once per change, and nothing is queried once they have left', async () => {
  const { watch, state, timers, tick } = watchOver();
  let told = 0;
  const leave = watch.listen('a', () => told++);
  await tick();
  const first = told;
  for (let ticks = 8; ticks > 0; ticks--) await tick();
  expect(told).toBe(first);
  state.newest++;
  state.version++;
  await tick();
  expect(told).toBe(first + 1);
  leave();
  expect(timers.size).toBe(0);
});

test('an unreachable database ends nothing: readers are notified, so that they see the error, and it is queried again', async () => {
  const { watch, state, timers, tick } = watchOver();
  let told = 0;
  const leave = watch.listen('a', () => told++);
  await tick();
  const before = told;
  state.isGone = true;
  await tick();
  expect(told).toBeGreaterThan(before);
  state.isGone = false;
  state.newest++;
  expect(timers.size).toBe(1);
  const away = told;
  for (let ticks = 4; ticks > 0; ticks--) await tick();
  expect(told).toBeGreaterThan(away);
  leave();
});
