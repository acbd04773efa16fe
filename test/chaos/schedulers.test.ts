/** Schedulers that are killed and started again while hundreds of schedules tick; every tick must have made exactly one run. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { isLong, seed } from '../support/chaos.ts';
import { deploymentNamed, scheduleOf } from '../support/deployments.ts';
import { seededRandom } from '../support/faulty-broker.ts';
import { type Fleet, makeFleet, type Member } from '../support/fleet.ts';

const schedulerCount = 3;
const deploymentCount = 200;
/** For how long there is trouble. */
const seconds = isLong ? 120 : 12;
const everyMs = 1_000;

describe(`seed ${seed}`, () => {
  test(
    'three schedulers killed and restarted at random while 200 schedules tick every second: each tick makes exactly one run',
    async () => {
      const fleet = await makeFleet({ on: 'postgres and redis' });
      try {
        const firstAt = await deploy(fleet);
        const killed = await killAtRandom(fleet);
        const lastAt = await untilMade(fleet, firstAt);
        const expected = Array.from({ length: (lastAt - firstAt) / everyMs + 1 }, (_, at) => firstAt + at * everyMs);
        const made = await ticksOf(fleet, lastAt);
        expect(made.size).toBe(deploymentCount);
        for (const [deployment, ticks] of made) expect({ deployment, ticks }).toEqual({ deployment, ticks: expected });
        expect((await fleet.client.runs.list({ states: ['Skipped'] })).items).toEqual([]);
        process.stdout.write(`${deploymentCount} schedules, ${expected.length} ticks each, ${killed} schedulers killed\n`);
      } finally {
        await fleet.stop();
      }
    },
    60_000 + seconds * 4_000,
  );
});

/** All begin on the next full second but one. */
async function deploy({ client }: Fleet): Promise<number> {
  const firstAt = Math.ceil(Date.now() / everyMs) * everyMs + everyMs;
  const rule = { kind: 'interval', every: { ms: everyMs }, anchor: firstAt, timezone: 'UTC', start: null, end: null } as const;
  await client.engine.services.store.deployments.put(
    Array.from({ length: deploymentCount }, (_, at) => ({
      deployment: deploymentNamed(`every-second-${at}`, { catchup: 'all' }),
      schedules: [scheduleOf(`every-second-${at}`, { schedule: rule, nextTickAt: firstAt })],
      graph: null,
      spec: {},
    })),
  );
  return firstAt;
}

/** One is killed at a time, or now and then all; whatever keeps containers starts another in its place. */
async function killAtRandom(fleet: Fleet): Promise<number> {
  const random = seededRandom(seed);
  const start = (): Promise<Member> => fleet.start('scheduler');
  const schedulers = await Promise.all(Array.from({ length: schedulerCount }, start));
  let killed = 0;
  for (const until = Date.now() + seconds * 1_000; Date.now() < until; ) {
    await sleep(200 + random() * 1_500);
    const all = random() < 0.2;
    const chosen = Math.floor(random() * schedulerCount);
    await Promise.all(
      schedulers.map(async (member, at) => {
        if (!all && at !== chosen) return;
        killed += 1;
        await member.end('SIGKILL');
        schedulers[at] = await start();
      }),
    );
  }
  return killed;
}

/** The newest tick that all schedules have made by now. */
async function untilMade({ client }: Fleet, firstAt: number): Promise<number> {
  const { store } = client.engine.services;
  const now = Math.floor(Date.now() / everyMs) * everyMs;
  for (;;) {
    const behind = await store.deployments.due({ limit: 1 });
    if ((behind[0]?.nextTickAt ?? firstAt) > now) return now;
    await sleep(100);
  }
}

/** Ticks up to an instant, in order and as often as there are runs for them, by deployment. */
async function ticksOf({ client }: Fleet, lastAt: number): Promise<ReadonlyMap<string, readonly number[]>> {
  const ticks = new Map<string, number[]>();
  for (let cursor: string | null = '', page; cursor !== null; cursor = page.next) {
    page = await client.runs.list({ limit: 1_000, ...(cursor === '' ? {} : { cursor }) });
    for (const { deployment, scheduledFor } of page.items) {
      if (deployment === null || scheduledFor === null || scheduledFor > lastAt) continue;
      const known = ticks.get(deployment);
      if (known) known.push(scheduledFor);
      else ticks.set(deployment, [scheduledFor]);
    }
  }
  return new Map([...ticks].map(([deployment, made]) => [deployment, made.toSorted((a, b) => a - b)]));
}
