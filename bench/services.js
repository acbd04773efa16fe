/** The servers that a fleet needs, real ones, on free ports of 127.0.0.1. They end with this process, however that ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { inFolder, root } from './measure.js';

/** Starts a server that ends when its input does, and so when this process does. */
const guard = 'exec 3<&0; "$@" > /dev/null & server=$!; (cat <&3 > /dev/null; kill -9 $server 2> /dev/null) & wait $server';

/**
 * Calls `use` with the URL of a PostgreSQL database, and ends the server whatever comes of it: the database that
 * `BATUTA_BENCH_POSTGRES_URL` names, else one of a server of its own, with fsync on as it comes.
 *
 * @template T
 * @param {(url: string) => Promise<T>} use
 */
export async function withPostgres(use) {
  const given = process.env.BATUTA_BENCH_POSTGRES_URL;
  if (given) return use(given);
  const child = spawn(process.execPath, [join(root, 'test/support/postgres-server.js')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  try {
    const { value, done } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
    if (done) throw new Error('PostgreSQL did not start.');
    return await use(JSON.parse(value).url);
  } finally {
    child.stdin.end();
    await exited;
  }
}

/**
 * The same with Redis: the server that `BATUTA_BENCH_REDIS_URL` names, else a `redis-server` of its own that keeps nothing on disk.
 *
 * @template T
 * @param {(url: string) => Promise<T>} use
 */
export async function withRedis(use) {
  const given = process.env.BATUTA_BENCH_REDIS_URL;
  if (given) return use(given);
  return inFolder(async (folder) => {
    const port = await freePort();
    const place = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder, '--save', '', '--appendonly', 'no'];
    const child = spawn('sh', ['-c', guard, 'sh', 'redis-server', ...place], { stdio: ['pipe', 'ignore', 'ignore'] });
    const exited = once(child, 'exit');
    const ended = exited.then(() => Promise.reject(new Error('redis-server did not start; is it on the PATH?')));
    ended.catch(() => undefined);
    try {
      const url = `redis://127.0.0.1:${port}`;
      await Promise.race([untilItAnswers(url), ended]);
      return await use(url);
    } finally {
      child.stdin.end();
      await exited;
    }
  });
}

/**
 * Calls `use` with both.
 *
 * @template T
 * @param {(urls: { databaseUrl: string, redisUrl: string }) => Promise<T>} use
 */
export function withServices(use) {
  return withPostgres((databaseUrl) => withRedis((redisUrl) => use({ databaseUrl, redisUrl })));
}

async function untilItAnswers(url) {
  for (let tries = 0; ; tries++) {
    const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
    redis.on('error', () => undefined);
    try {
      await redis.connect();
      await redis.ping();
      return;
    } catch (error) {
      if (tries >= 100) throw error;
      await sleep(20);
    } finally {
      redis.disconnect();
    }
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
