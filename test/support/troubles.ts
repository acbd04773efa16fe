/** What may happen to a fleet. Each trouble goes on until its time is over and then leaves everything as it was. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isLong, leaseMs, type Scene, seconds } from './chaos.ts';

export interface Trouble {
  readonly name: string;
  /** Troubles that share one cannot happen at once. */
  readonly hits: 'workers' | 'redis' | 'postgres';
  make(scene: Scene): Promise<void>;
}

/** Steps until the time of troubles is over; at least once. */
async function forAWhile(step: () => Promise<void>): Promise<void> {
  const endsAt = performance.now() + seconds * 1_000;
  do await step();
  while (performance.now() < endsAt);
}

export const kills: Trouble = {
  name: 'kill -9 of a random worker every second',
  hits: 'workers',
  make: (scene) =>
    forAWhile(async () => {
      scene.note('kills');
      await Promise.all([scene.replace(anyOf(scene)), sleep(1_000)]);
    }),
};

export const freezes: Trouble = {
  name: 'SIGSTOP of a random worker for two leases, then SIGCONT',
  hits: 'workers',
  make: (scene) =>
    forAWhile(async () => {
      const frozen = scene.workers[anyOf(scene)]?.process;
      scene.note('freezes');
      frozen?.kill('SIGSTOP');
      await sleep(2 * leaseMs);
      if (frozen?.pid !== undefined) scene.freezes.push({ pid: frozen.pid, until: Date.now() });
      frozen?.kill('SIGCONT');
      await sleep(scene.random() * 1_000);
    }),
};

export const flushes: Trouble = {
  name: 'FLUSHALL again and again',
  hits: 'redis',
  make: (scene) =>
    forAWhile(async () => {
      scene.note('flushes');
      await scene.redis.command('FLUSHALL');
      await sleep(200 + scene.random() * 800);
    }),
};

export const redisAway: Trouble = {
  name: `Redis away for ${isLong ? 30 : 4} s`,
  hits: 'redis',
  async make(scene) {
    await sleep(500);
    scene.note('Redis away');
    await scene.redis.kill();
    await sleep(isLong ? 30_000 : 4_000);
    await scene.redis.start();
  },
};

export const postgresRestarts: Trouble = {
  name: 'PostgreSQL restarts',
  hits: 'postgres',
  make: (scene) =>
    forAWhile(async () => {
      await sleep(500 + scene.random() * 2_500);
      scene.note('PostgreSQL restarts');
      await scene.postgres.restart();
    }),
};

export const postgresAway: Trouble = {
  name: 'PostgreSQL crashes and is away for longer than a lease',
  hits: 'postgres',
  async make(scene) {
    await sleep(500 + scene.random() * 1_000);
    scene.note('PostgreSQL away');
    await scene.postgres.crash();
    await sleep((isLong ? 9 : 1.5) * leaseMs);
    await scene.postgres.start();
  },
};

export const troubles: readonly Trouble[] = [kills, freezes, flushes, redisAway, postgresRestarts, postgresAway];

function anyOf({ random, workers }: Scene): number {
  return Math.floor(random() * workers.length);
}
