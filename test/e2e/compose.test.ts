/** What docker-compose.yml would run in containers, run as plain processes: the same commands, variables and health checks. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ComposeService, interpolate, parseCompose, readDockerfile } from '../support/containers.ts';
import { createDatabase, type TestDatabase } from '../support/postgres.ts';
import { makeProject, type ProjectFolder } from '../support/project-folder.ts';
import { type OwnRedis, startRedis } from '../support/redis.ts';

const passwords = { POSTGRES_PASSWORD: 'postgres0', REDIS_PASSWORD: 'redis0', BATUTA_ADMIN_KEY: randomBytes(32).toString('hex') };
const { services } = interpolate(parseCompose(readFileSync('docker-compose.yml', 'utf8')), passwords);
const entrypoint = JSON.parse(readDockerfile('Dockerfile').findLast(({ name }) => name === 'ENTRYPOINT')?.rest ?? '[]') as string[];

/** Stands for one container: its process, and what else is run in it. */
interface Container {
  readonly process: ChildProcess;
  log(): string;
  /** Runs a command beside it, as `docker compose exec` does. */
  exec(line: readonly string[]): Promise<{ readonly status: number | null; readonly out: string }>;
  end(): Promise<number | null>;
}

let app: ProjectFolder;
let database: TestDatabase;
let redis: OwnRedis;
const containers: Container[] = [];

beforeAll(async () => {
  database = await createDatabase();
  const options = services['redis']?.command?.slice(4) ?? [];
  redis = await startRedis([...options, '--requirepass', passwords.REDIS_PASSWORD], `:${passwords.REDIS_PASSWORD}@`);
  app = makeProject({}, { modules: false });
  // As the Dockerfile lays it out, and the compose file mounts the flows.
  for (const name of ['dist', 'package.json', 'flows']) cpSync(name, join(app.path, name), { recursive: true });
  for (const name of listPackages()) {
    mkdirSync(dirname(join(app.path, name)), { recursive: true });
    symlinkSync(resolve(name), join(app.path, name));
  }
  mkdirSync(join(app.path, 'bin'));
  chmodSync(join(app.path, 'dist/cli/main.js'), 0o755);
  symlinkSync(join(app.path, 'dist/cli/main.js'), join(app.path, 'bin/batuta'));
});
afterAll(async () => {
  for (const { process } of containers) process.kill('SIGKILL');
  await Promise.all(containers.map((container) => container.end()));
  await database.drop();
  await redis.stop();
  app.remove();
});

/** What `npm ci --omit=dev` installs, as paths: `node_modules/pg`. */
function listPackages(): string[] {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
  };
  return Object.entries(packages)
    .filter(([path, { dev = false }]) => !dev && /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) && existsSync(path))
    .map(([path]) => path);
}

/** Starts a service; what differs from its container is where the two servers are, and that its /tmp is a folder. */
function up(service: ComposeService | undefined, number: number): Container {
  const { environment = {}, command = [] } = service ?? {};
  const tmp = join(app.path, `tmp-${number}`);
  mkdirSync(tmp);
  expect([environment['BATUTA_DATABASE_URL'], environment['BATUTA_REDIS_URL']]).toEqual([
    'postgres://batuta:postgres0@postgres:5432/batuta',
    'redis://:redis0@redis:6379',
  ]);
  const env = {
    ...environment,
    BATUTA_DATABASE_URL: database.url,
    BATUTA_REDIS_URL: redis.url,
    BATUTA_HEALTH_FILE: (environment['BATUTA_HEALTH_FILE'] ?? '').replace('/tmp', tmp),
    NODE_ENV: 'production',
    PATH: `${join(app.path, 'bin')}:${process.env['PATH'] ?? ''}`,
    TMPDIR: tmp,
  };
  const spawned = ([program = '', ...args]: readonly string[]): ChildProcess =>
    spawn(program, args, { cwd: app.path, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const child = spawned([...entrypoint, ...command]);
  const log = gather(child);
  const exited = once(child, 'close') as Promise<[number | null]>;
  const container: Container = {
    process: child,
    log,
    async exec(line) {
      const beside = spawned(line);
      const out = gather(beside);
      const [status] = (await once(beside, 'close')) as [number | null];
      return { status, out: out() };
    },
    async end() {
      child.kill('SIGTERM');
      return (await exited)[0];
    },
  };
  containers.push(container);
  return container;
}

function gather(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (chunk: string) => void (text += chunk));
  return () => text;
}

/** Asks the health check again and again, as Docker does, until it is content. */
async function healthy(container: Container, service: ComposeService | undefined): Promise<void> {
  const line = service?.healthcheck?.test.slice(1) ?? [];
  for (;;) {
    const { status, out } = await container.exec(line);
    if (status === 0) return;
    expect([container.process.exitCode, container.log()]).toEqual([null, expect.any(String)]);
    expect([status, out]).toEqual([1, expect.stringContaining('✕')]);
    await sleep(100);
  }
}

test('a scheduler and two workers become healthy, complete what is submitted, and end with status 0', async () => {
  const { scheduler, worker } = services;
  const beat = up(scheduler, 0);
  const workers = [up(worker, 1), up(worker, 2)];
  await Promise.all([healthy(beat, scheduler), ...workers.map((one) => healthy(one, worker))]);

  const doctor = await beat.exec(['batuta', 'doctor']);
  expect([doctor.status, doctor.out.match(/^✓/gm)?.length, doctor.out.includes('noeviction')]).toEqual([0, 14, true]);
  const listed = JSON.parse((await beat.exec(['batuta', 'worker', 'ls', '--json'])).out) as { alive: boolean; flows: object }[];
  expect(listed.map(({ alive, flows }) => [alive, Object.keys(flows).includes('hello')])).toEqual([
    [true, true],
    [true, true],
  ]);
  const submitted = await beat.exec(['batuta', 'runs', 'submit', 'hello', '-p', 'name=Ada', '--json']);
  expect(submitted.status).toBe(0);
  const { id } = JSON.parse(submitted.out) as { id: string };
  const watched = await beat.exec(['batuta', 'runs', 'watch', id, '--json']);
  expect([watched.status, JSON.parse(watched.out)]).toEqual([
    0,
    expect.objectContaining({ result: 'Hello, Ada!', state: expect.anything() }),
  ]);

  expect(await Promise.all([beat, ...workers].map((container) => container.end()))).toEqual([0, 0, 0]);
  for (const container of [beat, ...workers]) {
    expect(container.log()).not.toMatch(/"level":[456]0/);
    expect(await container.exec(['batuta', 'health', '--json'])).toEqual({ status: 1, out: expect.stringContaining('nothing beats here') });
  }
});

test('a server becomes healthy, is reached with the key of .env alone, and ends with status 0', async () => {
  const { server } = services;
  // Beside it stands whatever else listens on this machine.
  const port = { ...server, environment: { ...server?.environment, BATUTA_PORT: '0' } };
  const served = up(port, 5);
  await healthy(served, server);
  const { 1: url = '' } = /Server at (http:\/\/localhost:\d+)/.exec(served.log()) ?? [];
  expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  expect((await fetch(`${url}/api/runs`)).status).toBe(401);
  const asked = await fetch(`${url}/api/me`, { headers: { authorization: `Bearer ${passwords.BATUTA_ADMIN_KEY}` } });
  expect(await asked.json()).toMatchObject({ role: 'admin', who: 'bootstrap' });
  expect(served.log()).not.toContain(passwords.BATUTA_ADMIN_KEY);
  expect(await served.end()).toBe(0);

  const open = up({ ...port, environment: { ...port.environment, BATUTA_ADMIN_KEY: 'guessable' } }, 6);
  expect((await once(open.process, 'close'))[0]).toBe(2);
  expect(open.log()).toContain('at least');
});

test('a worker that is frozen is found out once its lease is over, and is well again when it goes on', async () => {
  const { worker } = services;
  const short = { ...worker, environment: { ...worker?.environment, BATUTA_LEASE: '2s', BATUTA_HEARTBEAT: '500ms' } };
  const frozen = up(short, 3);
  await healthy(frozen, worker);
  frozen.process.kill('SIGSTOP');
  for (;;) {
    const { status, out } = await frozen.exec(['batuta', 'health']);
    if (status === 1) {
      expect(out).toContain('it should within');
      break;
    }
    await sleep(100);
  }
  frozen.process.kill('SIGCONT');
  await healthy(frozen, worker);
  expect(await frozen.end()).toBe(0);
});

test('a process that was killed is found out at once', async () => {
  const { worker } = services;
  const killed = up(worker, 4);
  await healthy(killed, worker);
  killed.process.kill('SIGKILL');
  await killed.end();
  expect(await killed.exec(['batuta', 'health'])).toEqual({
    status: 1,
    out: expect.stringContaining(`Process ${killed.process.pid} is gone`),
  });
});

test('batuta health without a file to look at is wrong usage', async () => {
  const { status, out } = await (containers[0] as Container).exec(['env', '-u', 'BATUTA_HEALTH_FILE', 'batuta', 'health']);
  expect([status, out]).toEqual([2, expect.stringContaining('Set BATUTA_HEALTH_FILE')]);
});
