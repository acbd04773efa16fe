/** Runs that must begin by an instant, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { Store, WaitingRun } from '../../../src/store/store.ts';
import { makers, type Place } from './makers.ts';
import { endRun, leaseMs, newRun, ownerNamed, startedAt } from './rows.ts';

const past = (): number => systemClock.now() - 1_000;
const later = (): number => systemClock.now() + 600_000;
const worker = ownerNamed('worker');

describe.each(makers)('runs that must begin by an instant, on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  const waiting = (expiresAt: number | null, key: string | null = null): WaitingRun => ({
    run: newRun({ state: stateOf('SCHEDULED') }),
    idempotencyKey: key,
    expiresAt,
  });
  const insert = async (...rows: readonly WaitingRun[]): Promise<string[]> => (await store.fleet.insertMany(rows)).map(({ id }) => id);
  const expire = async (): Promise<string[]> => (await store.expiry.expire({ limit: 100 })).ended.map(({ id }) => id);
  const stateOfRun = async (id: string): Promise<string | undefined> => (await store.runs.get(id))?.state.name;

  test('end as Cancelled (Expired) once it has passed, and nobody can claim them then', async () => {
    const [over, due, whenever] = await insert(waiting(past()), waiting(later()), waiting(null));
    expect(await expire()).toEqual([over]);
    expect(await store.runs.get(over ?? '')).toMatchObject({ state: { type: 'CANCELLED', name: 'Expired' }, owner: null });
    expect((await store.transitions.ofRun(over ?? '')).map(({ name }) => name)).toEqual(['Scheduled', 'Expired']);
    const claimed = await store.fleet.claimMany([over ?? '', due ?? '', whenever ?? ''], worker, leaseMs);
    expect([...claimed.keys()].sort()).toEqual([due, whenever].sort());
    expect(await expire()).toEqual([]);
  });

  test('end once, however many look for them at the same time', async () => {
    const rows = Array.from({ length: 30 }, () => waiting(past()));
    await insert(...rows);
    const other = await here.open();
    const found = await Promise.all(Array.from({ length: 6 }, (_, at) => (at % 2 ? store : other).expiry.expire({ limit: 10 })));
    for (let more = await expire(); more.length > 0; more = await expire())
      found.push({ ended: more.map((id) => ({ id, flow: '', concurrencyKey: null })), hasMore: true });
    const ids = found.flatMap(({ ended }) => ended.map(({ id }) => id));
    expect(ids.length).toBe(30);
    expect(new Set(ids).size).toBe(30);
  });

  test('are found behind those that have begun or ended, which fill a pass without anything to end', async () => {
    const before = await insert(waiting(past() - 5_000), waiting(past() - 5_000));
    const [over] = await insert(waiting(past()));
    await store.fleet.claimMany(before, worker, leaseMs);
    for (const runId of before) await endRun(store, { runId, epoch: 1, owner: worker }, 'COMPLETED');
    expect(await store.expiry.expire({ limit: 2 })).toEqual({ ended: [], hasMore: true });
    expect(await store.expiry.expire({ limit: 2 })).toMatchObject({ ended: [{ id: over }], hasMore: false });
  });

  test('go on when they were claimed before, whatever becomes of them then', async () => {
    const [held, lost, begun, again] = await insert(waiting(past()), waiting(past()), waiting(past()), waiting(past()));
    await store.fleet.claimMany([held ?? '', begun ?? '', again ?? ''], worker, leaseMs);
    await store.fleet.claimMany([lost ?? ''], ownerNamed('lost'), 0);
    await store.fleet.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [] });
    const run = await store.runs.get(begun ?? '');
    if (run) await store.recorder.addRunPatch({ runId: run.id, epoch: run.epoch, owner: run.owner }, { startedAt }, null);
    await store.runs.release({ runId: begun ?? '', epoch: 1, owner: worker });
    await endRun(store, { runId: again ?? '', epoch: 1, owner: worker }, 'FAILED');
    await store.runs.reopen(again ?? '', startedAt);
    expect(await expire()).toEqual([]);
    expect(await stateOfRun(held ?? '')).toBe('Scheduled');
    // What was claimed in time, and given back unbegun, waits again, and not for ever.
    await store.runs.release({ runId: held ?? '', epoch: 1, owner: worker });
    expect(await expire()).toEqual([held]);
    expect(await stateOfRun(lost ?? '')).not.toBe('Expired');
  });

  test('are ended by whoever claims one too late, and by nobody whose claim is old', async () => {
    const [id = ''] = await insert(waiting(past()));
    const run = (await store.fleet.claimMany([id], worker, leaseMs)).get(id);
    const claim = { runId: id, epoch: run?.epoch ?? 0, owner: worker };
    expect(await store.expiry.end({ ...claim, epoch: 7 })).toBeNull();
    expect(await store.expiry.end(claim)).toMatchObject({ id, flow: 'flight-delays' });
    expect(await stateOfRun(id)).toBe('Expired');
    expect(await store.expiry.end(claim)).toBeNull();
  });

  test('leave the run of before alone when their key is known', async () => {
    const [first = ''] = await insert(waiting(null, 'once'));
    expect(await insert(waiting(past(), 'once'))).toEqual([first]);
    expect(await expire()).toEqual([]);
    expect(await stateOfRun(first)).toBe('Scheduled');
  });

  test('that are gone are looked at no more', async () => {
    const [id = ''] = await insert(waiting(past()));
    expect(await store.runs.delete(id, { force: true })).toBe(true);
    expect(await expire()).toEqual([]);
  });
});
