/**
 * A rate over four workers that are killed at random, by a ledger that nothing of Batuta reads: never more starts than it allows in any window,
 * and no run is lost. How much of it was used while work waited is printed.
 *
 * `npm run chaos` sets the long form: 100 a second for a minute.
 */
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { persist, seconds, seed, timeoutMs } from '../support/chaos.ts';
import { seededRandom } from '../support/faulty-broker.ts';
import { ends } from '../support/fleet-record.ts';
import { type Fleet, makeFleet, type Member } from '../support/fleet.ts';

const perSecond = Number(process.env['RATE_PER_SECOND'] ?? 20);
const workerCount = 4;
const windowMs = 1_000;

let fleet: Fleet | undefined;
afterEach(async () => {
  await fleet?.stop();
  fleet = undefined;
});

async function overRate(on: 'sqlite' | 'postgres and redis', flow: 'rated-run' | 'rated-task'): Promise<void> {
  const env = {
    BATUTA_FLOWS: resolve('test/e2e/rate-flows.ts'),
    BATUTA_MAX_RECOVERIES: '1000',
    RATE_PER_SECOND: String(perSecond),
  };
  fleet = await makeFleet({ on, leaseMs: 2_000, env });
  const { client, ledger } = fleet;
  const here = fleet;
  await client.limits.setRate('tag:rated', { limit: perSecond, per: windowMs });
  const startWorker = (): Promise<Member> => here.start('worker', '--concurrency', '16');
  const [, ...workers] = await Promise.all([here.start('scheduler'), ...Array.from({ length: workerCount }, startWorker)]);
  const ids = await client.enqueueMany(
    flow,
    Array.from({ length: perSecond * seconds }, () => ({ params: { ledger } })),
  );
  const random = seededRandom(seed);
  const over = new AbortController();
  const until = performance.now() + seconds * 1_000;
  const killing = (async () => {
    for (let kills = 0; ; kills++) {
      await sleep(500 + random() * 2_000, undefined, { signal: over.signal }).catch(() => undefined);
      if (over.signal.aborted || performance.now() > until) return kills;
      const at = Math.floor(random() * workerCount);
      await workers[at]?.end('SIGKILL');
      workers[at] = await persist(startWorker);
    }
  })();
  const ended = await ends(fleet, ids);
  over.abort();
  const kills = await killing;
  expect(ended.filter(({ state }) => state.name !== 'Completed').map(({ id, state }) => [id, state])).toEqual([]);
  const starts = fleet.readLedger().map(({ at }) => at);
  starts.sort((a, b) => a - b);
  const tooMany = starts.flatMap((at, place) => {
    const next = starts[place + perSecond];
    return next !== undefined && next - at < windowMs ? [`${perSecond + 1} starts in ${next - at} ms`] : [];
  });
  expect(tooMany).toEqual([]);
  expect(new Set(fleet.readLedger().map(({ run }) => run)).size).toBe(ids.length);
  // What begins in the first window finds it empty; the last is not full.
  const [first = 0, last = 0] = [starts[0], starts.at(-1)];
  const used = (starts.length - perSecond) / (((last - first) / windowMs) * perSecond);
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  const quarters = [0.25, 0.5, 0.75, 1].map((end) => {
    const [from, to] = [first + (last - first) * (end - 0.25), first + (last - first) * end];
    return percent(starts.filter((at) => at >= from && at < to).length / (((to - from) / windowMs) * perSecond));
  });
  process.stdout.write(
    `${on}, ${flow}: ${ids.length} runs, ${starts.length} starts, ${kills} kills, ${percent(used)} of the rate used; by quarters ${quarters.join(', ')}\n`,
  );
}

describe(`seed ${seed}`, () => {
  test.each([
    ['sqlite', 'rated-run'],
    ['sqlite', 'rated-task'],
    ['postgres and redis', 'rated-run'],
    ['postgres and redis', 'rated-task'],
  ] as const)('never more starts in any second than its rate, and none is lost: %s, %s', overRate, timeoutMs);
});
