/** The scheduler's ticks on a clock that jumps, and in a scheduler that cannot keep up. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLocalClient } from '../../../src/client/open-local-client.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { openLog } from '../../../src/base/log.ts';
import type { Service } from '../../../src/base/service.ts';
import type { Deployment } from '../../../src/model/deployment.ts';
import { parseSchedule } from '../../../src/model/schedule/schedule.ts';
import { openStore } from '../../../src/store/open.ts';
import type { ClaimTicksReport, Store } from '../../../src/store/store.ts';
import { materialiseLoop } from '../../../scheduler/loops/materialise.ts';
import { deploymentNamed, scheduleOf } from '../../support/deployments.ts';

const hourMs = 3_600_000;
const noon = Date.UTC(2026, 2, 10, 12);
const minutely = parseSchedule({ cron: '* * * * *' });

let folder: string;
let store: Store;
let client: Awaited<ReturnType<typeof openLocalClient>>;
let loop: Service | undefined;
let now: number;
/** Told of each transaction that made runs. */
let onClaim: (report: ClaimTicksReport) => void;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'batuta-clock-'));
  const databaseUrl = `sqlite:${join(folder, 'batuta.db')}`;
  now = noon;
  onClaim = () => undefined;
  const opened = await openStore({ url: databaseUrl, clock: { ...systemClock, now: () => now } });
  const claim: Store['ticks']['claim'] = async (...args) => {
    const report = await opened.ticks.claim(...args);
    onClaim(report);
    return report;
  };
  store = { ...opened, ticks: { ...opened.ticks, claim } };
  client = await openLocalClient({ log: await openLog({ level: 'silent', format: 'json' }), databaseUrl, flows: ['flows'] }, { store });
});
afterEach(async () => {
  await loop?.stop();
  loop = undefined;
  await client.close();
  rmSync(folder, { recursive: true, force: true });
});

async function deploy(count: number, changes: Partial<Deployment>): Promise<void> {
  await store.deployments.put(
    Array.from({ length: count }, (_, at) => ({
      deployment: deploymentNamed(`d${at}`, changes),
      schedules: [scheduleOf(`d${at}`, { schedule: minutely, nextTickAt: noon })],
      graph: null,
      spec: {},
    })),
  );
}

/** A scheduler that lives until everything due now has been decided about. */
async function schedule(): Promise<void> {
  const parts = { engine: client.engine, broker: await client.broker(), log: client.engine.services.log };
  loop = materialiseLoop(parts, { lookAheadMs: 5_000 });
  await loop.start();
  while (((await store.deployments.due({ limit: 1 }))[0]?.nextTickAt ?? Infinity) <= now + 5_000) await systemClock.sleep(5);
  await loop.stop();
}

async function counts(): Promise<{ readonly made: number; readonly skipped: number }> {
  const { items } = await store.runs.list({ limit: 1_000 });
  const skipped = items.filter(({ state }) => state.name === 'Skipped').length;
  return { made: items.length - skipped, skipped };
}

test('a clock that goes back an hour repeats nothing, and goes on from where it was', async () => {
  await deploy(3, { catchup: 'all' });
  await schedule();
  expect(await counts()).toEqual({ made: 3, skipped: 0 });
  now = noon - hourMs;
  await schedule();
  now = noon + 30_000;
  await schedule();
  expect(await counts()).toEqual({ made: 3, skipped: 0 });
  now = noon + 60_000;
  await schedule();
  expect(await counts()).toEqual({ made: 6, skipped: 0 });
});

test.each([
  ['none', 0],
  ['latest', 1],
  ['all', 60],
] as const)(
  'a clock that goes forward a day floods nothing: with catchup %s each schedule makes up %i of its ticks',
  async (catchup, made) => {
    await deploy(3, { catchup, catchupWindowMs: hourMs });
    await schedule();
    now = noon + 24 * hourMs + 30_000;
    await schedule();
    expect(await counts()).toEqual({ made: 3 * (1 + made), skipped: 3 });
    now = noon + 24 * hourMs + 60_000;
    await schedule();
    expect(await counts()).toEqual({ made: 3 * (2 + made), skipped: 3 });
  },
);

test('a scheduler that comes late because there is so much to do drops nothing, whatever the policy', async () => {
  await deploy(2_500, { catchup: 'none' });
  const made: number[] = [];
  // Each transaction takes longer than a tick may be late.
  onClaim = ({ waiting, dropped }) => {
    made.push(waiting.length - dropped);
    now += 4_000;
  };
  await schedule();
  expect(made.slice(0, 3)).toEqual([1_000, 1_000, 500]);
});
