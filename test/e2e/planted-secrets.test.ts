/**
 * Secrets that were planted everywhere, looked for wherever data ends up: files of the database, every table, Redis, result files, what processes print,
 * answers of the API. With real processes, and as a check of the search itself one value that must be found.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres.ts';
import { type OwnRedis, startRedis } from '../support/redis.ts';
import { type CliProject, makeCliProject, type Started } from './cli-project.ts';

const stored = `planted-stored-${randomBytes(6).toString('hex')}"\\ü`;
const referred = `planted-referred-${randomBytes(6).toString('hex')}`;
const sensitive = `planted-sensitive-${randomBytes(6).toString('hex')}`;
const password = `planted-p@ss/word-${randomBytes(6).toString('hex')}`;
const payload = `planted-payload-${randomBytes(6).toString('hex')}`;
/** Stands in clear by right. */
const open = `planted-open-${randomBytes(6).toString('hex')}`;

const flow = `
import { Flow, Task, type TaskContext } from 'batuta';
import { z } from 'zod';

@Flow({ params: z.object({ token: z.string().meta({ sensitive: true }), note: z.string() }), runName: 'leak {token}' })
export class Leaky {
  @Task()
  async leak(ctx: TaskContext<{ token: string; note: string }>): Promise<string> {
    const values = [await ctx.secret('stored'), await ctx.secret('referred'), ctx.params.token, (await ctx.connection('db', 'postgres')).url];
    for (const value of values) {
      ctx.log.info({ value, nested: [{ value }] }, 'log ' + value);
      console.error('console', value, { value });
      await ctx.artifact.json('artifact ' + value, { value });
      await ctx.artifact.markdown('text', value);
      ctx.reject({ value }, value);
    }
    setTimeout(() => { throw new Error('escaped ' + values.join(' ')); }, 1);
    await new Promise((resolve) => setTimeout(resolve, 200));
    return 'done';
  }
  @Task({ after: ['leak'], trigger: 'allDone', isolate: 'thread' })
  async thread(ctx: TaskContext<{ token: string; note: string }>): Promise<string> {
    const values = [await ctx.secret('stored'), await ctx.secret('referred'), ctx.params.token];
    console.log('thread', ...values);
    ctx.log.warn({ values }, values.join());
    throw Object.assign(new Error('thread ' + values.join(' '), { cause: new TypeError(values.join()) }), { details: { values }, response: values });
  }
  @Task({ after: ['leak'], trigger: 'allDone' })
  async keep(ctx: TaskContext<{ token: string; note: string }>): Promise<string> {
    return ctx.params.note + ' and much more '.repeat(30_000);
  }
  @Task({ after: ['leak'], trigger: 'allDone', retries: 1 })
  async give(ctx: TaskContext<{ token: string; note: string }>): Promise<unknown> {
    return { secret: await ctx.secret('stored') };
  }
}
`;

interface Place {
  readonly env: Readonly<Record<string, string>>;
  /** Everything that is stored, as bytes. */
  dump(): Promise<Buffer>;
}

function filesBelow(folder: string): Buffer {
  // With PostgreSQL nothing need be on disk.
  if (!existsSync(folder)) return Buffer.alloc(0);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Buffer.concat(files.map((file) => Buffer.concat([Buffer.from(`${file.name}\n`), readFileSync(join(file.parentPath, file.name))])));
}

/** Where a value stands, with what stands around it; nothing where it does not. */
function around(text: string, value: string): string {
  const at = text.indexOf(value);
  return at < 0 ? '' : text.slice(Math.max(0, at - 300), at + 300);
}

async function everyTable(url: string): Promise<Buffer> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(`select tablename as name from pg_tables where schemaname = 'public'`);
    const texts: string[] = [];
    for (const { name } of rows)
      texts.push(...(await client.query<{ row: string }>(`select t::text as row from "${name}" t`)).rows.map(({ row }) => row));
    return Buffer.from(texts.join('\n'));
  } finally {
    await client.end();
  }
}

async function everyKey(url: string): Promise<Buffer> {
  const client = new Redis(url);
  try {
    const dumps: Buffer[] = [];
    for (const key of await client.keys('*')) dumps.push(Buffer.from(key), (await client.dumpBuffer(key)) ?? Buffer.alloc(0));
    return Buffer.concat(dumps);
  } finally {
    client.disconnect();
  }
}

describe.each(['sqlite', 'postgres and redis'])('planted secrets on %s', (kind) => {
  let project: CliProject;
  let database: TestDatabase | null = null;
  let redis: OwnRedis | null = null;
  let place: Place;
  const started: Started[] = [];
  const printed: string[] = [];
  const answers: string[] = [];
  let redisDump: Buffer = Buffer.alloc(0);
  beforeAll(async () => {
    project = makeCliProject({
      'flows/leaky.ts': flow,
      'stored.txt': stored,
      'url.txt': `postgres://etl:${encodeURIComponent(password)}@db.invalid:5432/shop`,
    });
    const keys = {
      BATUTA_SECRET_KEY: randomBytes(32).toString('hex'),
      BATUTA_PAYLOAD_KEY: randomBytes(32).toString('base64'),
      PLANTED: referred,
    };
    if (kind !== 'sqlite') {
      database = await createDatabase();
      redis = await startRedis(['--maxmemory-policy', 'noeviction']);
    }
    place = {
      env: {
        ...keys,
        BATUTA_LOG_LEVEL: 'trace',
        ...(database && redis ? { BATUTA_DATABASE_URL: database.url, BATUTA_REDIS_URL: redis.url } : {}),
      },
      dump: async () => Buffer.concat([filesBelow(join(project.path, '.batuta')), ...(database ? [await everyTable(database.url)] : [])]),
    };
    const say = async (...args: string[]) => {
      const { status, stdout, stderr } = await project.batutaWith(place.env, ...args);
      printed.push(stdout, stderr);
      return { status, stdout, stderr };
    };
    expect((await say('secret', 'set', 'stored', '@stored.txt')).status).toBe(0);
    expect((await say('secret', 'set', 'referred', '--ref', 'env:PLANTED')).status).toBe(0);
    expect((await say('connection', 'set', 'db', '--url', '@url.txt')).status).toBe(0);
    expect((await say('variable', 'set', 'note', open)).status).toBe(0);

    const worker = project.startWith(place.env, 'worker');
    const server = project.startWith({ ...place.env, BATUTA_PORT: '0' }, 'server');
    started.push(worker, server);
    await server.sees('Server at');
    const submitted = await say('runs', 'submit', 'leaky', '--params', JSON.stringify({ token: sensitive, note: payload }), '--json');
    expect(submitted.stderr.includes('error'), submitted.stderr).toBe(false);
    const { id } = JSON.parse(submitted.stdout) as { id: string };
    expect((await say('runs', 'watch', id)).status).toBe(1);
    if (redis) redisDump = await everyKey(redis.url);
    for (const args of [
      ['runs', 'inspect', id],
      ['runs', 'logs', id],
      ['secret', 'ls'],
      ['secret', 'get', 'stored', '--json'],
      ['connection', 'get', 'db'],
      ['connection', 'ls', '--json'],
      ['runs', 'ls', '--json'],
    ])
      await say(...args);
    const base = /http:\/\/\S+?:\d+/.exec(server.output())?.[0] ?? '';
    const { items } = (await (await fetch(`${base}/api/runs/${id}/tasks`)).json()) as { items: readonly { id: string; name: string }[] };
    const paths = [
      '',
      '/params',
      '/graph',
      '/tasks',
      '/transitions',
      '/logs',
      '/logs/download',
      '/artifacts',
      ...items.flatMap((task) => [`/tasks/${task.id}`, `/tasks/${task.id}/result`]),
    ];
    const others = [
      '/',
      '/runs',
      '/secrets',
      '/api/runs',
      '/api/artifacts',
      '/api/secrets',
      '/api/secrets/stored',
      '/api/connections',
      '/api/variables',
      '/api/settings',
      '/api/audit',
      '/api/overview',
    ];
    for (const path of [...paths.map((path) => `/api/runs/${id}${path}`), ...others]) answers.push(await (await fetch(base + path)).text());
    for (const { child, finished, output } of [worker, server]) {
      child.kill('SIGTERM');
      await finished;
      printed.push(output());
    }
  }, 180_000);
  afterAll(async () => {
    for (const { child, finished } of started) {
      child.kill('SIGKILL');
      await finished;
    }
    project.remove();
    await redis?.stop();
    await database?.drop();
  });

  /** Beginnings tell as well: what is cut in the middle is not hidden. */
  const planted = [stored, referred, sensitive, password].map((value) => value.slice(0, 26));

  it('are in no byte of what is stored, while what may be seen is there', async () => {
    const bytes = await place.dump();
    expect(bytes.includes(open)).toBe(true);
    for (const value of [...planted, encodeURIComponent(password), payload])
      for (const form of [value, Buffer.from(value).toString('hex')]) expect(around(bytes.toString('latin1'), form)).toBe('');
  });

  it('can be read with their key, as the doctor says, which names the key where another is set', { timeout: 120_000 }, async () => {
    const checkWith = async (env: Readonly<Record<string, string>>) => {
      const { stdout } = await project.batutaWith({ ...place.env, ...env }, 'doctor', '--json');
      const { checks } = JSON.parse(stdout) as { checks: { name: string; verdict: string; found: string }[] };
      return checks.find(({ name }) => name === 'secrets');
    };
    expect(await checkWith({})).toMatchObject({ verdict: 'good', found: expect.stringContaining('2 stored') });
    expect(await checkWith({ BATUTA_SECRET_KEY: 'f'.repeat(64) })).toMatchObject({
      verdict: 'bad',
      found: expect.stringContaining('is encrypted with the key'),
    });
  });

  it('are in no key of Redis', () => {
    if (kind !== 'sqlite') expect(redisDump.length).toBeGreaterThan(0);
    for (const value of [...planted, payload]) expect(around(redisDump.toString('latin1'), value)).toBe('');
  });

  it('are in nothing that was printed: commands, worker, server, crashes', () => {
    const text = printed.join('\n');
    expect(text).toContain('[redacted]');
    expect(text).toContain('escaped [redacted]');
    for (const value of [...planted, encodeURIComponent(password)]) expect(around(text, value)).toBe('');
  });

  it('are in no answer of the API, which shows the payload itself', () => {
    const text = answers.join('\n');
    expect(text).toContain(open);
    expect(text).toContain(payload);
    expect(text).toContain('SECRET_EXPOSED');
    for (const value of [...planted, encodeURIComponent(password)]) expect(around(text, value)).toBe('');
  });
});
