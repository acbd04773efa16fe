/** Slots as one process asks for them and gives them back, against a store that is slow, away, or has changed meanwhile. */
import { setImmediate as turn } from 'node:timers/promises';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { LimitWatch } from '../../../src/engine/limits/limit-watch.ts';
import { RunSlots } from '../../../src/engine/limits/run-slots.ts';
import { TaskSlots } from '../../../src/engine/limits/task-slots.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { CancelledRun, LimitStore, SlotClaim, SlotOutcome, SlotWish, Ticketed } from '../../../src/store/store.ts';
import { gate } from '../../support/make-flow.ts';
import { handClock } from '../../support/hand-clock.ts';

const log = pino({ level: 'silent' });
const away = (): Promise<never> => Promise.reject(new Error('The store is away.'));
const turns = async (): Promise<void> => {
  for (let left = 8; left > 0; left--) await turn();
};
const never = new AbortController().signal;
const both = (signal: AbortSignal) => ({ signal, waitSignal: signal });

/** Parts over a store that answers as these say; anything else that is asked of it fails. */
function partsOver(changes: Partial<LimitStore>) {
  const { clock, timers, sleeps, pass } = handClock();
  const store = changes as LimitStore;
  const watch = new LimitWatch({ store: { dataVersion: () => null }, clock, log, net: async () => undefined });
  let told = 0;
  return { store, clock, timers, sleeps, pass, watch, log, tell: () => void told++, told: () => told };
}

describe('slots of tasks', () => {
  const wish = (holder: string, names: readonly string[] = ['tag:db']): SlotWish => ({
    ...{ holder, runId: 'run', epoch: 1, spread: false, names, task: 'load', priority: 0 },
  });
  const slotsOver = (changes: Partial<LimitStore>) => {
    const parts = partsOver(changes);
    return { ...parts, slots: new TaskSlots({ ...parts, ownerId: 'here' }) };
  };
  const free: LimitStore['askSlots'] = async (_, wishes) => wishes.map(() => ({ held: true }));
  const used: LimitStore['askSlots'] = async (_, wishes) => wishes.map(() => ({ held: false, message: 'Waits.' }));

  test('which limits there are is read once a second at most, by all that ask at the same time, and not for a task without tags', async () => {
    let reads = 0;
    let names = ['tag:db', 'tag:api'];
    const { slots, pass } = slotsOver({ tagLimits: async () => (reads++, names.map((name) => ({ name, slots: 1 }))) });
    expect(slots.limitsOf([])).toEqual([]);
    expect(reads).toBe(0);
    expect(await Promise.all([slots.limitsOf(['db']), slots.limitsOf(['other', 'db', 'api', 'db']), slots.limitsOf(['other'])])).toEqual([
      ['tag:db'],
      ['tag:api', 'tag:db'],
      [],
    ]);
    expect(reads).toBe(1);
    expect(slots.limitsOf(['api'])).toEqual(['tag:api']);
    names = [];
    pass(1_100);
    expect(await slots.limitsOf(['api'])).toEqual([]);
    expect(slots.limitsOf(['api'])).toEqual([]);
    expect(reads).toBe(2);
  });

  test('limits that could not be read are read again by the next that asks', async () => {
    let reads = 0;
    const { slots } = slotsOver({ tagLimits: () => (reads++ === 0 ? away() : Promise.resolve([{ name: 'tag:db', slots: 1 }])) });
    await expect(slots.limitsOf(['db'])).rejects.toThrow('away');
    expect(await slots.limitsOf(['db'])).toEqual(['tag:db']);
  });

  test('a slot that cannot be given back while the store is away is given back once it is there', async () => {
    const given: SlotClaim[][] = [];
    let isAway = true;
    const { slots, sleeps } = slotsOver({
      askSlots: free,
      giveSlots: async (claims) => (given.push([...claims]), isAway ? await away() : { owners: [] }),
    });
    (await slots.take(wish('a'), both(never), () => undefined))?.give();
    await turns();
    expect([given.length, sleeps.size]).toEqual([1, 1]);
    for (const { fire } of [...sleeps.values()]) fire();
    await turns();
    expect(given).toHaveLength(2);
    isAway = false;
    for (const { fire } of [...sleeps.values()]) fire();
    await turns();
    expect(given).toHaveLength(3);
    expect(given.at(-1)).toEqual([{ holder: 'a', runId: 'run', epoch: 1, spread: false }]);
    expect(sleeps.size).toBe(0);
    await slots.close();
    expect(given).toHaveLength(3);
  });

  test('a close tries once more what could not be given back, and waits for no store that stays away', async () => {
    let gives = 0;
    const { slots } = slotsOver({ askSlots: free, giveSlots: () => (gives++, away()) });
    (await slots.take(wish('a'), both(never), () => undefined))?.give();
    await turns();
    expect(gives).toBe(1);
    await slots.close();
    expect(gives).toBe(2);
  });

  test('the next attempt of a task asks once the slot of the last is given back, and not before', async () => {
    const asked: string[] = [];
    const giving = gate();
    const { slots } = slotsOver({
      askSlots: async (_, wishes) => (asked.push(...wishes.map(({ holder }) => holder)), wishes.map(() => ({ held: true }))),
      giveSlots: async () => (await giving.opened, { owners: [] }),
    });
    (await slots.take(wish('a'), both(never), () => undefined))?.give();
    const again = slots.take(wish('a'), both(never), () => undefined);
    await slots.take(wish('b'), both(never), () => undefined);
    expect(asked).toEqual(['a', 'b']);
    giving.open();
    expect(await again).not.toBeNull();
    expect(asked).toEqual(['a', 'b', 'a']);
    await slots.close();
  });

  test('a task that waits goes on once a look finds its slot, and one that is stopped gives its place in line back', async () => {
    const held = new Set<string>();
    const given: string[] = [];
    const told: string[] = [];
    const { slots, watch, timers } = slotsOver({
      askSlots: used,
      slotsHeld: async (holders) => holders.filter((holder) => held.has(holder)),
      giveSlots: async (claims) => (given.push(...claims.map(({ holder }) => holder)), { owners: [] }),
    });
    const stop = new AbortController();
    const [first, second] = [
      slots.take(wish('a'), both(never), (message) => told.push(message)),
      slots.take(wish('b'), both(stop.signal), (message) => told.push(message)),
    ];
    await turns();
    expect([told, given, timers.size]).toEqual([['Waits.', 'Waits.'], [], 1]);
    held.add('a');
    watch.wake();
    expect(await first).not.toBeNull();
    expect(timers.size).toBe(1);
    stop.abort();
    expect(await second).toBeNull();
    await slots.close();
    expect(given).toEqual(['b']);
    expect(timers.size).toBe(0);
  });

  test('others are told of slots that went to their tasks, and one’s own tasks look at once', async () => {
    const { slots, told, watch } = slotsOver({});
    let looks = 0;
    const end = watch.begin(async () => void looks++);
    slots.changed({ owners: [] });
    expect([told(), looks]).toEqual([0, 0]);
    slots.changed({ owners: ['here'] });
    await turns();
    expect([told(), looks]).toEqual([0, 1]);
    slots.changed({ owners: ['there'] });
    await turns();
    expect([told(), looks]).toEqual([1, 1]);
    end();
  });
});

describe('slots of runs', () => {
  const ticket: Ticketed = { id: 'next', epoch: 1, queue: 'default', priority: 0, dueAt: null };
  const slotsOver = (changes: Partial<LimitStore>, parents: Readonly<Record<string, object>> = {}) => {
    const parts = partsOver(changes);
    const runs = { get: async (id: string) => (parents[id] ?? null) as never };
    return { ...parts, slots: new RunSlots({ ...parts, store: { limits: parts.store, runs } }) };
  };
  const waits: SlotOutcome = { kind: 'waits', state: stateOf('SCHEDULED', 'AwaitingSlot'), cancelled: [] };
  const claim = { runId: 'run', epoch: 1 };

  test('what was freed goes to the next in line, others are told, and a close waits for both', async () => {
    const asked: unknown[] = [];
    const put: string[] = [];
    const looking = gate<readonly Ticketed[]>();
    const { slots, told } = slotsOver({ nextRuns: async (options) => (asked.push(options), await looking.opened) });
    slots.freed('flow:sync');
    await slots.settled();
    expect([asked, told()]).toEqual([[], 1]);
    slots.carry(async (runs) => void put.push(...runs.map(({ id }) => id)));
    slots.freed(null);
    expect([asked, told()]).toEqual([[], 1]);
    slots.freed('flow:sync');
    const settled = slots.settled();
    await turns();
    expect(put).toEqual([]);
    looking.open([ticket]);
    await settled;
    expect([asked, put, told()]).toEqual([[{ key: 'flow:sync', ticketedBeforeMs: 0 }], ['next'], 2]);
  });

  test('nobody is woken when nobody waits, and nothing is thrown when the next cannot be woken', async () => {
    let puts = 0;
    let fails = false;
    const { slots } = slotsOver({ nextRuns: async () => (fails ? await away() : []) });
    slots.carry(async () => void puts++);
    slots.freed('flow:sync');
    await slots.settled();
    fails = true;
    slots.freed('flow:sync');
    await slots.settled();
    expect(puts).toBe(0);
  });

  test('a run that waits asks again only when its turn may have come, and tells of each state', async () => {
    const outcomes: SlotOutcome[] = [waits, waits, { kind: 'taken', state: stateOf('PENDING'), cancelled: [] }];
    let may = false;
    let asks = 0;
    const { slots, watch, timers } = slotsOver({ take: async () => outcomes[asks++] ?? waits, mayTake: async () => may });
    const states: string[] = [];
    const ended = slots.waitFor(claim, { signal: never, onState: ({ name }) => states.push(name) });
    await turns();
    watch.wake();
    await turns();
    expect(asks).toBe(1);
    may = true;
    watch.wake();
    await turns();
    expect(asks).toBe(2);
    watch.wake();
    expect(await ended).toBe('taken');
    expect(states).toEqual(['AwaitingSlot', 'AwaitingSlot', 'Pending']);
    expect(timers.size).toBe(0);
  });

  test('one look follows the first answer, for the slot may have become free in between', async () => {
    let looks = 0;
    const { slots } = slotsOver({ take: async () => waits, mayTake: async () => (looks++, false) });
    const stop = new AbortController();
    const ended = slots.waitFor(claim, { signal: stop.signal, onState: () => undefined });
    await turns();
    expect(looks).toBe(1);
    stop.abort();
    expect(await ended).toBe('stopped');
  });

  test('a run that is stopped while its turn is looked for takes no slot', async () => {
    const looked = gate<boolean>();
    let asks = 0;
    const { slots } = slotsOver({ take: async () => (asks++, waits), mayTake: () => looked.opened });
    const stop = new AbortController();
    const ended = slots.waitFor(claim, { signal: stop.signal, onState: () => undefined });
    await turns();
    stop.abort();
    looked.open(true);
    expect(await ended).toBe('stopped');
    await turns();
    expect(asks).toBe(1);
    const late = slots.waitFor(claim, { signal: stop.signal, onState: () => undefined });
    expect(await late).toBe('stopped');
  });

  test('a run that is another’s is lost, and the runs that made room are told, at the first answer as at a later one', async () => {
    const cancelled: CancelledRun[] = [{ id: 'older', message: 'It made room.' }];
    const told: string[] = [];
    const { slots, watch } = slotsOver({
      take: async ({ runId }) =>
        runId === 'lost' ? { kind: 'lost' } : { ...waits, kind: told.length > 0 ? 'taken' : 'waits', cancelled: [...cancelled] },
      mayTake: async () => true,
    });
    slots.onCancelled(({ id }) => told.push(id));
    const states: string[] = [];
    const wait = (runId: string) => slots.waitFor({ runId, epoch: 1 }, { signal: never, onState: ({ name }) => states.push(name) });
    expect(await wait('lost')).toBe('lost');
    expect([states, told]).toEqual([[], []]);
    const ended = wait('run');
    watch.wake();
    expect(await ended).toBe('taken');
    expect(told).toEqual(['older', 'older']);
  });

  test('a sub-flow shares the slot of any run above it that is under the same limit, and of no other', async () => {
    const parents = {
      parent: { parentRunId: 'root', concurrencyKey: 'flow:other' },
      root: { parentRunId: null, concurrencyKey: 'flow:sync' },
      orphan: { parentRunId: 'deleted', concurrencyKey: null },
    };
    const { slots } = slotsOver({}, parents);
    const shares = (parentRunId: string | null, concurrencyKey = 'flow:sync') =>
      slots.isSharedWithAncestor({ parentRunId, concurrencyKey });
    expect(await Promise.all([shares('parent'), shares('root'), shares('parent', 'flow:third'), shares(null), shares('orphan')])).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});
