import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres.ts';
import { startPgBouncer } from '../support/pgbouncer.ts';
import { freePort } from '../support/redis.ts';
import { makeCliProject } from './cli-project.ts';

interface Check {
  readonly name: string;
  readonly verdict: string;
  readonly found: string;
  readonly mend: string | null;
}

describe('batuta doctor on PostgreSQL without Redis', () => {
  const project = makeCliProject();
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase();
  });
  afterAll(async () => {
    await database.drop();
    project.remove();
  });

  async function brokerCheck(brokerUrl: string) {
    const env = { BATUTA_DATABASE_URL: database.url, BATUTA_BROKER_URL: brokerUrl, BATUTA_REDIS_URL: '' };
    const { status, stdout } = await project.batutaWith(env, 'doctor', '--json');
    const { checks } = JSON.parse(stdout) as { checks: Check[] };
    return { status, check: checks.find(({ name }) => name === 'broker') };
  }

  it('shows encoding, rights, connections, and whether a pooler stands between', async () => {
    const pooler = await startPgBouncer(database.url, 'transaction');
    const foundAt = async (url: string) => {
      const { stdout } = await project.batutaWith({ BATUTA_DATABASE_URL: url, BATUTA_DATABASE_CONNECTIONS: '7' }, 'doctor', '--json');
      return (JSON.parse(stdout) as { checks: Check[] }).checks.find(({ name }) => name === 'postgres');
    };
    expect(await foundAt(database.url)).toMatchObject({
      verdict: 'good',
      found: expect.stringMatching(/^version \d+.*, UTF8, schema public, reached directly, up to 7 connections a process of \d+$/),
    });
    expect(await foundAt(pooler.url)).toMatchObject({
      verdict: 'good',
      found: expect.stringContaining('through a pooler, so nothing is prepared'),
    });
    await pooler.stop();
  });

  it('says that no worker starts as long as nothing wakes it', async () => {
    const { status, check } = await brokerCheck('');
    expect([status, check?.verdict]).toEqual([1, 'bad']);
    expect(check?.mend).toContain('BATUTA_BROKER_URL');
  });

  it('is content with a PostgreSQL that carries tickets, and names one that is not there without its password', async () => {
    const there = await brokerCheck(database.url);
    expect([there.status, there.check?.verdict]).toEqual([0, 'good']);
    const away = await brokerCheck(`postgres://batuta:hunter2@127.0.0.1:${await freePort()}/batuta`);
    expect([away.status, away.check?.verdict]).toEqual([1, 'bad']);
    expect(away.check?.found).toMatch(/^BROKER_UNAVAILABLE: /);
    expect(away.check?.found).not.toContain('hunter2');
  });
});
