/** Ticks whose time has passed, over both makers: dropped with a word, or made up. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { claimTicks, deploy, hourMs, nextOf, now, runsOf, ticking } from './ticking.ts';

describe.each(makers)('ticks on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  describe('ticks that were missed', () => {
    test('leave one row that is Skipped and says how many there were, and the run of the newest', async () => {
      const missed = now() - 10 * hourMs - 60_000;
      await deploy(store, 'nightly', missed);
      expect(await claimTicks(store)).toMatchObject({ dropped: 1, waiting: [{ epoch: 0 }] });
      const [skipped, made] = await runsOf(store, 'nightly');
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
      expect(await nextOf(store, 'nightly')).toBe(missed + 11 * hourMs);
    });

    test('come after those on time, so that making up holds up no tick of now', async () => {
      for (const at of [1, 2, 3]) await deploy(store, `old-${at}`, now() - hourMs / 2, { catchup: 'all' });
      await deploy(store, 'timely', now() + 1_000);
      await claimTicks(store, 1);
      expect(await runsOf(store, 'timely')).toHaveLength(1);
    });

    test('are all made up within the window, in parts', async () => {
      const missed = now() - 1_500_000;
      await deploy(store, 'often', missed, { catchup: 'all', catchupWindowMs: hourMs }, { schedule: ticking(missed, 1_000) });
      const report = await claimTicks(store);
      expect(report.waiting).toHaveLength(1_000);
      await claimTicks(store);
      const { items } = await store.runs.list({ deployment: 'often', limit: 1_000 });
      expect(items).toHaveLength(1_000);
      expect(await nextOf(store, 'often')).toBeGreaterThan(now());
    });
  });
});
