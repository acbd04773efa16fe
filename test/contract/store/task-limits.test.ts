/** Limits on tasks, over both makers: slots that are held by claims and by nothing else. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { makeId } from '../../../src/base/id.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { SlotWish, Store } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { endRun, leaseMs, newRun, owner, ownerNamed, startRun, taskRun } from './rows.ts';

describe.each(makers)('limits on tasks on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  const wish = (runId: string, changes: Partial<SlotWish> = {}): SlotWish => ({
    ...{ holder: makeId(), runId, epoch: 1, spread: false, names: ['tag:db'], task: 'load', priority: 0 },
    ...changes,
  });
  const ask = async (...wishes: SlotWish[]): Promise<boolean[]> => (await store.limits.askSlots(owner.id, wishes)).map(({ held }) => held);
  const view = async (name = 'tag:db') => (await store.limits.tagLimitViews()).find((limit) => limit.name === name);
  /** Until the clock shows another millisecond. */
  const passing = async (): Promise<void> => {
    const before = systemClock.now();
    while (systemClock.now() === before) await new Promise((resolve) => setImmediate(resolve));
  };

  test('as many hold a slot as there are; the rest waits, says for what, and is next in the order of asking', async () => {
    await store.limits.setTagLimit('tag:db', 2);
    const { runId } = await startRun(store, { name: 'quick-otter' });
    const wishes = Array.from({ length: 4 }, () => wish(runId));
    const answers = await store.limits.askSlots(owner.id, wishes);
    expect(answers.map(({ held }) => held)).toEqual([true, true, false, false]);
    expect(answers[2]).toEqual({ held: false, message: 'Waits for the limit tag:db (2 of 2 taken, by quick-otter).' });
    expect(await view()).toMatchObject({ slots: 2, held: 2, waiting: 2, holders: [{ runId, runName: 'quick-otter' }, { runId }] });
    expect(await store.limits.taskWaits(runId)).toEqual([{ name: 'tag:db', task: 'load', tasks: 2 }]);
    expect(await store.limits.taskWaits((await startRun(store)).runId)).toEqual([]);
    expect(await store.limits.giveSlots(wishes.slice(0, 1))).toEqual({ owners: [owner.id] });
    expect(await store.limits.slotsHeld(wishes.map(({ holder }) => holder))).toEqual(wishes.slice(0, 3).map(({ holder }) => holder));
  });

  test('asking again changes nothing; giving back twice neither', async () => {
    await store.limits.setTagLimit('tag:db', 1);
    const { runId } = await startRun(store);
    const [first, second] = [wish(runId), wish(runId)];
    await ask(first, second);
    expect(await ask(first, second)).toEqual([true, false]);
    await store.limits.giveSlots([first]);
    await store.limits.giveSlots([first]);
    expect(await view()).toMatchObject({ held: 1, waiting: 0 });
  });

  test('higher priority goes first', async () => {
    await store.limits.setTagLimit('tag:db', 1);
    const { runId } = await startRun(store);
    const [holder, low, high] = [wish(runId), wish(runId), wish(runId, { priority: 7 })];
    await ask(holder, low, high);
    await store.limits.giveSlots([holder]);
    expect(await store.limits.slotsHeld([low.holder, high.holder])).toEqual([high.holder]);
  });

  test('a task that needs two limits gets both at once, and nobody passes it in either line', async () => {
    await store.limits.setTagLimit('tag:a', 1);
    await store.limits.setTagLimit('tag:b', 1);
    const { runId } = await startRun(store);
    const [a, both, later] = [
      wish(runId, { names: ['tag:a'] }),
      wish(runId, { names: ['tag:a', 'tag:b'] }),
      wish(runId, { names: ['tag:b'] }),
    ];
    expect(await ask(a)).toEqual([true]);
    expect(await ask(both)).toEqual([false]);
    expect(await ask(later)).toEqual([false]);
    await store.limits.giveSlots([a]);
    expect(await store.limits.slotsHeld([both.holder, later.holder])).toEqual([both.holder]);
    await store.limits.giveSlots([both]);
    expect(await store.limits.slotsHeld([later.holder])).toEqual([later.holder]);
  });

  test('a task that needs two limits is kept from them by nobody who waits for a third', async () => {
    for (const name of ['tag:a', 'tag:b', 'tag:c']) await store.limits.setTagLimit(name, 1);
    const { runId } = await startRun(store);
    const a = wish(runId, { names: ['tag:a'] });
    await ask(a, wish(runId, { names: ['tag:c'] }), wish(runId, { names: ['tag:c'] }));
    const both = wish(runId, { names: ['tag:a', 'tag:b'] });
    expect(await ask(both)).toEqual([false]);
    await store.limits.giveSlots([a]);
    expect(await store.limits.slotsHeld([both.holder])).toEqual([both.holder]);
  });

  test('one that waits for a limit of 0 keeps nobody from another', async () => {
    await store.limits.setTagLimit('tag:a', 1);
    await store.limits.setTagLimit('tag:none', 0);
    const { runId } = await startRun(store);
    expect(await ask(wish(runId, { names: ['tag:a', 'tag:none'] }))).toEqual([false]);
    expect(await ask(wish(runId, { names: ['tag:a'] }))).toEqual([true]);
  });

  test.each([
    ['ended', (id: string) => endRun(store, { runId: id, epoch: 1 })],
    [
      'ended, and was not let go of yet,',
      (id: string) => store.recorder.addRunPatch({ runId: id, epoch: 1 }, { state: stateOf('COMPLETED'), endedAt: 1 }, null),
    ],
    ['was given back', (id: string) => store.runs.release({ runId: id, epoch: 1 })],
    ['was lost with its process', () => store.fleet.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [owner] })],
    ['was taken over', (id: string) => store.runs.claim(id, ownerNamed('next'), leaseMs, () => true)],
    ['was deleted', (id: string) => store.runs.delete(id, { force: true })],
  ])('what tasks of a run held that %s is free, and nobody waits for them', async (_, lose) => {
    await store.limits.setTagLimit('tag:db', 1);
    const { runId } = await startRun(store);
    const other = newRun();
    await store.recorder.addRun(other, ownerNamed('other'), leaseMs);
    const waiter = wish(other.id);
    await ask(wish(runId), wish(runId));
    expect((await store.limits.askSlots('other', [waiter]))[0]).toMatchObject({ held: false });
    await lose(runId);
    expect(await store.limits.sweepSlots()).toEqual({ owners: ['other'] });
    expect(await store.limits.slotsHeld([waiter.holder])).toEqual([waiter.holder]);
    expect(await view()).toMatchObject({ held: 1, waiting: 0 });
  });

  test('a task whose run was taken over asks anew: what it held under its old claim is not its slot any more', async () => {
    await store.limits.setTagLimit('tag:db', 1);
    const { runId } = await startRun(store);
    const again = wish(runId);
    expect(await ask(again)).toEqual([true]);
    await store.runs.claim(runId, ownerNamed('next'), leaseMs, () => true);
    const other = newRun();
    await store.recorder.addRun(other, owner, leaseMs);
    const quicker = wish(other.id);
    expect(await ask(quicker)).toEqual([true]);
    expect(await ask({ ...again, epoch: 2 })).toEqual([false]);
    expect(await view()).toMatchObject({ held: 1, waiting: 1 });
    await store.limits.giveSlots([quicker]);
    expect(await store.limits.slotsHeld([again.holder])).toEqual([again.holder]);
    // The process that lost the run gives back what it held.
    await store.limits.giveSlots([again]);
    expect(await view()).toMatchObject({ held: 1, waiting: 0 });
  });

  test('one that asks again after its run was taken over stands behind those that waited meanwhile', async () => {
    await store.limits.setTagLimit('tag:db', 1);
    const [{ runId }, other] = [await startRun(store), newRun()];
    await store.recorder.addRun(other, ownerNamed('other'), leaseMs);
    const [holder, moved, patient] = [wish(other.id), wish(runId, { holder: 'b' }), wish(other.id, { holder: 'c' })];
    for (const one of [holder, moved, patient]) {
      await ask(one);
      await passing();
    }
    await store.runs.claim(runId, ownerNamed('next'), leaseMs, () => true);
    await store.limits.askSlots('next', [{ ...moved, epoch: 2 }]);
    await store.limits.giveSlots([holder]);
    expect(await store.limits.slotsHeld([moved.holder, patient.holder])).toEqual([patient.holder]);
    expect(await store.limits.giveSlots([patient])).toEqual({ owners: ['next'] });
    expect(await view()).toMatchObject({ held: 1, waiting: 0, holders: [{ taskRunId: moved.holder }] });
  });

  test('a spread task holds its slots by its own claim', async () => {
    await store.limits.setTagLimit('tag:db', 1);
    const claim = await startRun(store);
    const row = taskRun(claim.runId, 'load', { state: stateOf('SCHEDULED') });
    await store.spread.offer(claim, [{ taskRun: row, queue: 'default', priority: 0, inputs: '[]', inputsRef: null }]);
    const held = (await store.spread.claimMany([row.id], ownerNamed('worker'), leaseMs)).get(row.id);
    const mine = wish(claim.runId, { holder: row.id, epoch: held?.claim.epoch ?? 0, spread: true });
    expect(await ask(mine)).toEqual([true]);
    expect(await ask(wish(claim.runId))).toEqual([false]);
    await store.spread.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [ownerNamed('worker')] });
    await store.limits.sweepSlots();
    expect(await view()).toMatchObject({ held: 1, waiting: 0 });
  });

  test('what a lost worker held for a spread task is not held by the next one that claims it', async () => {
    await store.limits.setTagLimit('tag:db', 1);
    const claim = await startRun(store);
    const rows = ['load[0]', 'load[1]'].map((key) => taskRun(claim.runId, key, { state: stateOf('SCHEDULED') }));
    await store.spread.offer(
      claim,
      rows.map((row) => ({ taskRun: row, queue: 'default', priority: 0, inputs: '[]', inputsRef: null })),
    );
    const [lost = '', other = ''] = rows.map(({ id }) => id);
    await store.spread.claimMany([lost], ownerNamed('worker'), leaseMs);
    expect(await ask(wish(claim.runId, { holder: lost, spread: true }))).toEqual([true]);
    await store.spread.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [ownerNamed('worker')] });
    await store.spread.claimMany([lost, other], ownerNamed('next'), leaseMs);
    expect(await ask(wish(claim.runId, { holder: other, spread: true }))).toEqual([true]);
  });

  test('a limit that is lowered lets those that hold finish; one that is deleted lets all go', async () => {
    await store.limits.setTagLimit('tag:other', 4);
    await store.limits.setTagLimit('tag:db', 3);
    const { runId } = await startRun(store);
    const wishes = Array.from({ length: 5 }, () => wish(runId));
    await ask(...wishes);
    await store.limits.setTagLimit('tag:db', 1);
    expect(await view()).toMatchObject({ slots: 1, held: 3, waiting: 2 });
    await store.limits.giveSlots(wishes.slice(0, 2));
    expect(await view()).toMatchObject({ held: 1, waiting: 2 });
    expect(await store.limits.deleteTagLimit('tag:db')).toEqual({ owners: [owner.id] });
    expect(await store.limits.slotsHeld(wishes.slice(3).map(({ holder }) => holder))).toHaveLength(2);
    expect(await store.limits.deleteTagLimit('tag:db')).toBe(null);
    expect(await store.limits.tagLimits()).toEqual([{ name: 'tag:other', slots: 4 }]);
  });

  test('processes that ask at the same time never hold more than there are', async () => {
    await store.limits.setTagLimit('tag:db', 3);
    const stores = [store, await here.open(), await here.open()];
    const { runId } = await startRun(store);
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, at) => (stores[at % 3] ?? store).limits.askSlots(`process-${at % 3}`, [wish(runId)])),
    );
    expect(answers.flat().filter((answer) => answer.held)).toHaveLength(3);
    expect(await view()).toMatchObject({ held: 3, waiting: 27 });
  });

  test('whatever ends, dies or is suspended, never more than the limit hold a slot, and none is left over', async () => {
    type Step = { readonly what: 'start' | 'ask' | 'again' | 'give' | 'end' | 'die' | 'release' | 'set'; readonly at: number };
    const step: fc.Arbitrary<Step> = fc.record({
      what: fc.constantFrom('start', 'start', 'ask', 'ask', 'ask', 'again', 'again', 'give', 'give', 'end', 'die', 'release', 'set'),
      at: fc.nat(1_000),
    });
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        const names = [`tag:x${++round}`, `tag:y${round}`];
        const slots = new Map(names.map((name) => [name, 2]));
        const before = new Map<string, number>();
        for (const name of names) await store.limits.setTagLimit(name, 2);
        const runs: string[] = [];
        const wishes: SlotWish[] = [];
        // Holders whose slots were given back, as those of attempts that failed.
        const tried: SlotWish[] = [];
        for (const { what, at } of steps) {
          const runId = runs[at % Math.max(1, runs.length)];
          if (what === 'start') runs.push((await startRun(store)).runId);
          else if (what === 'set') {
            const name = names[at % 2] ?? '';
            slots.set(name, at % 4);
            await store.limits.setTagLimit(name, at % 4);
          } else if (runId === undefined) continue;
          else if (what === 'ask') {
            const asked = wish(runId, { names: [[names[0] ?? ''], [names[1] ?? ''], names][at % 3] ?? names });
            wishes.push(asked);
            await store.limits.askSlots(`owner-${at % 3}`, [asked]);
          } else if (what === 'again') {
            const asked = tried.splice(at % Math.max(1, tried.length), 1);
            wishes.push(...asked);
            if (asked.length > 0) await store.limits.askSlots(`owner-${at % 3}`, asked);
          } else if (what === 'give') {
            const given = wishes.splice(at % Math.max(1, wishes.length), 1);
            tried.push(...given);
            await store.limits.giveSlots(given);
          } else if (what === 'end') await endRun(store, { runId, epoch: 1 });
          else if (what === 'release') await store.runs.release({ runId, epoch: 1 });
          else await store.runs.claim(runId, ownerNamed('next'), leaseMs, () => true);
          await store.limits.sweepSlots();
          for (const limit of (await store.limits.tagLimitViews()).filter(({ name }) => names.includes(name))) {
            // Lowering takes nothing away from those that hold.
            expect(limit.held).toBeLessThanOrEqual(Math.max(slots.get(limit.name) ?? 0, before.get(limit.name) ?? 0));
            before.set(limit.name, limit.held);
          }
        }
        for (const runId of runs) await endRun(store, { runId, epoch: (await store.runs.get(runId))?.epoch ?? 1 });
        await store.limits.sweepSlots();
        const fresh = await startRun(store);
        for (const name of names) {
          await store.limits.setTagLimit(name, 1);
          expect(await ask(wish(fresh.runId, { names: [name] }))).toEqual([true]);
          await store.limits.deleteTagLimit(name);
        }
        await endRun(store, fresh);
      }),
      { numRuns: maker.name === 'sqlite' ? 40 : 12 },
    );
  }, 60_000);
});
