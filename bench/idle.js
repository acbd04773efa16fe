/** What a worker takes that has nothing to do: resident memory and CPU, as Linux counts them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withFleet } from './fleet.js';
import { inFolder, medians } from './measure.js';
import { withServices } from './services.js';

/** Clock ticks in a second as /proc counts them; the same on all architectures that Node runs on. */
const ticksPerSecond = 100;

/** After its run a worker still lets connections go, ms. */
const restMs = 2_000;
/** Some half a minute later V8 tidies the whole heap up, once; from then on it rests, ms. */
const settleMs = 40_000;

/** @param {import('./main.js').Request} request */
export async function benchmark({ quick, runs }) {
  if (process.platform !== 'linux') throw new Error('It reads /proc, which Linux alone has.');
  const seconds = quick ? 1 : 20;
  const workers = quick ? 1 : Math.min(runs, 5);
  const fleet = await inFolder((folder) => withServices((urls) => measureFleet({ folder, ...urls }, { seconds, workers, quick })));
  const local = await inFolder((folder) =>
    measureFleet({ folder, databaseUrl: `sqlite:${join(folder, 'bench.db')}` }, { seconds, workers, quick }),
  );
  const figuresOf = (measured, where, suffix) => [
    { name: `residentMb${suffix}`, label: `resident, ${where}`, value: measured.residentMb, unit: 'MB', target: { atMost: 100 } },
    { name: `cpuPercent${suffix}`, label: `CPU of one core, ${where}`, value: measured.cpuPercent, unit: '%', target: { atMost: 1 } },
    { name: `settlingPercent${suffix}`, label: '… in its first minute of rest', value: measured.settlingPercent, unit: '%' },
  ];
  return {
    title: `Workers that have rested for a minute after a run each, over ${seconds} s, median of ${workers}`,
    figures: [...figuresOf(fleet, 'Redis and PostgreSQL', ''), ...figuresOf(local, 'SQLite', 'Local')],
  };
}

/** All workers of the fleet over the same seconds. */
function measureFleet(place, { seconds, workers, quick }) {
  return withFleet(place, async ({ client, start }) => {
    const members = [];
    for (let at = 0; at < workers; at++) members.push(await start('worker', '--queue', `queue-${at}`));
    // One that has never worked is smaller than one that rests.
    for (const [at] of members.entries()) await (await client.enqueue('first-line', {}, { queue: `queue-${at}` })).done();
    await sleep(restMs);
    const settling = await measureUsage(members, quick ? 1_000 : settleMs);
    const resting = await measureUsage(members, seconds * 1_000);
    return medians(resting.map((usage, at) => ({ ...usage, settlingPercent: settling[at].cpuPercent })));
  });
}

/** Of each: how much of a core it takes over this time, and how much memory it has at its end. */
async function measureUsage(members, ms) {
  const before = await Promise.all(members.map(readUsage));
  const startedAt = performance.now();
  await sleep(ms);
  const elapsedMs = performance.now() - startedAt;
  const after = await Promise.all(members.map(readUsage));
  return after.map(({ cpuMs, residentMb }, at) => ({ residentMb, cpuPercent: (100 * (cpuMs - before[at].cpuMs)) / elapsedMs }));
}

/** Source: proc_pid_stat(5), fields 14 and 15; proc_pid_status(5), VmRSS. */
async function readUsage({ pid }) {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = await readFile(`/proc/${pid}/status`, 'latin1');
  const residentKib = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
  return { cpuMs: ((Number(fields[11]) + Number(fields[12])) * 1_000) / ticksPerSecond, residentMb: (residentKib * 1_024) / 1e6 };
}
