/** How long runs are kept, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stateOf } from '../../../src/model/state.ts';
import type { Store } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { endRun, newRun } from './rows.ts';
import { deploy, hourMs, now, takeRun } from './ticking.ts';

describe.each(makers)('retention on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  describe('what is kept', () => {
    test('runs of a deployment are deleted when it says so, all others when the settings do', async () => {
      const endedAgo = async (ms: number, deployment: string | null): Promise<string> => {
        const run = newRun({ state: stateOf('SCHEDULED'), deployment, createdAt: now() - ms });
        await store.fleet.insertMany([{ run, idempotencyKey: null }]);
        await endRun(store, await takeRun(store, run.id), 'COMPLETED', now() - ms);
        return run.id;
      };
      await deploy(store, 'short', now() + hourMs, { retentionMs: hourMs });
      await deploy(store, 'long', now() + hourMs, { retentionMs: Number.MAX_SAFE_INTEGER });
      await deploy(store, 'plain', now() + hourMs);
      const gone = [await endedAgo(2 * hourMs, 'short'), await endedAgo(20 * hourMs, 'plain'), await endedAgo(20 * hourMs, null)];
      const kept = [await endedAgo(hourMs / 2, 'short'), await endedAgo(20 * hourMs, 'long'), await endedAgo(2 * hourMs, 'plain')];
      expect(await store.expire({ now: now(), keepMs: null })).toMatchObject({ runs: 1 });
      expect(await store.expire({ now: now(), keepMs: 10 * hourMs })).toMatchObject({ runs: 2 });
      for (const id of gone) expect(await store.runs.get(id)).toBeNull();
      for (const id of kept) expect(await store.runs.get(id)).not.toBeNull();
    });
  });
});
