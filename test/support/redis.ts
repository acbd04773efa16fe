/**
 * Real Redis for tests: `BATUTA_TEST_REDIS_URL` where any server will do, else one of their own.
 *
 * A server of its own comes from `redis-server` on the PATH, else from Docker, else it is installed (apt, as root). It listens
 * on a free port of 127.0.0.1, keeps nothing on disk, and ends with the process that started it, however that ends.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

export interface TestRedis {
  /** With a prefix of its own, so that test files can share a server. */
  readonly url: string;
  stop(): Promise<void>;
}

/** A server that can be ended and started again on the same port. */
export interface OwnRedis extends TestRedis {
  readonly port: number;
  /** Runs a command as somebody else would, e.g. `FLUSHALL`. */
  command(name: string, ...args: string[]): Promise<unknown>;
  /** Ends it at once, as a crash would; its memory is gone. */
  kill(): Promise<void>;
  /** Starts it again after `kill`. */
  start(): Promise<void>;
}

/** Runs a command that ends when its input ends, and so does this process; and ends when the command does. */
const guard = 'exec 3<&0; "$@" > /dev/null & server=$!; (cat <&3 > /dev/null; kill -9 $server 2> /dev/null) & wait $server';

/** Any Redis, the tests' own part of it. Must not be flushed or stopped. */
export async function someRedis(): Promise<TestRedis> {
  const given = process.env['BATUTA_TEST_REDIS_URL'];
  if (given === undefined || given === '') return await startRedis();
  const url = new URL(given);
  url.searchParams.set('prefix', `{test-${randomUUID()}}`);
  return { url: url.href, stop: async () => undefined };
}

/** A server of one's own; `args` as on its command line, e.g. `['--requirepass', 'x']`. */
export async function startRedis(args: readonly string[] = [], auth = '', leading: readonly string[] = []): Promise<OwnRedis> {
  const [program = '', ...first] = findServer();
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'batuta-redis-'));
  const place = program === 'docker' ? [] : ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder];
  const memoryOnly = leading.length > 0 ? [] : ['--save', '', '--appendonly', 'no'];
  const line = [program, ...first.map((part) => part.replace('PORT', String(port))), ...leading, ...place, ...memoryOnly, ...args];
  let child: ChildProcess | undefined;
  const connect = (): Redis => {
    const redis = new Redis(`redis://${auth}127.0.0.1:${port}`, { lazyConnect: true, retryStrategy: () => 20, maxRetriesPerRequest: null });
    // Being refused until it has started, and thrown out by the test itself.
    redis.on('error', () => undefined);
    return redis;
  };
  const command = async (name: string, ...rest: string[]): Promise<unknown> => {
    const redis = connect();
    try {
      return await redis.call(name, ...rest);
    } finally {
      redis.disconnect();
    }
  };
  const start = async (): Promise<void> => {
    const started = spawn('sh', ['-c', guard, 'sh', ...line], { stdio: ['pipe', 'ignore', 'ignore'] });
    child = started;
    const failed = once(started, 'exit').then(() => {
      throw new Error(`${line.join(' ')} did not start.`);
    });
    failed.catch(() => undefined);
    await Promise.race([command('PING'), failed]);
  };
  const kill = async (): Promise<void> => {
    if (child === undefined) return;
    const exited = once(child, 'exit');
    child.stdin?.end();
    await exited;
    child = undefined;
  };
  await start();
  return {
    url: `redis://${auth}127.0.0.1:${port}`,
    port,
    command,
    kill,
    start,
    async stop() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A port of 127.0.0.1 that nobody uses now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A Sentinel that knows one server by the name `main`. */
export async function startSentinel(watched: OwnRedis): Promise<OwnRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'batuta-sentinel-'));
  const file = join(folder, 'sentinel.conf');
  writeFileSync(file, `sentinel monitor main 127.0.0.1 ${watched.port} 1\n`);
  const sentinel = await startRedis([], '', [file, '--sentinel']);
  return {
    ...sentinel,
    async stop() {
      await sentinel.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The command line that starts a server. @throws Error that says what to install */
export function findServer(): string[] {
  if (works('redis-server', '--version')) return ['redis-server'];
  if (works('docker', 'info'))
    return ['docker', 'run', '--rm', '-i', '--init', '-p', '127.0.0.1:PORT:6379', 'redis:7-alpine', 'redis-server'];
  if (process.getuid?.() === 0 && installed()) return ['redis-server'];
  throw new Error(
    'These tests need a Redis: install redis-server or Docker (BATUTA_TEST_REDIS_URL alone does not do where a server is stopped).',
  );
}

/** By apt; another test run that does the same is waited for. */
function installed(): boolean {
  const apt = ['-q', '-o', 'DPkg::Lock::Timeout=180'];
  works('apt-get', ...apt, 'update');
  return works('apt-get', ...apt, 'install', '-y', '--no-install-recommends', 'redis-server') && works('redis-server', '--version');
}

function works(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
