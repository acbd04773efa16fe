/** One SQLite file under many processes, under kills, and in bad places. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import Database from 'libsql';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { openStore } from '../../../src/store/open.ts';
import { logLine, newRun, owner, ownerNamed, startRun, taskRun, transitionOf } from '../../contract/store/rows.ts';
import { openOnSmallDisk } from '../../support/small-disk.ts';
import { compileScript } from './children.ts';

const run = promisify(execFile);
const many = { maxBuffer: 64 * 1024 * 1024 };

let writer: Awaited<ReturnType<typeof compileScript>>;
let opener: typeof writer;
beforeAll(async () => {
  [writer, opener] = await Promise.all([compileScript('writer'), compileScript('opener')]);
});
afterAll(() => {
  writer.remove();
  opener.remove();
});

let folder: string;
let path: string;
let url: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'batuta-chaos-'));
  path = join(folder, 'deep', 'batuta.db');
  url = `sqlite:${path}`;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('four processes write one file at once without one lock error, and no row is lost', async () => {
  const outputs = await Promise.all(Array.from({ length: 4 }, () => run(process.execPath, [writer.path, url, '60', '5'], many)));
  expect(outputs.map(({ stderr }) => stderr)).toEqual(['', '', '', '']);
  const promised = outputs.flatMap(({ stdout }) => stdout.trim().split('\n'));
  expect(promised).toHaveLength(4 * 60 * 5);
  expect(recorded().sort()).toEqual(promised.sort());
  expect(count('select count(*) from transitions')).toBe(4 * 60 * (2 + 2 * 5));
  expect(count(`select count(*) from runs where state_type = 'COMPLETED' and owner is null`)).toBe(240);
});

test('a process killed in the middle of its flushes leaves a sound file with everything it was promised', async () => {
  for (const linesBefore of [1, 40, 133]) {
    const child = spawn(process.execPath, [writer.path, url, '1000000', '7'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    const promised: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      promised.push(line);
      if (promised.length === linesBefore) child.kill('SIGKILL');
    }
    await exited;
    expect(promised.length).toBeGreaterThanOrEqual(linesBefore);
    const stored = new Set(recorded());
    expect(promised.filter((line) => /\/task\[\d+\]$/.test(line) && !stored.has(line))).toEqual([]);
    expect(text('pragma integrity_check')).toBe('ok');
    expect(count(`select count(*) from task_runs where not exists (select 1 from transitions where task_run_id = task_runs.id)`)).toBe(0);
  }
});

test('a write waits for another connection that holds the lock, and the event loop goes on meanwhile', async () => {
  const store = await openStore({ url });
  const claim = await startRun(store);
  const other = new Database(path);
  other.exec('begin immediate');
  let settled = false;
  const writing = store.recorder.addTaskRun(claim, taskRun(claim.runId, 'a'), null).finally(() => {
    settled = true;
  });
  const claiming = store.runs.claim(claim.runId, ownerNamed('b'), 1000);
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(settled).toBe(false);
  other.exec('commit');
  other.close();
  await writing;
  expect(await claiming).toMatchObject({ claimed: false, reason: 'held' });
  await store.close();
});

test('a lock that is never given back ends the wait with STORE_UNAVAILABLE once the time is over', async () => {
  const store = await openStore({ url, busyTimeoutMs: 1 });
  const other = new Database(path);
  other.exec('begin immediate');
  await expect(store.recorder.addLog(logLine('r', 'x'))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  other.exec('commit');
  await store.recorder.addLog(logLine('r', 'y'));
  expect(await store.logs.ofRun('r')).toHaveLength(1);
  other.close();
  await store.close();
});

test('a transaction of one caller never takes the flush of another into it', async () => {
  const store = await openStore({ url });
  const claim = await startRun(store);
  const rows = Array.from({ length: 200 }, (_, index) => taskRun(claim.runId, `t[${index}]`, { index }));
  const cancelling = Array.from({ length: 20 }, () => store.runs.requestCancel(claim.runId, 5, 'x'));
  const writing = rows.map(async (row) => await store.recorder.addTaskRun(claim, row, transitionOf(row)));
  const failing = store.runs.reopen(claim.runId, 5);
  await Promise.all([...cancelling, ...writing, failing]);
  expect(await store.taskRuns.ofRun(claim.runId)).toHaveLength(200);
  await store.close();
});

test('a full disk refuses what no longer fits and keeps all that was promised', async () => {
  const errors: unknown[] = [];
  const store = await openOnSmallDisk(path, 60, (error) => errors.push(error));
  const claim = await startRun(store);
  let promised = 0;
  let refusal: unknown = null;
  while (refusal === null) {
    const row = taskRun(claim.runId, `t[${promised}]`, { result: 'x'.repeat(20_000) });
    await store.recorder.addTaskRun(claim, row, transitionOf(row)).then(
      () => (promised += 1),
      (error: unknown) => (refusal = error),
    );
  }
  expect(promised).toBeGreaterThan(3);
  expect(refusal).toMatchObject({ code: 'STORE_FULL', message: expect.stringContaining(path) });
  expect(errors).toEqual([refusal]);
  await expect(store.runs.insert({ ...newRun(), params: 'x'.repeat(200_000) })).rejects.toMatchObject({ code: 'STORE_FULL' });
  await store.close();
  expect(text('pragma integrity_check')).toBe('ok');
  expect(recorded()).toHaveLength(promised);
  const again = await openStore({ url });
  const row = taskRun(claim.runId, 'after', {});
  await again.recorder.addTaskRun(claim, row, transitionOf(row));
  await again.close();
});

test.each([
  ['a text file', (): void => writeFileSync(path, 'not a database at all, but long enough to have a header '.repeat(40))],
  ['a database whose pages were overwritten', (): void => overwriteMiddle()],
])('%s is refused as damaged, by its path', async (_name, damage) => {
  const store = await openStore({ url });
  for (let index = 0; index < 300; index += 1) await store.runs.insert({ ...newRun(), params: 'p'.repeat(500) });
  await store.close();
  checkpoint();
  damage();
  const looking = openStore({ url }).then(async (opened) => {
    try {
      await opened.runs.list({ limit: 1000 });
    } finally {
      await opened.close();
    }
  });
  await expect(looking).rejects.toMatchObject({ code: 'STORE_CORRUPT', message: expect.stringContaining(path) });
});

test('an empty file becomes a database', async () => {
  mkdirSync(join(folder, 'deep'));
  writeFileSync(path, '');
  const store = await openStore({ url });
  expect(await store.schemaVersion()).toBeGreaterThan(0);
  await store.close();
});

test('a folder, or a path below a file, cannot be opened', async () => {
  await expect(openStore({ url: `sqlite:${folder}` })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  writeFileSync(join(folder, 'file'), '');
  await expect(openStore({ url: `sqlite:${join(folder, 'file', 'x.db')}` })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
});

test('a folder or a file that may not be written is refused as read-only', async () => {
  const locked = join(folder, 'locked');
  mkdirSync(locked);
  chmodSync(folder, 0o755);
  chmodSync(locked, 0o555);
  expect(await openAsUser(`sqlite:${join(locked, 'batuta.db')}`)).toMatchObject({
    code: 'STORE_READ_ONLY',
    message: expect.stringContaining(locked),
  });
  expect(await openAsUser(`sqlite:${join(locked, 'deeper', 'batuta.db')}`)).toMatchObject({ code: 'STORE_READ_ONLY' });
  const open = join(folder, 'open');
  mkdirSync(open);
  const file = join(open, 'batuta.db');
  await (await openStore({ url: `sqlite:${file}` })).close();
  for (const suffix of ['-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
  chmodSync(file, 0o444);
  chmodSync(open, 0o777);
  expect(await openAsUser(`sqlite:${file}`)).toMatchObject({ code: 'STORE_READ_ONLY' });
});

test('a store in memory works and is gone with its connection', async () => {
  const store = await openStore({ url: 'sqlite::memory:' });
  const claim = await startRun(store);
  expect(await store.runs.get(claim.runId)).toMatchObject({ owner });
  await store.close();
});

test.each(['', 'sqlite:', 'mysql://u:secret@h/d', 'batuta.db'])('the URL "%s" is refused without showing a password', async (bad) => {
  await expect(openStore({ url: bad })).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.not.stringContaining('secret') });
});

test('the number of the data changes when another connection writes and only then', async () => {
  const [store, other] = [await openStore({ url }), await openStore({ url })];
  const before = store.dataVersion();
  await startRun(store);
  expect(store.dataVersion()).toBe(before);
  await startRun(other);
  expect(store.dataVersion()).not.toBe(before);
  await store.close();
  await other.close();
});

async function openAsUser(target: string): Promise<unknown> {
  return JSON.parse((await run(process.execPath, [opener.path, target])).stdout);
}

function ask(statement: string): unknown[][] {
  const database = new Database(path);
  const rows = database.prepare(statement).raw().all() as unknown[][];
  database.close();
  return rows;
}
const count = (statement: string): number => Number(ask(statement)[0]?.[0]);
const text = (statement: string): unknown => ask(statement)[0]?.[0];
const recorded = (): string[] => ask('select run_id, key from task_runs').map(([runId, key]) => `${String(runId)}/${String(key)}`);
const checkpoint = (): unknown => ask('pragma wal_checkpoint(truncate)');

/** Leaves the first page, which opening reads, and puts nonsense over those behind it. */
function overwriteMiddle(): void {
  const bytes = readFileSync(path);
  expect(statSync(path).size).toBeGreaterThan(40 * 4096);
  truncateSync(path);
  for (let page = 4; page < bytes.length / 4096; page += 1) bytes.fill(0xa5, page * 4096, page * 4096 + 2048);
  writeFileSync(path, bytes);
}
