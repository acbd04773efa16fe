/**
 * Streams whose process is killed in the middle: every record reaches the end of the stream, and none is repeated but those that were taken after
 * the position from which it goes on.
 *
 * `STREAM_DEATHS` deaths over `STREAM_RECORDS` records; `npm run chaos` sets 10 and 5,000,000.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileProgram, type Program, type Started, startProgram } from '../support/run-source.ts';
import { openSqlDatabase, type SqlDatabase } from '../support/sql-databases.ts';
import type { StreamsOrder } from './streams-program.ts';

const deaths = Number(process.env['STREAM_DEATHS'] ?? 2);
const records = Number(process.env['STREAM_RECORDS'] ?? 120_000);
/** The source pauses for a millisecond after every few records, which takes many times that on a machine that is busy. */
const readMs = records / 2;

describe('a stream whose process is killed', () => {
  let program: Program;
  let database: SqlDatabase;
  let folder: string;
  let living: Started | null = null;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'batuta-streams-'));
    [program, database] = await Promise.all([compileProgram(`import './test/chaos/streams-program.ts';`), openSqlDatabase('sqlite')]);
    await database.query('create table numbers (number integer not null)');
  });
  afterAll(async () => {
    living?.child.kill('SIGKILL');
    await living?.ended;
    program.remove();
    rmSync(folder, { recursive: true, force: true });
    await database.drop();
  });

  async function live(flow: StreamsOrder['flow']): Promise<string> {
    const ledger = join(folder, `${flow}.ledger`);
    let runId: string | null = null;
    for (let round = 0; round <= deaths; round++) {
      const dies = round < deaths;
      const order: StreamsOrder = {
        url: `sqlite:${join(folder, `${flow}.db`)}`,
        database: database.address,
        ledger,
        flow,
        records,
        runId,
        dies,
      };
      living = startProgram(program, [JSON.stringify(order)]);
      const { signal, status, stdout, stderr } = await living.ended;
      expect([round, signal, status], stderr).toEqual(dies ? [round, 'SIGKILL', null] : [round, null, 0]);
      runId = /started (\S+)/.exec(stdout)?.[1] ?? null;
      if (!dies) expect(stdout).toContain('ended Completed');
    }
    return readFileSync(ledger, 'utf8');
  }

  it(
    'goes on from its last confirmed position: none is lost, and none repeated that came before it',
    async () => {
      const times = new Uint8Array(records);
      const allowed = new Uint8Array(records).fill(1);
      let last = -1;
      const begun: number[] = [];
      for (const line of (await live('positions')).trim().split('\n')) {
        const [first, second] = line.split(' ');
        if (first === 'from') {
          // What was taken before and lies behind the position may come once more.
          for (let at = Number(second); at <= last; at++) allowed[at] = (allowed[at] ?? 0) + 1;
          begun.push(Number(second));
          continue;
        }
        for (let at = Number(first); at <= Number(second); at++) times[at] = (times[at] ?? 0) + 1;
        last = Math.max(last, Number(second));
      }
      expect(begun).toHaveLength(deaths + 1);
      // Each life has confirmed something, so that the next begins further on.
      expect(begun.every((from, at) => at === 0 || from > (begun[at - 1] ?? 0))).toBe(true);
      expect(times.indexOf(0)).toBe(-1);
      expect(times.findIndex((count, at) => count > (allowed[at] ?? 0))).toBe(-1);
    },
    60_000 + deaths * 60_000 + readMs,
  );

  it(
    'and whose end writes in a transaction has written each record once',
    async () => {
      await live('transaction');
      const [row] = await database.query<{ rows: number; different: number }>(
        'select count(*) as rows, count(distinct number) as different from numbers',
      );
      expect(row).toEqual({ rows: records, different: records });
    },
    60_000 + deaths * 120_000 + readMs,
  );
});
