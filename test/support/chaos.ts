/**
 * A fleet that is put through trouble: real workers, and a Redis and a PostgreSQL of its own that may be taken away.
 *
 * Everything random hangs on one seed, which stands in the names of the tests. `CHAOS_SEED` repeats it, `CHAOS_RUNS` and
 * `CHAOS_SECONDS` make a test longer; `npm run chaos` sets the long forms.
 */
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from './faulty-broker.ts';
import type { Freeze } from './fleet-record.ts';
import { type Fleet, makeFleet, type Member } from './fleet.ts';
import { type PostgresServer, startPostgres } from './postgres-process.ts';
import { type OwnRedis, startRedis } from './redis.ts';

const { CHAOS_SEED, CHAOS_RUNS, CHAOS_SECONDS } = process.env;

export const seed = Number(CHAOS_SEED ?? Date.now() % 1_000_000);
/** How many runs a test submits, and for how long there is trouble, s. */
export const runCount = Number(CHAOS_RUNS ?? 60);
export const seconds = Number(CHAOS_SECONDS ?? 5);
/** Short forms stay below half a minute each. */
export const isLong = CHAOS_SECONDS !== undefined;
/** How long a test may take, ms: what was lost is found again within some leases. */
export const timeoutMs = 90_000 + seconds * 10_000;

export const leaseMs = 2_000;
const workerCount = 3;
const places = 6;
/** Of these, two at a time. With the list before and the sum after them ten tasks a run. */
const items = 8;

/** Tasks that are at work for longer than a lease, and write nothing meanwhile. */
const slow = { items: 2, ms: 2 * leaseMs };
const flowFiles = ['fleet-flows', 'spread-flows'].map((name) => resolve(`test/e2e/${name}.ts`)).join(',');

export interface Scene {
  readonly fleet: Fleet;
  readonly redis: OwnRedis;
  readonly postgres: PostgresServer;
  readonly random: () => number;
  /** Those alive, killed ones replaced. */
  readonly workers: Member[];
  readonly scheduler: Member;
  /** What was done to the fleet so far, by name. */
  readonly done: Map<string, number>;
  note(what: string): void;
  /** Of workers, so far. */
  readonly freezes: Freeze[];
  /** Kills a worker and starts another in its place, again and again until it serves, as whatever keeps containers does. */
  replace(at: number): Promise<void>;
  close(): Promise<void>;
}

/** A fleet of three workers and a scheduler, ready for work. */
export async function openScene(): Promise<Scene> {
  const [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
  const env = { BATUTA_MAX_RECOVERIES: '1000', BATUTA_FLOWS: flowFiles };
  const fleet = await makeFleet({ on: 'postgres and redis', leaseMs, env, redisUrl: redis.url, databaseUrl: postgres.url });
  const close = async (): Promise<void> => {
    await fleet.stop();
    await Promise.all([redis.stop(), postgres.stop()]);
  };
  try {
    let born = 0;
    const startWorker = (): Promise<Member> => fleet.start('worker', '--name', `w${++born}`, '--concurrency', String(places));
    const [scheduler, ...workers] = await Promise.all([fleet.start('scheduler'), ...Array.from({ length: workerCount }, startWorker)]);
    const done = new Map<string, number>();
    return {
      fleet,
      redis,
      postgres,
      random: seededRandom(seed),
      workers,
      scheduler,
      done,
      freezes: [],
      note: (what) => void done.set(what, (done.get(what) ?? 0) + 1),
      async replace(at) {
        await workers[at]?.end('SIGKILL');
        workers[at] = await persist(startWorker);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Submits runs that keep the fleet busy for as long as there is trouble: half of them at once, the others one by one meanwhile. A
 * submitter that is not answered asks again with the same key, as it should.
 *
 * @returns ids, each run once
 */
export async function submitThroughout({ fleet }: Scene): Promise<readonly string[]> {
  const { client } = fleet;
  const ms = Math.min(2_000, Math.max(20, (seconds * 1_000 * workerCount * places * 2) / (runCount * items)));
  const numbers = Array.from({ length: runCount }, (_, n) => n);
  const half = Math.floor(runCount / 2);
  const submit = (flow: string, wanted: readonly number[]): Promise<readonly string[]> =>
    client.enqueueMany(
      flow,
      wanted.map((n) => ({ params: fleet.params(kindOf(n, ms)), idempotencyKey: `run ${n}` })),
    );
  const ids: string[] = [];
  for (const flow of new Set(numbers.map(flowOf)))
    ids.push(
      ...(await submit(
        flow,
        numbers.slice(0, half).filter((n) => flowOf(n) === flow),
      )),
    );
  for (const n of numbers.slice(half)) {
    ids.push(...(await persist(() => submit(flowOf(n), [n]))));
    await sleep((seconds * 1_000) / half);
  }
  return ids;
}

/** Of ten runs one has sub-flows and two have spread tasks. */
function flowOf(n: number): string {
  return n % 10 === 7 ? 'parent-run' : n % 5 === 3 ? 'spread-fan' : 'ledger-run';
}

/** Of ten runs one has slow tasks. */
function kindOf(n: number, ms: number): { readonly items: number; readonly ms: number } {
  if (n % 10 === 0) return slow;
  return { items: flowOf(n) === 'parent-run' ? 3 : items, ms };
}

/** Asks until there is an answer. */
export async function persist<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      // Only a service that is away passes by itself.
      if (!/UNAVAILABLE/.test(`${error instanceof Error && 'code' in error ? String(error.code) : ''} ${String(error)}`)) throw error;
      await sleep(200);
    }
  }
}
