/**
 * Tasks with a transaction in a fleet whose workers die in them: in a thread, on another worker, mapped, and undone by a method that has one too.
 *
 * Each task kills the process that executes it once in each run: in the middle, before its commit, or after it.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { isTerminal } from '../../src/model/state.ts';
import { type Fleet, makeFleet } from '../support/fleet.ts';
import { openSqlDatabase, type SqlDatabase } from '../support/sql-databases.ts';

const kinds = ['apart', 'far', 'item0', 'item1', 'done', 'undo'];

let folder: string;
let fleet: Fleet;
let database: SqlDatabase;
let end: AbortController;
let lives: readonly Promise<void>[] = [];
beforeEach(async () => {
  end = new AbortController();
  folder = mkdtempSync(join(tmpdir(), 'batuta-effects-fleet-'));
  mkdirSync(join(folder, 'deaths'));
  database = await openSqlDatabase('sqlite');
  await database.query('create table counters (name varchar(200) primary key, value integer not null)');
  fleet = await makeFleet({
    on: 'sqlite',
    leaseMs: 2_000,
    env: {
      BATUTA_FLOWS: resolve('test/chaos/effects-fleet-flows.ts'),
      BATUTA_MAX_RECOVERIES: '1000',
      EFFECTS_DATABASE: database.address,
      EFFECTS_DEATHS: join(folder, 'deaths'),
    },
  });
});
afterEach(async () => {
  end.abort();
  await fleet.stop();
  await Promise.all(lives);
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

it('take effect once each, wherever they execute and whenever their process is killed', { timeout: 180_000 }, async () => {
  /** Starts a worker anew whenever it has died. */
  const keepAlive = async (queue: string): Promise<void> => {
    while (!end.signal.aborted) {
      // It may die before it has said that it serves.
      const member = await fleet.start('worker', '--queue', queue).catch(() => null);
      await member?.exited;
    }
  };
  lives = [keepAlive('default'), keepAlive('far')];
  await fleet.start('scheduler');
  const points = ['in the middle', 'before commit', 'after commit'];
  const handles = await Promise.all(points.map((point) => fleet.client.enqueue('effects-of-all-kinds', { point })));
  const ids = handles.map(({ id }) => id);
  const runs = () => Promise.all(ids.map((id) => fleet.client.runs.get(id)));
  await expect
    .poll(async () => (await runs()).filter(({ state }) => !isTerminal(state.type)).length, { timeout: 150_000, interval: 200 })
    .toBe(0);

  expect((await runs()).map(({ state, error }) => [state.name, error?.message, state.message])).toEqual(
    ids.map(() => ['Failed', expect.stringContaining('on purpose'), expect.stringContaining('Rolled back')]),
  );
  const names = ids.flatMap((id) => kinds.map((kind) => `${id} ${kind}`)).sort();
  expect(readdirSync(join(folder, 'deaths')).sort()).toEqual(names);
  const counters = await database.query<{ name: string; value: number }>('select name, value from counters order by name');
  expect(counters.map(({ name, value }) => `${name}: ${value}`).sort()).toEqual(names.map((name) => `${name}: 1`));
  // What was undone may take effect again.
  const effects = await database.query<{ run_id: string; task_key: string }>('select run_id, task_key from batuta_effects');
  const keys = ['apart', 'far', 'item[0] 1', 'item[1] 2', 'rollback:1:done'];
  expect(effects.map(({ run_id: id, task_key: key }) => `${id} ${key}`).sort()).toEqual(
    ids.flatMap((id) => keys.map((key) => `${id} ${key}`)).sort(),
  );
  // What had committed is not even begun again, and all else is.
  const begun = readFileSync(join(folder, 'ledger'), 'utf8').trim().split('\n');
  const times = points.map((_, at) => begun.filter((line) => line.startsWith(`${ids[at]} `)).length);
  expect(times[0]).toBeGreaterThanOrEqual(2 * kinds.length);
  expect(times[1]).toBeGreaterThanOrEqual(2 * kinds.length);
});
