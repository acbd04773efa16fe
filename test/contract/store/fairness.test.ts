/** Turns of keys, over both makers: whose run is next, however many of each wait. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeId } from '../../../src/base/id.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { FairTicket, NewRun, Store } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { leaseMs, newRun, ownerNamed, startedAt } from './rows.ts';

const line = { queue: 'default', priority: 0 };
const worker = ownerNamed('worker');
let made = 0;

describe.each(makers)('fairness on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  async function insert(fairKey: string | null, count = 1, changes: Partial<NewRun> = {}): Promise<string[]> {
    const rows = Array.from({ length: count }, () => ({
      run: newRun({ state: stateOf('SCHEDULED'), fairKey, createdAt: startedAt + (made += 1), name: fairKey ?? 'none', ...changes }),
      idempotencyKey: null,
    }));
    return (await store.fleet.insertMany(rows)).map(({ id }) => id);
  }

  /** Keys in the order in which their turns come. */
  async function turns(count: number, { weights = {}, of = line, tickets = [] }: TurnOptions = {}): Promise<string[]> {
    const picked = await store.fairness.pick(of, { count, tickets, weightOf: (_flow, key) => weights[key] ?? 1 });
    return picked.map(({ key }) => key);
  }

  async function claim(ids: readonly string[]): Promise<{ claimed: string[]; fair: FairTicket[] }> {
    const fair: FairTicket[] = [];
    const claimed = await store.fleet.claimMany(ids, worker, leaseMs, { fair: (ticket) => fair.push(ticket) });
    return { claimed: [...claimed.keys()], fair };
  }

  test('keys take turns, however many runs of one came first, and each key in the order of its runs', async () => {
    const many = await insert('big', 3_000);
    const small = await insert('a', 3);
    await insert('b', 2);
    expect(await turns(9)).toEqual(['a', 'b', 'big', 'a', 'b', 'big', 'a', 'big', 'big']);
    const [next] = await store.fairness.pick(line, { count: 1, tickets: [], weightOf: () => 1 });
    expect(next).toMatchObject({ id: many[4], epoch: 1, flow: 'flight-delays', key: 'big' });
    expect(await store.runs.get(small[0] ?? '')).toMatchObject({ epoch: 1, owner: null, state: { type: 'SCHEDULED' } });
  });

  test('a ticket of a run that waits for its turn claims nothing, and says that it is a right to a turn; one whose turn has come is claimed', async () => {
    const [first = '', second = ''] = await insert('acme', 2);
    const [plain = ''] = await insert(null);
    expect(await claim([first, second, plain])).toEqual({
      claimed: [plain],
      fair: expect.arrayContaining([
        { id: first, ...line, isCrashed: false },
        { id: second, ...line, isCrashed: false },
      ]),
    });
    expect(await turns(1)).toEqual(['acme']);
    expect(await claim([first])).toEqual({ claimed: [first], fair: [] });
    // A ticket for one that is under way is a right as well: its own turn was given to it by another.
    expect((await claim([first])).fair).toHaveLength(1);
    expect(await turns(5)).toEqual(['acme']);
    expect(await turns(5)).toEqual([]);
  });

  test('a key that comes later begins where the others are: it is owed nothing, and owes nothing', async () => {
    await insert('early', 50);
    expect(await turns(20)).toHaveLength(20);
    await insert('late', 50);
    expect((await turns(20)).filter((key) => key === 'late')).toHaveLength(10);
    // One that has had nothing to do, and one that has cancelled all of its runs, are no worse off than others.
    const rest = await insert('moody', 100);
    for (const id of rest) await store.runs.requestCancel(id, startedAt, 'not needed');
    await insert('moody', 10);
    expect((await turns(12)).filter((key) => key === 'moody')).toHaveLength(4);
  });

  test('weights say how much of the turns a key gets', async () => {
    for (const key of ['one', 'three', 'half']) await insert(key, 100);
    const order = await turns(90, { weights: { three: 3, half: 0.5 } });
    expect(order.filter((key) => key === 'three')).toHaveLength(60);
    expect(order.filter((key) => key === 'one')).toHaveLength(20);
    expect(order.filter((key) => key === 'half')).toHaveLength(10);
  });

  test('queues and priorities have lines of their own', async () => {
    await insert('acme', 2);
    await insert('acme', 1, { queue: 'gpu' });
    await insert('acme', 1, { priority: 5 });
    expect(await turns(9, { of: { queue: 'gpu', priority: 0 } })).toHaveLength(1);
    expect(await turns(9, { of: { queue: 'default', priority: 5 } })).toHaveLength(1);
    expect(await turns(9)).toHaveLength(2);
  });

  test('a run that is due later has no turn before, keeps none from having one, and goes on where the others are', async () => {
    await insert('later', 3, { dueAt: Date.now() + 3_600_000 });
    await insert('now', 10);
    expect(await turns(5)).toEqual(Array.from({ length: 5 }, () => 'now'));
    // Due within a second, which is as good as now.
    await insert('later', 1, { dueAt: Date.now() });
    expect(await turns(2)).toEqual(['later', 'now']);
    expect(await turns(9)).toEqual(Array.from({ length: 4 }, () => 'now'));
  });

  test('a run that a process took out of turn, and gave back, is in line again once its ticket comes', async () => {
    const [id = ''] = await insert('acme');
    expect(await store.runs.claim(id, worker, leaseMs)).toMatchObject({ claimed: true });
    expect(await turns(1)).toEqual([]);
    await store.runs.release({ runId: id, epoch: 1, owner: worker });
    expect(await turns(1)).toEqual([]);
    expect(await turns(3, { tickets: [id, makeId()] })).toEqual(['acme']);
  });

  test('a run whose worker was lost waits for its turn again, before the others of its key', async () => {
    const [first = ''] = await insert('acme', 3);
    await insert('globex', 3);
    await turns(1);
    expect((await claim([first])).claimed).toEqual([first]);
    await store.fleet.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [worker] });
    expect((await claim([first])).fair).toHaveLength(1);
    const next = await store.fairness.pick(line, { count: 2, tickets: [], weightOf: () => 1 });
    expect(next.map(({ key }) => key)).toEqual(['globex', 'acme']);
    expect(next[1]?.id).toBe(first);
    expect((await claim([first])).claimed).toEqual([first]);
  });

  test('where a run stands: behind those of its key, among the keys that wait', async () => {
    const own = await insert('acme', 5);
    await insert('globex', 1);
    expect(await store.fairness.place(own[3] ?? '')).toEqual({ key: 'acme', ahead: 3, keys: 2 });
    await turns(2);
    expect(await store.fairness.place(own[0] ?? '')).toBeNull();
    expect(await store.fairness.place(own[3] ?? '')).toEqual({ key: 'acme', ahead: 2, keys: 2 });
    expect(await store.fairness.place(makeId())).toBeNull();
  });

  test('whoever picks at the same time gets other runs, and all of them come to their turn once', async () => {
    for (const key of ['a', 'b', 'c', 'd']) await insert(key, 25);
    const elsewhere = await here.open();
    const pick = (from: Store) => from.fairness.pick(line, { count: 7, tickets: [], weightOf: () => 1 });
    const picked = (await Promise.all(Array.from({ length: 20 }, (_, at) => pick(at % 2 === 0 ? store : elsewhere)))).flat();
    expect(picked).toHaveLength(100);
    expect(new Set(picked.map(({ id }) => id)).size).toBe(100);
    expect(await turns(1)).toEqual([]);
  });

  test('runs that are inserted while others are picked are never left behind', async () => {
    const elsewhere = await here.open();
    const seen: string[] = [];
    const inserting = (async () => {
      for (let round = 0; round < 30; round++) await insert(`key-${round % 3}`, 3);
    })();
    const picking = (async () => {
      for (let round = 0; round < 60; round++)
        seen.push(...(await elsewhere.fairness.pick(line, { count: 2, tickets: [], weightOf: () => 1 })).map(({ id }) => id));
    })();
    await Promise.all([inserting, picking]);
    for (;;) {
      const rest = await store.fairness.pick(line, { count: 50, tickets: [], weightOf: () => 1 });
      if (rest.length === 0) break;
      seen.push(...rest.map(({ id }) => id));
    }
    expect(new Set(seen).size).toBe(90);
  });

  test('a run that is opened again by hand waits for its turn like the others', async () => {
    const [id = ''] = await insert('acme');
    await turns(1);
    await claim([id]);
    await store.runs.requestCancel(id, startedAt, 'no', () => true);
    await store.runs.reopen(id, startedAt);
    expect((await claim([id])).fair).toHaveLength(1);
    expect(await turns(2)).toEqual(['acme']);
    expect((await claim([id])).claimed).toEqual([id]);
  });
});

interface TurnOptions {
  readonly weights?: Readonly<Record<string, number>>;
  readonly of?: { readonly queue: string; readonly priority: number };
  readonly tickets?: readonly string[];
}
