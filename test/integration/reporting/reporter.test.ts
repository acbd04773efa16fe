/** A reporter whose store was copied or refuses, one beside another, and one whose server fails at what it sends. */
import { join } from 'node:path';
import { Flow, Task } from 'batuta';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Clock, systemClock } from '../../../src/base/clock.ts';
import { BatutaError } from '../../../src/base/errors.ts';
import { makeId } from '../../../src/base/id.ts';
import { identifyProcess } from '../../../src/base/process-identity.ts';
import { stateOf } from '../../../src/model/state.ts';
import { ReportApi } from '../../../src/report/report-api.ts';
import { Reporter } from '../../../src/report/reporter.ts';
import { openSqlite } from '../../../src/store/sqlite/connection.ts';
import type { OutboxStore, Store } from '../../../src/store/store.ts';
import { leaseMs, newRun, ownerNamed } from '../../contract/store/rows.ts';
import { type Api, openApi } from '../../support/api.ts';
import { makeProgramPlace, type ProgramPlace } from '../../support/reporting.ts';

@Flow()
class Talks {
  @Task() async one() {
    return 1;
  }
}

let api: Api;
let url: string;
let key: string;
let place: ProgramPlace;
const closing: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  api = await openApi();
  url = await api.listen();
  key = await api.key('reporter');
  place = makeProgramPlace(() => url, key);
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await place.remove();
  await api.close();
});

const server = (): Store => api.client.engine.services.store;
/** Waits are short. */
const quick: Clock = { ...systemClock, setTimer: (ms, fire, options) => systemClock.setTimer(Math.min(ms, 20), fire, options) };
const worker = ownerNamed('worker');

interface Around {
  readonly outbox: OutboxStore;
  readonly to?: string;
  readonly clock?: Clock;
  readonly flushMs?: number;
  /** Name of the process. */
  readonly by?: string;
}

/** Started, with what it logs. */
async function reporterOver({ outbox, to = url, clock = quick, flushMs = 0, by = 'one' }: Around) {
  const logged: string[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void logged.push(line) });
  const who = { name: 'edge', version: '1', batuta: '1', maxBytes: 1_000_000, owner: { ...identifyProcess(), id: by } };
  const parts = { clock, flushMs, log, makeId, isOwnerGone: () => false, random: () => 0.5 };
  const reporter = new Reporter({ outbox, api: new ReportApi(to, key), ...who, ...parts });
  closing.push(() => reporter.stop());
  await reporter.start();
  return { reporter, logged };
}

async function outboxHere(): Promise<{ readonly store: Store; readonly outbox: OutboxStore }> {
  const store = await place.look();
  return { store, outbox: store.outbox as OutboxStore };
}

async function addRun(store: Store): Promise<string> {
  const run = newRun({ state: stateOf('RUNNING'), createdAt: systemClock.now() });
  await store.recorder.addRun(run, worker, leaseMs);
  return run.id;
}

/** One process of the program: runs, reports, ends. */
async function live(of: ProgramPlace): Promise<string> {
  const program = await of.open();
  const handle = await program.client.submit(Talks, {});
  await handle.done();
  await program.close();
  return handle.id;
}

it('a store that was copied goes on under an id of its own, and neither of both loses a run, whichever reports first', async () => {
  const program = await place.open();
  const run = async (): Promise<string> => {
    const handle = await program.client.submit(Talks, {});
    await handle.done();
    return handle.id;
  };
  const ids = [await run()];
  await expect.poll(async () => (await server().runs.get(ids[0] ?? ''))?.state.name, { timeout: 10_000 }).toBe('Completed');
  await expect.poll(() => program.store.outbox?.isEmpty(), { timeout: 10_000 }).toBe(true);
  const [early, late] = [makeProgramPlace(() => url, key), makeProgramPlace(() => url, key)];
  closing.push(
    () => early.remove(),
    () => late.remove(),
  );
  // Both know by what the server knows the store now.
  const connection = await openSqlite(join(place.folder, 'batuta.db'), { clock: systemClock, busyTimeoutMs: 5_000 });
  for (const { folder } of [early, late]) await connection.query(`vacuum into '${join(folder, 'batuta.db')}'`);
  await connection.close();
  for (let at = 0; at < 5; at++) ids.push(await run());
  await program.close();
  // Under their next numbers the server has items of the original.
  ids.push(await live(early));
  for (let round = 0; round < 2; round++) for (const one of [place, late, early]) ids.push(await live(one));
  for (const id of ids) expect((await server().runs.get(id))?.state.name).toBe('Completed');
  expect(await server().reports.list()).toHaveLength(3);
  for (const one of [place, early, late]) expect((await (await one.look()).outbox?.state())?.items).toBe(0);
});

it('a store that refuses to be reported from fails no run; it is said once and tried again', async () => {
  const { store, outbox } = await outboxHere();
  let asked = 0;
  const refusing: OutboxStore = {
    ...outbox,
    hold: async (wish) => {
      if ((asked += 1) <= 2) throw new BatutaError('STORE_FULL', 'The disk is full.');
      return await outbox.hold(wish);
    },
  };
  const clock = { ...quick, monotonic: () => systemClock.monotonic() * 50 };
  const { logged } = await reporterOver({ outbox: refusing, clock });
  await expect.poll(() => asked).toBeGreaterThan(2);
  const id = await addRun(store);
  await expect.poll(async () => (await server().runs.get(id))?.state.type, { timeout: 10_000 }).toBe('RUNNING');
  expect(logged.filter((line) => line.includes('cannot be recorded'))).toHaveLength(1);
});

it('a process beside the one that reports ends without waiting for what that one has to send, and seldom asks', async () => {
  const { store, outbox } = await outboxHere();
  await reporterOver({ outbox, to: 'http://127.0.0.1:1' });
  await addRun(store);
  await expect.poll(async () => (await outbox.state()).items).toBeGreaterThan(0);
  let asked = 0;
  const counted: OutboxStore = { ...outbox, hold: (wish) => ((asked += 1), outbox.hold(wish)) };
  // On a clock that stands still a wait for what is left has no end.
  const clock = { ...quick, monotonic: () => 0 };
  const beside = await reporterOver({ outbox: counted, clock, flushMs: 60_000, by: 'two' });
  await beside.reporter.stop();
  expect(asked).toBe(2);
});

it('an item that the server fails at again and again is left out in the end; all others arrive', async () => {
  const { store, outbox } = await outboxHere();
  const { reporter } = await reporterOver({ outbox, to: 'http://127.0.0.1:1' });
  const [before, poison, after] = [await addRun(store), await addRun(store), await addRun(store)];
  await expect.poll(async () => (await outbox.state()).items).toBeGreaterThanOrEqual(3);
  await reporter.stop();
  const { reports } = server();
  const apply = reports.apply;
  let failures = 0;
  const failing = vi.spyOn(reports, 'apply').mockImplementation(async (batch) => {
    if (!batch.items.some(({ kind, data }) => kind === 'run' && data.id === poison)) return await apply(batch);
    failures += 1;
    throw new Error('A statement was refused.');
  });
  await reporterOver({ outbox });
  await expect.poll(async () => (await outbox.state()).items, { timeout: 15_000 }).toBe(0);
  failing.mockRestore();
  expect(failures).toBeGreaterThanOrEqual(20);
  expect((await outbox.state()).dropped).toBe(1);
  const standing = await Promise.all([before, poison, after].map(async (id) => (await server().runs.get(id))?.state.type));
  expect(standing).toEqual(['RUNNING', undefined, 'RUNNING']);
});
