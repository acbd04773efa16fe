/** Limits on runs under whatever happens at the same time, over both makers: never more than the limit, and nothing leaks. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stateOf } from '../../../src/model/state.ts';
import type { Store } from '../../../src/store/store.ts';
import { declareLimit, finish, insertLimited, key, stateOfRun, worker } from './limited-runs.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { endRun, leaseMs, ownerNamed, startedAt } from './rows.ts';

describe.each(makers)('limits on runs on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  test('whatever ends, dies, is suspended or cancelled in whatever order, the limit holds and everybody gets a turn', async () => {
    type Step = { readonly what: 'insert' | 'claim' | 'turn' | 'end' | 'suspend' | 'kill' | 'cancel'; readonly at: number };
    const step: fc.Arbitrary<Step> = fc.record({
      what: fc.constantFrom('insert', 'insert', 'claim', 'claim', 'turn', 'turn', 'end', 'end', 'suspend', 'kill', 'cancel'),
      at: fc.nat(1_000),
    });
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        const flow = `sync-${++round}`;
        const own = { flow, concurrencyKey: `flow:${flow}` };
        await declareLimit(store, { limit: 2 }, flow);
        const ids: string[] = [];
        const turns = async (): Promise<string[]> =>
          (await store.limits.nextRuns({ key: own.concurrencyKey, ticketedBeforeMs: 0 })).map(({ id }) => id);
        const held = async (): Promise<readonly string[]> =>
          (await store.limits.runLimit(own.concurrencyKey, { flow, deployment: null })).holders.map(({ runId }) => runId);
        for (const { what, at } of steps) {
          const holders = await held();
          const holder = holders[at % Math.max(1, holders.length)];
          const any = ids[at % Math.max(1, ids.length)];
          if (what === 'insert') ids.push(await insertLimited(store, own));
          else if (what === 'claim' && any !== undefined) await store.fleet.claimMany([any], worker, leaseMs);
          else if (what === 'turn') await store.fleet.claimMany(await turns(), worker, leaseMs);
          else if (what === 'cancel' && any !== undefined) await store.runs.requestCancel(any, startedAt, 'No.', () => true);
          else if (what === 'kill') await store.fleet.reclaim({ limit: 100, maxRecoveries: 100, goneOwners: [worker] });
          else if (what === 'end' && holder !== undefined) await finish(store, holder);
          else if (what === 'suspend' && holder !== undefined) {
            const epoch = (await store.runs.get(holder))?.epoch ?? 0;
            await store.recorder.addRunPatch({ runId: holder, epoch }, { state: stateOf('PAUSED'), dueAt: startedAt, startedAt }, null);
            await store.runs.release({ runId: holder, epoch });
          }
          expect((await held()).length).toBeLessThanOrEqual(2);
        }
        await store.fleet.reclaim({ limit: 100, maxRecoveries: 100, goneOwners: [worker] });
        // Runs that were lost in company twice go to a process that executes nothing else.
        for (let left = ids.length * 3; left > 0; left--) {
          await store.fleet.claimMany(ids, worker, leaseMs, { isAlone: true });
          await store.fleet.claimMany(await turns(), worker, leaseMs, { isAlone: true });
          for (const id of await held()) await finish(store, id);
        }
        for (const id of ids) expect(['COMPLETED', 'CANCELLED']).toContain((await stateOfRun(store, id))?.type);
      }),
      { numRuns: maker.name === 'sqlite' ? 30 : 6 },
    );
  }, 60_000);

  test('however many claim at the same time, never more than the limit are held, and all get their turn', async () => {
    await declareLimit(store, { limit: 3 });
    const others = [store, await here.open(), await here.open(), await here.open()];
    const ids = await Promise.all(Array.from({ length: 40 }, () => insertLimited(store)));
    const ended: string[] = [];
    let held = 0;
    let most = 0;
    const work = async (at: Store, name: string): Promise<void> => {
      let tickets = ids;
      while (ended.length < ids.length) {
        await new Promise<void>((resolve) => setImmediate(resolve));
        const claimed = await at.fleet.claimMany(tickets.slice(0, 10), ownerNamed(name), leaseMs);
        held += claimed.size;
        most = Math.max(most, held);
        expect(held).toBeLessThanOrEqual(3);
        for (const run of claimed.values()) {
          await new Promise<void>((resolve) => setImmediate(resolve));
          held--;
          await endRun(at, { runId: run.id, epoch: run.epoch });
          ended.push(run.id);
        }
        const turns = await at.limits.nextRuns({ key, ticketedBeforeMs: 0 });
        tickets = turns.length > 0 ? turns.map(({ id }) => id) : ids.filter((id) => !ended.includes(id)).toReversed();
      }
    };
    await Promise.all(others.map((at, index) => work(at, `worker-${index}`)));
    expect(new Set(ended).size).toBe(40);
    expect(ended).toHaveLength(40);
    expect(most).toBeGreaterThan(1);
  });
});
