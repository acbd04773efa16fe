/** Runs flows as an application would: one client, one database in a folder of its own. */
import { join } from 'node:path';
import { openClient } from 'batuta/client';
import { recordBareOnPostgres } from './bare-postgres.js';
import { recordBare } from './bare-recorder.js';

/**
 * Calls `use` with a client whose database is new, and closes it.
 *
 * @template T
 * @param {{ folder: string, store: 'sqlite' | 'postgres' }} place
 * @param {(client: import('batuta/client').Client) => Promise<T>} use
 */
export async function withClient({ folder, store }, use) {
  // Lines of the engine itself would be measured with it, and would stand in the table.
  process.env.BATUTA_LOG_LEVEL = 'warn';
  const client = await openClient({ databaseUrl: databaseUrl(folder, store), results: join(folder, 'results') });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

/**
 * Milliseconds from the submission of a run until it has ended and all its records are durable.
 *
 * @param {import('batuta/client').Client} client
 * @param {new () => object} flow
 * @throws {Error} when the run did not complete
 */
export async function timeRun(client, flow) {
  const startedAt = performance.now();
  const handle = await client.submit(flow);
  const run = await handle.done();
  const ms = performance.now() - startedAt;
  if (run.state.type !== 'COMPLETED')
    throw new Error(`Run ${run.id} of ${run.flow} ended as ${run.state.name}: ${run.error?.message ?? 'no message'}`);
  return ms;
}

/**
 * Milliseconds that the same rows take on the same kind of store when they are written by hand.
 *
 * @param {{ folder: string, store: 'sqlite' | 'postgres' }} place
 * @param {{ tasks: number, tasksPerFlush: number }} shape
 * @returns {Promise<number>}
 */
export async function timeBare({ folder, store }, shape) {
  return store === 'sqlite' ? recordBare(folder, shape) : await recordBareOnPostgres(databaseUrl(folder, store), shape);
}

/** PostgreSQL is where `main.js` says it is. */
function databaseUrl(folder, store) {
  return store === 'sqlite' ? `sqlite:${join(folder, 'bench.db')}` : process.env.BATUTA_BENCH_POSTGRES_URL;
}
