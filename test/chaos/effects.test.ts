/**
 * Tasks with a transaction, killed at every point: a counter in the user's table moves once a task, however often its process dies.
 *
 * `EFFECT_ROUNDS` deaths at each point and on each database; `npm run chaos` sets 250, which is a thousand on each.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileProgram, type Program, startProgram } from '../support/run-source.ts';
import { openSqlDatabase, type SqlDatabase } from '../support/sql-databases.ts';
import type { EffectsOrder, Point } from './effects-program.ts';

const rounds = Number(process.env['EFFECT_ROUNDS'] ?? 2);
const points: readonly Point[] = ['before begin', 'in the middle', 'before commit', 'after commit'];
const tasks = ['a', 'b', 'c'];

describe.each(['postgres', 'sqlite'] as const)('a transaction on %s', (dialect) => {
  let program: Program;
  let database: SqlDatabase;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'batuta-effects-'));
    [program, database] = await Promise.all([compileProgram(`import './test/chaos/effects-program.ts';`), openSqlDatabase(dialect)]);
    await database.query('create table counters (name varchar(200) primary key, value integer not null)');
  });
  afterAll(async () => {
    program.remove();
    rmSync(folder, { recursive: true, force: true });
    await database.drop();
  });

  it.each(points)(
    'whose process is killed %s moves a counter once a task, however often',
    async (point) => {
      const ledger = join(folder, `ledger ${point}`);
      const common = { dialect, address: database.address, url: `sqlite:${join(folder, `${point}.db`)}`, ledger };
      const runIds: string[] = [];
      let runId: string | null = null;
      for (let round = 0; round <= rounds; round++) {
        const task = tasks[round % tasks.length] as string;
        const order: EffectsOrder = { ...common, runId, death: round === rounds ? null : { point, task } };
        const { signal, status, stdout, stderr } = await startProgram(program, [JSON.stringify(order)]).ended;
        if (runId !== null) {
          const given = tasks.slice(1).map((name) => `${runId} ${name}`);
          expect(stdout, stderr).toContain(`ended ${JSON.stringify(given.join(', '))}`);
        }
        expect([round, signal, status], stderr).toEqual(round === rounds ? [round, null, 0] : [round, 'SIGKILL', null]);
        runId = /started (\S+)/.exec(stdout)?.[1] ?? null;
        if (runId !== null) runIds.push(runId);
      }
      const names = runIds.flatMap((id) => tasks.map((name) => `${id} ${name}`)).sort();
      const counters = await database.query<{ name: string; value: number }>('select name, value from counters');
      const own = counters.filter(({ name }) => runIds.includes(name.split(' ')[0] ?? ''));
      expect(own.map(({ name, value }) => `${name} ${value}`).sort()).toEqual(names.map((name) => `${name} 1`));
      const effects = await database.query<{ run_id: string; task_key: string }>('select run_id, task_key from batuta_effects');
      const recorded = effects.filter(({ run_id: id }) => runIds.includes(id)).map(({ run_id: id, task_key: key }) => `${id} ${key}`);
      expect(recorded.sort()).toEqual(names);
      expect(runIds).toHaveLength(rounds);
      // What had committed is not even begun again; what had been begun and had not committed is.
      const begun = existsSync(ledger) ? readFileSync(ledger, 'utf8').trim().split('\n') : [];
      const again = { 'before begin': 0, 'in the middle': rounds, 'before commit': rounds, 'after commit': 0 }[point];
      expect(begun).toHaveLength(names.length + again);
    },
    60_000 + rounds * 10_000,
  );
});
