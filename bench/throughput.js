/** 5,000 runs of one task that wait already: how many a second are executed and recorded. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { withBullmq } from './bullmq.js';
import { nextLine, withFleet } from './fleet.js';
import { inFolder, medians, repeat } from './measure.js';
import { withServices } from './services.js';

const concurrency = 50;
/** Between two looks whether all is recorded, ms. */
const lookMs = 20;
const longestMs = 120_000;

/** @param {import('./main.js').Request} request */
export async function benchmark({ quick, runs }) {
  const jobs = quick ? 40 : 5_000;
  const times = quick ? 1 : Math.min(runs, 5);
  const figures = await inFolder((folder) =>
    withServices(({ databaseUrl, redisUrl }) =>
      withFleet({ folder, databaseUrl, redisUrl }, async ({ client, start }) => {
        // A process that serves both queues works beside the second on one of them only.
        const first = await start('worker', '--concurrency', String(concurrency), '--queue', 'one', '--queue', 'two');
        const second = await start('worker', '--concurrency', String(concurrency), '--queue', 'two');
        return withBullmq({ backend: 'postgres', url: databaseUrl, concurrency, jobs }, (onPostgres) =>
          withBullmq({ backend: 'redis', url: redisUrl, concurrency, jobs }, async (onRedis) => {
            const batuta = (queue, workers) => (round) => drain(client, { databaseUrl, queue, workers, jobs, group: round });
            const ways = {
              one: batuta('one', [first]),
              two: batuta('two', [first, second]),
              bullmq: () => drainBare(onPostgres, jobs),
              redis: () => drainBare(onRedis, jobs),
            };
            return medians(await repeat({ times, warmups: quick ? 0 : 1 }, (round) => measureInTurn(ways, round)));
          }),
        );
      }),
    ),
  );
  const beside = "BullMQ's PostgreSQL backend, bare jobs";
  return {
    title: `${jobs.toLocaleString('en-US')} runs of one task, ${concurrency} at a time, from the first line to the last record, median of ${times}`,
    figures: [
      {
        name: 'runsPerSecond',
        label: 'runs a second, one worker',
        value: figures.one,
        unit: 'runs',
        target: { atLeast: 1.5 * figures.bullmq },
        beside: { label: beside, value: figures.bullmq },
      },
      {
        name: 'twoWorkersRunsPerSecond',
        label: 'runs a second, two workers',
        value: figures.two,
        unit: 'runs',
        target: { atLeast: figures.one },
        beside: { label: 'one worker', value: figures.one },
      },
      { name: 'redisJobsPerSecond', label: 'bare BullMQ on Redis, jobs a second', value: figures.redis, unit: 'jobs' },
    ],
  };
}

async function measureInTurn(ways, round) {
  const sample = {};
  for (const [at, [name, measure]] of Object.entries(ways).entries()) sample[name] = await measure(round * 10 + at);
  return sample;
}

async function drain(client, { databaseUrl, queue, workers, jobs, group }) {
  const first = nextLine(workers, () => true);
  const submittedAt = Date.now();
  await client.enqueueMany(
    'one-task',
    Array.from({ length: jobs }, () => ({ params: { group }, queue })),
  );
  await untilRecorded(databaseUrl, { queue, jobs, submittedAt });
  const recordedAt = process.hrtime.bigint();
  const [begunAt] = await first;
  return perSecond(jobs, BigInt(begunAt), recordedAt);
}

/** What a fourth process finds in the database, not what the workers say of themselves. */
async function untilRecorded(databaseUrl, { queue, jobs, submittedAt }) {
  const db = new pg.Client({ connectionString: databaseUrl });
  await db.connect();
  try {
    for (const startedAt = performance.now(); performance.now() - startedAt < longestMs; await sleep(lookMs)) {
      const { rows } = await db.query(
        `select count(*)::int as runs from runs where flow = 'one-task' and created_at >= $1 and queue = $2 and state_type = 'COMPLETED'`,
        [submittedAt, queue],
      );
      if (rows[0].runs === jobs) return;
    }
  } finally {
    await db.end();
  }
  throw new Error(`After ${longestMs / 1_000} s not all ${jobs} runs had completed.`);
}

async function drainBare({ queue, worker }, jobs) {
  const first = nextLine([worker], ([, what]) => what === 'first');
  const last = nextLine([worker], ([, what]) => what === 'last');
  await queue.addBulk(Array.from({ length: jobs }, () => ({ name: 'job', data: {} })));
  const [begunAt] = await first;
  const [completedAt] = await last;
  return perSecond(jobs, BigInt(begunAt), BigInt(completedAt));
}

function perSecond(jobs, from, to) {
  return jobs / (Number(to - from) / 1e9);
}
