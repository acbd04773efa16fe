/** PostgreSQL that goes away under writes. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TaskRun } from '../../../src/model/run.ts';
import { stateOf } from '../../../src/model/state.ts';
import { openStore } from '../../../src/store/open.ts';
import type { Claim, Store } from '../../../src/store/store.ts';
import { logLine, newRun, ownerNamed, startRun, taskRun, transitionOf } from '../../contract/store/rows.ts';
import { startPostgres } from '../../support/postgres-process.ts';
import type { PostgresServer } from '../../support/postgres-process.ts';
import { createDatabaseOn } from '../../support/postgres.ts';
import type { TestDatabase } from '../../support/postgres.ts';
import { startProxy } from '../../support/postgres-proxy.ts';

let server: PostgresServer;
let database: TestDatabase;
beforeAll(async () => {
  server = await startPostgres();
  database = await createDatabaseOn(server.url);
});
afterAll(() => server.stop());

/** Writes tasks one after the other until `stop` says so; gives how many were promised. */
async function writeUntil(store: Store, stop: () => boolean): Promise<{ runId: string; promised: number }> {
  const claim = await startRun(store);
  let promised = 0;
  while (!stop()) {
    const row = taskRun(claim.runId, `t[${promised}]`);
    await store.recorder.addTaskRun(claim, row, transitionOf(row));
    promised += 1;
  }
  return { runId: claim.runId, promised };
}

async function expectWrittenOnce(store: Store, { runId, promised }: { runId: string; promised: number }): Promise<void> {
  expect(await store.taskRuns.ofRun(runId)).toHaveLength(promised);
  const transitions = await store.transitions.ofRun(runId);
  expect(transitions).toHaveLength(promised + 1);
  expect(new Set(transitions.map(({ taskRunId }) => taskRunId)).size).toBe(promised + 1);
}

test('a server restarted under writes delays them and loses and doubles none', async () => {
  const store = await openStore({ url: database.url });
  let restarted = false;
  const writing = writeUntil(store, () => restarted);
  await server.restart();
  restarted = true;
  await expectWrittenOnce(store, await writing);
  await store.close();
});

test('a recorder whose connection was lost after its last flush leaves no mark behind', async () => {
  const store = await openStore({ url: database.url });
  let asked = 0;
  const { runId, promised } = await writeUntil(store, () => asked++ > 0);
  await database.query(`select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name like 'batuta %'`);
  await expectWrittenOnce(store, { runId, promised });
  await store.close();
  expect(await database.query('select 1 from flush_marks')).toEqual([]);
});

test('a connection cut again and again in the middle of flushes neither loses nor doubles a row', async () => {
  const store = await openStore({ url: database.url });
  let cutting = true;
  const writing = writeUntil(store, () => !cutting);
  for (let cuts = 0; cuts < 15; cuts += 1) {
    await database.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'batuta %'`);
  }
  cutting = false;
  await expectWrittenOnce(store, await writing);
  await store.close();
});

test('a server that shuts down with its answer to the first flush loses and doubles no row', async () => {
  const proxy = await startProxy(database.url);
  const store = await openStore({ url: proxy.url });
  proxy.shutDownWithAnswerTo('flush_marks');
  const claim = await startRun(store);
  const row = taskRun(claim.runId, 't');
  await store.recorder.addTaskRun(claim, row, transitionOf(row));
  expect(proxy.shutDowns).toBe(1);
  await expectWrittenOnce(store, { runId: claim.runId, promised: 1 });
  await store.close();
  await proxy.close();
});

/** Writes five task runs, each in a flush whose answer is lost. */
async function writeUnanswered(write: (store: Store, claim: Claim, row: TaskRun) => Promise<void>) {
  const proxy = await startProxy(database.url);
  const store = await openStore({ url: proxy.url });
  const claim = await startRun(store);
  for (let index = 0; index < 5; index += 1) {
    proxy.cutNextAnswer();
    await write(store, claim, taskRun(claim.runId, `t[${index}]`));
  }
  expect(proxy.cuts).toBe(5);
  return { proxy, store, claim };
}

test('a flush whose answer was lost is written once, logs and all', async () => {
  let lines = 0;
  const { proxy, store, claim } = await writeUnanswered(({ recorder }, of, row) => {
    void recorder.addLog(logLine(of.runId, `${lines++}`));
    return recorder.addTaskRun(of, row, transitionOf(row));
  });
  await expectWrittenOnce(store, { runId: claim.runId, promised: 5 });
  expect((await store.logs.ofRun(claim.runId)).map(({ message }) => message)).toEqual(['0', '1', '2', '3', '4']);
  await store.close();
  expect(await database.query('select 1 from flush_marks')).toEqual([]);
  await proxy.close();
});

test('new task runs that begin and end in a flush whose answer was lost are written once', async () => {
  const { proxy, store, claim } = await writeUnanswered(({ recorder }, of, row) => {
    const ended = { ...row, state: stateOf('COMPLETED') };
    void recorder.addTaskRun(of, row, transitionOf(row), true);
    return recorder.addTaskRun(of, ended, transitionOf(ended));
  });
  expect(await store.taskRuns.ofRun(claim.runId)).toHaveLength(5);
  expect((await store.transitions.ofRun(claim.runId)).map(({ name }) => name)).toEqual([
    'Running',
    ...Array.from({ length: 5 }, () => ['Running', 'Completed']).flat(),
  ]);
  await store.close();
  await proxy.close();
});

test('a recorder whose mark was deleted while it lives writes all the same, and once', async () => {
  const proxy = await startProxy(database.url);
  const store = await openStore({ url: proxy.url });
  const claim = await startRun(store);
  for (let index = 0; index < 4; index += 1) {
    await database.query('delete from flush_marks');
    if (index % 2 === 1) proxy.cutNextAnswer();
    const row = taskRun(claim.runId, `t[${index}]`);
    await store.recorder.addTaskRun(claim, row, transitionOf(row));
  }
  expect(proxy.cuts).toBe(2);
  await expectWrittenOnce(store, { runId: claim.runId, promised: 4 });
  await store.close();
  await proxy.close();
});

test('a connection lost while it was idle is replaced without anybody noticing', async () => {
  const store = await openStore({ url: database.url });
  const claim = await startRun(store);
  await store.runs.list();
  await database.query(`select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name like 'batuta %'`);
  await store.recorder.addTaskRun(claim, taskRun(claim.runId, 'after'), null);
  await expect.poll(() => store.runs.list().then(({ items }) => items.length)).toBeGreaterThan(0);
  await store.close();
});

test('a server that stays away ends the wait with STORE_UNAVAILABLE, its password hidden', async () => {
  const lonely = await startPostgres();
  const store = await openStore({ url: lonely.url, reconnectTimeoutMs: 50 });
  const claim = await startRun(store);
  await lonely.stop();
  const failure = { code: 'STORE_UNAVAILABLE', message: expect.stringContaining(':***@') };
  await expect(store.recorder.addTaskRun(claim, taskRun(claim.runId, 'a'), null)).rejects.toMatchObject(failure);
  await expect(store.runs.insert(newRun())).rejects.toMatchObject(failure);
  await expect(store.runs.list()).rejects.toMatchObject(failure);
  await store.close();
  await expect(openStore({ url: lonely.url })).rejects.toMatchObject(failure);
});

test('a wrong password and a missing database are told as such', async () => {
  const wrong = new URL(database.url);
  wrong.password = 'guess';
  await expect(openStore({ url: wrong.href })).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.stringMatching(/password authentication/),
  });
  const missing = new URL(database.url);
  missing.pathname = '/nowhere';
  await expect(openStore({ url: missing.href })).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.stringMatching(/does not exist/),
  });
});

test('a claim that a crashing server forgets is made anew; whoever had it writes nothing more', async () => {
  const store = await openStore({ url: database.url });
  const leaseMs = 60_000;
  const [forgotten, present] = [ownerNamed('forgotten'), ownerNamed('present')];
  // What no commit waits for reaches the disk late, so that the crash is quicker.
  await database.query(`alter system set wal_writer_delay = '10s'`);
  await server.restart();
  const run = newRun({ state: stateOf('SCHEDULED') });
  await store.fleet.insertMany([{ run, idempotencyKey: null }]);
  const before = (await store.fleet.claimMany([run.id], forgotten, leaseMs)).get(run.id);
  await server.crash();
  await server.start();
  expect([before?.epoch, await store.runs.get(run.id)]).toMatchObject([1, { epoch: 0, owner: null }]);
  const after = (await store.fleet.claimMany([run.id], present, leaseMs)).get(run.id);
  expect(after).toMatchObject({ epoch: 1, owner: present });
  const refused: string[] = [];
  store.recorder.onFenced(({ runId }) => refused.push(runId));
  const record = (owner: typeof present, key: string): Promise<void> =>
    store.recorder.addTaskRun({ runId: run.id, epoch: 1, owner }, taskRun(run.id, key), null);
  await record(forgotten, 'theirs');
  expect(refused).toEqual([run.id]);
  await record(present, 'ours');
  expect((await store.taskRuns.ofRun(run.id)).map(({ key }) => key)).toEqual(['ours']);
  await store.close();
});
