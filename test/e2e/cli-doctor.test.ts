import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres.ts';
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
