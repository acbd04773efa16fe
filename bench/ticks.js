/** How punctual ticks are: from the instant of a tick to the start of its run in a worker process, with a scheduler process beside it. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withFleet } from './fleet.js';
import { inFolder } from './measure.js';
import { withServices } from './services.js';

/** After the last tick, until its run has ended, ms. */
const settleMs = 2_000;

/** @param {import('./main.js').Request} request */
export async function benchmark({ quick }) {
  const ticks = quick ? 3 : 60;
  const deployments = quick ? 1 : 5;
  // The first ticks meet processes that have done nothing yet.
  const warmups = quick ? 1 : 5;
  const measure = (place) => withFleet(place, (fleet) => measureTicks(fleet, { ticks, deployments, warmups }));
  const fleet = await inFolder((folder) => withServices((urls) => measure({ folder, ...urls })));
  const local = await inFolder((folder) => measure({ folder, databaseUrl: `sqlite:${join(folder, 'bench.db')}` }));
  const figuresOf = ({ errors, timers }, where, suffix) => [
    {
      name: `p50Ms${suffix}`,
      label: `half of the ticks within, ${where}`,
      value: quantile(errors, 0.5),
      unit: 'ms',
      target: { atMost: 15 },
      beside: { label: 'timers of this process', value: quantile(timers, 0.5) },
    },
    {
      name: `p99Ms${suffix}`,
      label: `99 of 100 ticks within, ${where}`,
      value: quantile(errors, 0.99),
      unit: 'ms',
      target: { atMost: 100 },
      beside: { label: 'timers of this process', value: quantile(timers, 0.99) },
    },
    { name: `earliestMs${suffix}`, label: `the earliest, ${where}`, value: errors[0], unit: 'ms' },
  ];
  return {
    title: `Start of a run minus its tick, ${deployments} schedules over ${ticks} seconds`,
    figures: [...figuresOf(fleet, 'Redis and PostgreSQL', ''), ...figuresOf(local, 'SQLite', 'Local')],
    notes: ['Starts of runs are recorded in whole milliseconds.'],
  };
}

async function measureTicks({ client, start }, { ticks, deployments, warmups }) {
  await Promise.all([start('scheduler'), start('worker')]);
  const seconds = ticks + warmups;
  // Apart from each other, so that each tick meets an idle machine.
  const names = Array.from({ length: deployments }, (_, at) => `ticks-${at}`);
  const now = Math.ceil(Date.now() / 1_000) * 1_000;
  await client.deployments.deploy(
    names.map((name, at) => ({
      name,
      flow: 'first-line',
      schedules: [{ interval: '1 second', anchor: new Date(now + Math.floor((at * 1_000) / deployments)).toISOString() }],
    })),
  );
  const timers = await fireTimers(seconds, deployments);
  for (const name of names) await client.deployments.pause(name);
  await sleep(settleMs);
  const errors = [];
  for (const name of names) errors.push(...(await errorsOf(client, name)).slice(warmups));
  return { errors: errors.sort((a, b) => a - b), timers: timers.sort((a, b) => a - b) };
}

/** How late bare timers are on the same machine in the same seconds, ms. */
async function fireTimers(seconds, everySecond) {
  const errors = [];
  const from = performance.now();
  for (let at = 1; at <= seconds * everySecond; at++) {
    const due = from + (at * 1_000) / everySecond;
    await sleep(Math.max(0, Math.ceil(due - performance.now())));
    errors.push(Math.max(0, performance.now() - due));
  }
  return errors;
}

/** By tick, ms; a run that never started would be a fault, not a figure. */
async function errorsOf(client, deployment) {
  const { items } = await client.runs.list({ deployment, limit: 1_000 });
  const runs = items.toSorted((a, b) => a.scheduledFor - b.scheduledFor);
  const waiting = runs.filter(({ startedAt }) => startedAt === null);
  if (waiting.length > 0) throw new Error(`${waiting.length} runs of ${deployment} never started.`);
  return runs.map(({ startedAt, scheduledFor }) => startedAt - scheduledFor);
}

function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}
