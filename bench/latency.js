/** How long a run waits: from its submission to the first line of its first task in a worker process, one run at a time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { withBullmq } from './bullmq.js';
import { nextLine, withFleet } from './fleet.js';
import { inFolder, medians, repeat } from './measure.js';
import { withServices } from './services.js';

/** Between two runs, so that one has ended before the next begins, ms. */
const restMs = 10;
const warmups = 100;

/** @param {import('./main.js').Request} request */
export async function benchmark({ quick, runs }) {
  const samples = quick ? 3 : 300;
  const rounds = quick ? 1 : Math.min(runs, 5);
  const { batuta, bullmq, redis } = await inFolder((folder) =>
    withServices(({ databaseUrl, redisUrl }) =>
      withFleet({ folder, databaseUrl, redisUrl }, async ({ client, start }) => {
        const worker = await start('worker');
        return withBullmq({ backend: 'postgres', url: databaseUrl, concurrency: 16, jobs: null }, (onPostgres) =>
          withBullmq({ backend: 'redis', url: redisUrl, concurrency: 16, jobs: null }, async (onRedis) => {
            const ways = {
              batuta: { worker, submit: () => client.enqueue('first-line') },
              bullmq: { worker: onPostgres.worker, submit: () => onPostgres.queue.add('job', {}) },
              redis: { worker: onRedis.worker, submit: () => onRedis.queue.add('job', {}) },
            };
            if (!quick) for (const way of Object.values(ways)) await measureMany(way, warmups);
            return measureInTurn(ways, { samples, rounds });
          }),
        );
      }),
    ),
  );
  const beside = "BullMQ's PostgreSQL backend";
  return {
    title: `From the submission to the first line of the first task, one run at a time, median of ${rounds} rounds of ${samples}`,
    figures: [
      {
        name: 'p50Ms',
        label: 'half of the runs within',
        value: batuta.p50,
        unit: 'ms',
        target: { atMost: 1.5 * bullmq.p50 },
        beside: { label: beside, value: bullmq.p50 },
      },
      {
        name: 'p99Ms',
        label: '99 of 100 runs within',
        value: batuta.p99,
        unit: 'ms',
        target: { atMost: 3 * bullmq.p99 },
        beside: { label: beside, value: bullmq.p99 },
      },
      { name: 'redisP50Ms', label: 'bare BullMQ on Redis, half within', value: redis.p50, unit: 'ms' },
      { name: 'redisP99Ms', label: 'bare BullMQ on Redis, 99 of 100', value: redis.p99, unit: 'ms' },
    ],
  };
}

/** All ways in each round, one after the other, so that they meet the same machine. */
async function measureInTurn(ways, { samples, rounds }) {
  const measured = await repeat({ times: rounds }, async () => {
    const round = {};
    for (const [name, way] of Object.entries(ways)) round[name] = quantiles(await measureMany(way, samples));
    return round;
  });
  return Object.fromEntries(Object.keys(ways).map((name) => [name, medians(measured.map((round) => round[name]))]));
}

async function measureMany({ worker, submit }, samples) {
  const waited = [];
  for (let at = 0; at < samples; at++) {
    const line = nextLine([worker], () => true);
    const startedAt = process.hrtime.bigint();
    await submit();
    const [begunAt] = await line;
    waited.push(Number(BigInt(begunAt) - startedAt) / 1e6);
    await sleep(restMs);
  }
  return waited;
}

function quantiles(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return { p50: at(0.5), p99: at(0.99) };
}
