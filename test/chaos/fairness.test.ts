/**
 * Turns of keys over workers that are killed at random: no run is lost or completes twice, and runs of small customers that no kill has touched
 * do not wait for those of the large one.
 *
 * `npm run chaos` sets the long form.
 */
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { persist, seconds, seed, timeoutMs } from '../support/chaos.ts';
import { seededRandom } from '../support/faulty-broker.ts';
import { ends } from '../support/fleet-record.ts';
import { type Fleet, makeFleet, type Member } from '../support/fleet.ts';

const workerCount = 3;
const places = 4;
const customers = Array.from({ length: 10 }, (_, at) => `small-${at}`);
const large = 8 * seconds;
const each = 3;

let fleet: Fleet | undefined;
afterEach(async () => {
  await fleet?.stop();
  fleet = undefined;
});

async function inTurns(on: 'sqlite' | 'postgres and redis'): Promise<void> {
  const env = { BATUTA_FLOWS: resolve('test/e2e/limit-flows.ts'), BATUTA_MAX_RECOVERIES: '1000' };
  fleet = await makeFleet({ on, leaseMs: 2_000, env });
  const { client } = fleet;
  const here = fleet;
  const startWorker = (): Promise<Member> => here.start('worker', '--concurrency', String(places));
  const of = (customer: string) => ({ params: { ...here.params({ ms: 20 }), customer } });
  const big = await client.enqueueMany(
    'fair-run',
    Array.from({ length: large }, () => of('big')),
  );
  const starts = [() => here.start('scheduler'), ...Array.from({ length: workerCount }, () => startWorker)];
  const [, ...workers] = await Promise.all(starts.map(persist));
  while (here.readLedger().length < 10) await sleep(20);
  const small = await client.enqueueMany(
    'fair-run',
    customers.flatMap((customer) => Array.from({ length: each }, () => of(customer))),
  );
  const submittedAt = Date.now();
  const random = seededRandom(seed);
  const over = new AbortController();
  const killing = (async () => {
    for (let kills = 0; ; kills++) {
      await sleep(500 + random() * 1_500, undefined, { signal: over.signal }).catch(() => undefined);
      if (over.signal.aborted || kills >= seconds) return kills;
      const at = Math.floor(random() * workerCount);
      await workers[at]?.end('SIGKILL');
      workers[at] = await persist(startWorker);
    }
  })();
  killing.catch(() => undefined);
  const ended = await ends(fleet, [...big, ...small]);
  over.abort();
  const kills = await killing;
  expect(ended.filter(({ state }) => state.name !== 'Completed').map(({ id, state }) => [id, state])).toEqual([]);
  const lines = fleet.readLedger().toSorted((left, right) => left.at - right.at);
  const begins = lines.filter(({ what }) => what === 'start');
  const isSmall = new Set(small);
  const timesStarted = new Map<string, number>();
  for (const { run } of begins) timesStarted.set(run, (timesStarted.get(run) ?? 0) + 1);
  expect(timesStarted.size).toBe(big.length + small.length);
  // One that was begun once cannot have ended twice.
  for (const [id, count] of timesStarted) {
    if (count === 1) continue;
    const { transitions } = await client.runs.inspect(id);
    expect(transitions.filter(({ taskRunId, type }) => taskRunId === null && type === 'COMPLETED')).toHaveLength(1);
  }
  // How many of the large customer had begun before each of the small ones did, since those were there.
  let [begun, behind] = [0, 0];
  const seen = new Set<string>();
  for (const { run, at } of begins) {
    if (seen.has(run)) continue;
    seen.add(run);
    if (!isSmall.has(run)) begun += at >= submittedAt ? 1 : 0;
    else if (timesStarted.get(run) === 1 && begun > each + 2 * workerCount * places) behind++;
  }
  process.stdout.write(
    `${on}: ${begins.length} starts of ${seen.size} runs, ${kills} kills, ${behind} of ${small.length} later than their turns\n`,
  );
  // A worker that is killed between decision and start takes what it has decided with it for some seconds.
  expect(behind).toBeLessThanOrEqual(kills * places);
}

describe(`seed ${seed}`, () => {
  test.each(['sqlite', 'postgres and redis'] as const)(
    'keys take turns, and no run is lost or completes twice: %s',
    inTurns,
    2 * timeoutMs,
  );
});
