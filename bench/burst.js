/** Thousands of ticks of one second: how long a scheduler takes until each has its run and its ticket. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { putDeployments } from './deployment-rows.js';
import { withFleet } from './fleet.js';
import { inFolder } from './measure.js';
import { withServices } from './services.js';

/** How long before a tick its run is made, ms. */
const lookAheadMs = 5_000;
/** Until the schedulers shall begin, so that all is stored and they rest, ms. */
const restMs = 2_000;

/** @param {import('./main.js').Request} request */
export async function benchmark({ quick }) {
  const count = quick ? 200 : 10_000;
  const measure = (place) => withFleet(place, (fleet) => measureBurst(fleet, count));
  const fleet = await inFolder((folder) => withServices((urls) => measure({ folder, ...urls })));
  const local = await inFolder((folder) => measure({ folder, databaseUrl: `sqlite:${join(folder, 'bench.db')}` }));
  const figuresOf = ({ ticketedMs, bareMs }, where, suffix) => [
    {
      name: `ticketedMs${suffix}`,
      label: `all runs made and ticketed, ${where}`,
      value: ticketedMs,
      unit: 'ms',
      target: { atMost: 5_000 },
      beside: { label: 'the tickets alone', value: bareMs },
    },
  ];
  return {
    title: `${count.toLocaleString('en')} ticks due at the same second, one scheduler process`,
    figures: [...figuresOf(fleet, 'Redis and PostgreSQL', ''), ...figuresOf(local, 'SQLite', 'Local')],
    notes: ['Counted from the moment at which the scheduler may begin, 5 s before the tick.'],
  };
}

async function measureBurst({ client, start }, count) {
  const broker = await client.broker();
  const bareMs = await putBare(broker, count);
  await start('scheduler');
  const tick = Math.ceil((Date.now() + lookAheadMs + restMs) / 1_000) * 1_000 + 1_000 * Math.ceil(count / 2_000);
  await putDeployments(client, count, () => ({ cron: '0 0 1 1 *', nextTickAt: tick }));
  const beginsAt = tick - lookAheadMs;
  if (Date.now() > beginsAt) throw new Error('Storing the deployments took too long.');
  await sleep(beginsAt - Date.now());
  for (;;) {
    const { waiting, delayed } = await broker.stats('default');
    if (waiting + delayed >= count) break;
    await sleep(20);
  }
  const ticketedMs = Date.now() - beginsAt;
  const [first] = (await client.runs.list({ limit: 1 })).items;
  if (first?.scheduledFor !== tick) throw new Error('The tickets are not those of the tick.');
  return { ticketedMs, bareMs };
}

/** Tickets of no run, put as the scheduler puts them. */
async function putBare(broker, count) {
  const dueAt = Date.now() + 3_600_000;
  const startedAt = performance.now();
  for (let from = 0; from < count; from += 1_000) {
    const tickets = Array.from({ length: Math.min(1_000, count - from) }, () => ({ kind: 'run', id: randomUUID(), epoch: 0, dueAt }));
    await broker.put(tickets, { queue: 'bare' });
  }
  return performance.now() - startedAt;
}
