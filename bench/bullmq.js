/** Bare BullMQ, the queue that tickets travel by, for measuring beside it. */
import { createPostgresBackend, Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { withMember } from './fleet.js';

/**
 * What BullMQ is given to reach its server.
 *
 * @param {'postgres' | 'redis'} backend
 * @param {string} url
 */
export function connectionOf(backend, url) {
  if (backend === 'postgres')
    return { connection: { connectionString: url, schema: 'bare_bullmq', migrate: true }, factory: createPostgresBackend };
  return { connection: new Redis(url, { maxRetriesPerRequest: null }), factory: undefined };
}

/**
 * Calls `use` with a queue and the process of a worker that serves it.
 *
 * @template T
 * @param {{ backend: 'postgres' | 'redis', url: string, concurrency: number, jobs: number | null }} options `jobs`: see `bullmq-process.js`
 * @param {(parts: { queue: Queue, worker: import('./fleet.js').Member }) => Promise<T>} use
 */
export async function withBullmq({ backend, url, concurrency, jobs }, use) {
  const name = `bare-${process.pid}-${process.hrtime.bigint()}`;
  const { connection, factory } = connectionOf(backend, url);
  const queue = new Queue(name, { connection }, factory);
  let isClosed = false;
  // Its client for notices may outlive it, and then complains of the server that ends.
  queue.on('error', (error) => isClosed || console.error(error));
  try {
    await queue.waitUntilReady();
    return await withMember('bullmq-process.js', { backend, url, queue: name, concurrency, jobs }, (worker) => use({ queue, worker }));
  } finally {
    await queue.close();
    isClosed = true;
    if (backend === 'redis') connection.disconnect();
  }
}
