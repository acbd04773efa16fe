/** What it costs a scheduler that there are very many deployments: a pass, the start, and memory. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { putDeployments } from './deployment-rows.js';
import { withFleet } from './fleet.js';
import { inFolder, median } from './measure.js';

const lookAheadMs = 5_000;
const dueOfPass = 10;
const dayMs = 86_400_000;
/** A pass is short, so it is measured often. */
const passes = 101;

/** @param {import('./main.js').Request} request */
export async function benchmark({ quick, store }) {
  const many = quick ? 2_000 : 100_000;
  const few = 100;
  const among = (count) =>
    inFolder((folder) => {
      const options = { count, passes: quick ? 5 : passes, prefix: `of-${count}` };
      return withFleet(placeOf(store, folder), (fleet) => measure(fleet, options));
    });
  const small = await among(few);
  const large = await among(many);
  const amongFew = `among ${few}`;
  return {
    title: `A scheduler among ${many.toLocaleString('en')} deployments with mixed crons, ${store}`,
    figures: [
      {
        name: 'passMs',
        label: `a pass with ${dueOfPass} ticks due, median of ${quick ? 5 : passes}`,
        value: large.passMs,
        unit: 'ms',
        target: { atMost: 3 * small.passMs },
        beside: { label: amongFew, value: small.passMs },
      },
      {
        name: 'restMs',
        label: 'a pass with nothing due',
        value: large.restMs,
        unit: 'ms',
        beside: { label: amongFew, value: small.restMs },
      },
      {
        name: 'firstTickMs',
        label: 'start of the process to the first run',
        value: large.firstTickMs,
        unit: 'ms',
        target: { atMost: 5_000 },
        beside: { label: amongFew, value: small.firstTickMs },
      },
      {
        name: 'residentMb',
        label: 'memory of the process',
        value: large.residentMb,
        unit: 'MB',
        beside: { label: amongFew, value: small.residentMb },
      },
    ],
    notes: ['A pass asks for the next turn, claims the schedules that are due, makes their runs, and moves them on.'],
  };
}

/** On PostgreSQL both are measured in one database, where the few are among the many. */
function placeOf(store, folder) {
  if (store === 'sqlite') return { folder, databaseUrl: `sqlite:${join(folder, 'bench.db')}` };
  const databaseUrl = process.env.BATUTA_BENCH_POSTGRES_URL;
  return { folder, databaseUrl, env: { BATUTA_BROKER_URL: databaseUrl } };
}

async function measure({ client, start }, { count, passes: times, prefix }) {
  const { store } = client.engine.services;
  const from = Date.now() + dayMs;
  await putDeployments(client, count, (at) => ({ cron: mixedCron(at), nextTickAt: from + ((at * 7_919) % dayMs) }), prefix);
  const rest = [];
  const pass = [];
  for (let round = 0; round < times + 1; round++) {
    rest.push(await timed(() => store.ticks.nextTurn({ lookAheadMs, withinMs: 1_000 })));
    await putDeployments(client, dueOfPass, () => ({ cron: '0 0 1 1 *', nextTickAt: Date.now() }), `${prefix}-round-${round}`);
    pass.push(await timed(() => claimDue(store)));
  }
  await putDeployments(client, 1, () => ({ cron: '0 0 1 1 *', nextTickAt: Date.now() }), `${prefix}-first`);
  const startedAt = performance.now();
  const [scheduler, firstTickMs] = await Promise.all([start('scheduler'), firstRun(client, `${prefix}-first-0`, startedAt)]);
  // After its first passes it rests.
  await sleep(2_000);
  return { restMs: median(rest.slice(1)), passMs: median(pass.slice(1)), firstTickMs, residentMb: await residentMb(scheduler) };
}

/** Claims what is due and makes a run of each, as short as one can be decided about. */
async function claimDue(store) {
  await store.ticks.nextTurn({ lookAheadMs, withinMs: 1_000 });
  const { waiting } = await store.ticks.claim({ limit: 1_000, lookAheadMs, missedAfterMs: 2_000 }, (due, now) =>
    due.map(({ deployment, schedule }) => ({
      runs: [{ run: runOf(deployment, schedule, now), held: false }],
      nextTickAt: now + 366 * dayMs,
    })),
  );
  if (waiting.length !== dueOfPass) throw new Error(`The pass made ${waiting.length} runs.`);
}

function runOf({ name, flow, flowVersion, params, tags }, { id, nextTickAt }, now) {
  return {
    id: crypto.randomUUID(),
    flow,
    flowVersion,
    name,
    deployment: name,
    parentRunId: null,
    parentTaskRunId: null,
    state: { type: 'SCHEDULED', name: 'Scheduled', message: null },
    params,
    attempt: 1,
    tags,
    source: null,
    scheduledFor: nextTickAt,
    scheduleId: id,
    dueAt: now,
    createdAt: now,
  };
}

async function firstRun(client, deployment, startedAt) {
  for (;;) {
    const { items } = await client.runs.list({ deployment, limit: 1 });
    if (items.length > 0) return performance.now() - startedAt;
    await sleep(10);
  }
}

/** Minutely to yearly, at all times of the day. */
function mixedCron(at) {
  const minute = at % 60;
  const hour = at % 24;
  return [
    `* * * * *`,
    `*/5 * * * *`,
    `${minute} * * * *`,
    `${minute} ${hour} * * *`,
    `${minute} ${hour} * * MON`,
    `${minute} ${hour} 1 * *`,
    `${minute} ${hour} L * *`,
  ][at % 7];
}

/** Source: proc_pid_status(5), VmRSS; elsewhere than on Linux not known. */
async function residentMb({ pid }) {
  const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
  return (Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1_024) / 1e6;
}

async function timed(work) {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
