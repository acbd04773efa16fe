/**
 * A rate over four workers and a scheduler that are killed at random, by a ledger that nothing of Batuta reads: never more starts than it allows in
 * any window, no run is lost, and the rate is used while work waits.
 *
 * `npm run chaos` sets the long form, 100 a second for a minute, which has to use 95 % of it, kills and all. The short form may run on a machine that
 * has no time for its workers: it judges the calm after the kills, and by how late the workers were themselves. `RATE_KILLS=0` kills nobody.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { isLong, persist, seconds, seed, timeoutMs } from '../support/chaos.ts';
import { seededRandom } from '../support/faulty-broker.ts';
import { ends } from '../support/fleet-record.ts';
import { type Fleet, makeFleet, type Member } from '../support/fleet.ts';

const perSecond = Number(process.env['RATE_PER_SECOND'] ?? 20);
const kills = process.env['RATE_KILLS'] !== '0';
const workerCount = 4;
const windowMs = 1_000;
const leaseMs = 2_000;
/** How long nobody is killed at the end, s. */
const calmSeconds = Math.min(seconds, 15);
/** Places of killed workers count until then, ms. */
const settledAfterMs = 3_000;
/** So much work waits at least until the end of the calm, s. */
const waitingSeconds = 4;
/** By how many times its lateness a place may be empty between two starts: until a process has heard, asked, been answered, and woken up. */
const turns = 20;
/** Share that the short form demands, which counts a hundred starts beside other tests: a pause of a quarter second takes five of them. */
const shortShare = 0.85;

let fleet: Fleet | undefined;
let over = new AbortController();
let feeding: Promise<void> | undefined;
afterEach(async () => {
  over.abort();
  await feeding?.catch(() => undefined);
  await fleet?.stop();
  fleet = undefined;
});

/** A stretch of time, UTC epoch ms. */
interface Span {
  readonly from: number;
  readonly to: number;
}

async function overRate(on: 'sqlite' | 'postgres and redis', flow: 'rated-run' | 'rated-task'): Promise<void> {
  const env = {
    BATUTA_FLOWS: resolve('test/e2e/rate-flows.ts'),
    BATUTA_MAX_RECOVERIES: '1000',
    RATE_PER_SECOND: String(perSecond),
  };
  fleet = await makeFleet({ on, leaseMs, env });
  const here = fleet;
  const { client, ledger } = here;
  await client.limits.setRate('tag:rated', { limit: perSecond, per: windowMs });
  const startMember = (at: number): Promise<Member> =>
    at === workerCount ? here.start('scheduler') : here.start('worker', '--concurrency', '16');
  const members = await Promise.all(Array.from({ length: workerCount + 1 }, (_, at) => startMember(at)));
  const ids: string[] = [];
  const submit = async (count: number): Promise<void> => {
    ids.push(
      ...(await persist(() =>
        client.enqueueMany(
          flow,
          Array.from({ length: count }, () => ({ params: { ledger } })),
        ),
      )),
    );
  };
  await submit(perSecond * seconds);
  over = new AbortController();
  const { signal } = over;
  feeding = (async () => {
    for (; !signal.aborted; await sleep(200)) {
      const waiting = ids.length - new Set(here.readLedger().map(({ run }) => run)).size;
      if (waiting < perSecond * waitingSeconds) await submit(perSecond * waitingSeconds);
    }
  })();
  while (here.readLedger().length < perSecond) await sleep(50);
  const random = seededRandom(seed);
  const until = Date.now() + seconds * 1_000;
  const deaths: { readonly pid: number | undefined; readonly at: number }[] = [];
  while (Date.now() < until) {
    await sleep(Math.min(500 + random() * 2_000, Math.max(0, until - Date.now())));
    if (!kills || Date.now() >= until) continue;
    // One in ten is the scheduler, in the middle of whatever it decides.
    const at = random() < 0.1 ? workerCount : Math.floor(random() * workerCount);
    deaths.push({ pid: members[at]?.pid, at: Date.now() });
    await members[at]?.end('SIGKILL');
    members[at] = await persist(() => startMember(at));
  }
  const back = Date.now();
  const calmFrom = back + (deaths.length > 0 ? settledAfterMs : 0);
  const calm = { from: calmFrom, to: calmFrom + calmSeconds * 1_000 };
  while (Date.now() < calm.to) await sleep(100);
  over.abort();
  await feeding;
  const ended = await ends(here, ids);
  expect(ended.filter(({ state }) => state.name !== 'Completed').map(({ id, state }) => [id, state])).toEqual([]);
  const begun = here.readLedger().toSorted((a, b) => a.at - b.at);
  const starts = begun.map(({ at }) => at);
  const tooMany = begun.flatMap(({ at }, place) => {
    const next = starts[place + perSecond];
    if (next === undefined || next - at >= windowMs) return [];
    // Who began when, and who was killed meanwhile: a start counts from when its process says so, or at the latest by its place.
    const around = [...begun.slice(place, place + perSecond + 1), ...deaths.filter((death) => death.at > at - windowMs && death.at < next)];
    return [
      `${perSecond + 1} starts in ${next - at} ms: ${around.map(({ pid, at: when, ...one }) => `${'run' in one ? pid : `killed ${pid}`} ${when - at}`).join(', ')}`,
    ];
  });
  expect(tooMany).toEqual([]);
  expect(new Set(here.readLedger().map(({ run }) => run)).size).toBe(ids.length);

  // What begins in the first window finds it empty.
  const whole = { from: (starts[0] ?? 0) + windowMs, to: calm.to };
  const late = latenessIn(`${ledger}-late`, calm);
  const [used, usedInCalm] = [usedIn(starts, whole), usedIn(starts, calm)];
  process.stdout.write(
    `${on}, ${flow}: ${ids.length} runs, ${starts.length} starts, ${deaths.length} kills, ${percent(used)} of the rate used, ${percent(usedInCalm)} in the calm, workers late by ${late.toFixed(1)} ms\n`,
  );
  if (isLong) expect(used).toBeGreaterThanOrEqual(0.95);
  else expect(usedInCalm).toBeGreaterThanOrEqual((shortShare * windowMs) / (windowMs + turns * late));
}

/** Share of its places that are taken, in the mean: each by a start in the window before. Unlike a count of starts, it is the same wherever bursts fall. */
function usedIn(starts: readonly number[], { from, to }: Span): number {
  const taken = starts.reduce((sum, at) => sum + Math.max(0, Math.min(at + windowMs, to) - Math.max(at, from)), 0);
  return taken / ((to - from) * perSecond);
}

/** How late timers of the workers were, in the mean, ms. */
function latenessIn(file: string, { from, to }: Span): number {
  const all = readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(' ').map(Number))
    .filter(([at = 0]) => at >= from && at <= to + windowMs)
    .map(([, , ms = 0]) => ms);
  return all.reduce((sum, ms) => sum + ms, 0) / all.length;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

describe(`seed ${seed}`, () => {
  test.each([
    ['sqlite', 'rated-run'],
    ['sqlite', 'rated-task'],
    ['postgres and redis', 'rated-run'],
    ['postgres and redis', 'rated-task'],
  ] as const)(
    'never more starts in any second than its rate, the rate is used while work waits, and none is lost: %s, %s',
    overRate,
    // All of it begins anew on a machine that has no time: starts, kills, and what is left.
    3 * timeoutMs,
  );
});
