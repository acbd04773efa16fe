/** Passwords in addresses, and what other users of the machine may read. */
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres.ts';
import { freePort, type OwnRedis, startRedis } from '../support/redis.ts';
import { makeCliProject } from './cli-project.ts';

const secret = 'hunter2hunter2';
/** As people paste them, and what ends an address too early. */
const passwords = [secret, `a@${secret}`, `1/${secret}`, `a#${secret}`, `a'${secret}`, `a"${secret}`, `a ${secret}`, `${secret}%zz`];

describe('what is secret', () => {
  const project = makeCliProject({
    'flows/hello.ts':
      "import { Flow, Task } from 'batuta';\n@Flow()\nexport class Hello {\n  @Task() async say(): Promise<number> { return 1; }\n}\n",
  });
  let database: TestDatabase;
  let redis: OwnRedis;
  let closed: number;
  beforeAll(async () => {
    database = await createDatabase();
    redis = await startRedis(['--requirepass', 'right'], ':right@');
    closed = await freePort();
  });
  afterAll(async () => {
    await redis.stop();
    await database.drop();
    project.remove();
  });

  async function everyOutput(env: Readonly<Record<string, string>>, ...commands: readonly string[][]): Promise<string> {
    const told = [];
    for (const command of commands) {
      const { stdout, stderr } = await project.batutaWith(env, ...command);
      expect(stdout + stderr).not.toBe('');
      told.push(stdout, stderr);
    }
    return told.join('\n');
  }

  it('no command shows the password of an address, whatever is in it and whatever is wrong', { timeout: 300_000 }, async () => {
    const { host } = new URL(database.url);
    const databases = [
      ...passwords.map((password) => `postgres://ann:${password}@127.0.0.1:${closed}/shop`),
      `postgres://ann:${secret}@no-such-host.invalid/shop`,
      `postgres://nobody:${secret}@${host}/shop`,
      `postgres://ann:${secret}@${host}/shop?sslmode=require&sslpassword=${secret}`,
      `postgres//ann:${secret}@127.0.0.1/shop`,
    ];
    for (const url of databases) {
      const told = await everyOutput({ BATUTA_DATABASE_URL: url }, ['config', '--json'], ['doctor'], ['runs', 'ls', '--verbose']);
      expect(told).not.toContain('hunter2');
    }
    const servers = [
      ...passwords.map((password) => `redis://:${password}@127.0.0.1:${redis.port}`),
      `redis://${secret}@127.0.0.1:${redis.port}`,
      `rediss://:${secret}@127.0.0.1:${redis.port}`,
      `redis://:${secret}@127.0.0.1:${closed}?sentinel=main&sentinelPassword=${secret}`,
    ];
    for (const url of servers) {
      const env = { BATUTA_REDIS_URL: url, BATUTA_LOG_FORMAT: 'json', BATUTA_LOG_LEVEL: 'debug' };
      expect(await everyOutput(env, ['config'], ['doctor', '--json'], ['runs', 'submit', 'hello', '--verbose'])).not.toContain('hunter2');
    }
  });

  it('neither the API nor the log of a server whose Redis refuses it holds the password of its address', { timeout: 60_000 }, async () => {
    const env = { BATUTA_REDIS_URL: `redis://:${secret}@127.0.0.1:${redis.port}`, BATUTA_PORT: '0', BATUTA_LOG_LEVEL: 'debug' };
    const server = project.startWith(env, 'server');
    await server.sees('Server at');
    const base = /http:\/\/\S+?:\d+/.exec(server.output())?.[0] ?? '';
    const answers = await Promise.all(
      ['/health/ready', '/api/runs', '/api/queues', '/api/settings', '/api/nothing'].map(async (path) => (await fetch(base + path)).text()),
    );
    server.child.kill('SIGTERM');
    await server.finished;
    expect(answers.join('\n')).not.toContain('hunter2');
    expect(server.output()).not.toContain('hunter2');
  });

  it('doctor says when others may read the database or the results, and .batuta is closed as it is opened', async () => {
    const privateCheck = async (url: string): Promise<unknown> => {
      const { stdout } = await project.batutaWith({ BATUTA_DATABASE_URL: url }, 'doctor', '--json');
      return (JSON.parse(stdout) as { checks: { name: string }[] }).checks.find(({ name }) => name === 'private');
    };
    const own = join(project.path, '.batuta');
    mkdirSync(join(own, 'results'), { recursive: true });
    for (const folder of [own, join(own, 'results')]) chmodSync(folder, 0o755);
    await project.batuta('runs', 'ls');
    expect([own, join(own, 'results')].map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o700]);
    expect(await privateCheck('sqlite:.batuta/batuta.db')).toMatchObject({ verdict: 'good' });

    const elsewhere = join(project.path, 'data');
    await project.batuta('--database-url', `sqlite:${elsewhere}/b.db`, 'runs', 'ls');
    chmodSync(join(elsewhere, 'b.db'), 0o644);
    expect(await privateCheck(`sqlite:${elsewhere}/b.db`)).toMatchObject({
      verdict: 'odd',
      found: expect.stringContaining('b.db'),
      mend: expect.stringContaining('chmod'),
    });
  });
});
