/** `npm run seed -- [--runs n] [--days n] [--tasks n] [--seed n] [--database-url url] [--json]`: fills an empty store with history. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/base/clock.ts';
import { loadConfig } from '../../src/base/config.ts';
import { seedStore } from './seed.ts';
import type { SeedProgress } from './seed.ts';

process.exitCode = await main();

/** Exit status: 0 filled, 1 not, 2 wrong usage. */
async function main(): Promise<number> {
  let wish: ReturnType<typeof readWish>;
  try {
    wish = readWish();
  } catch (error) {
    console.error(
      `${(error as Error).message}\n\nnpm run seed -- [--runs 200000] [--days 60] [--tasks 10] [--seed 1] [--database-url url] [--json]`,
    );
    return 2;
  }
  const { config } = await loadConfig({ flags: { databaseUrl: wish.databaseUrl } });
  const url = config.databaseUrl;
  if (url.startsWith('sqlite:')) mkdirSync(dirname(url.slice('sqlite:'.length)), { recursive: true });
  const startedAt = systemClock.monotonic();
  const seconds = (): string => ((systemClock.monotonic() - startedAt) / 1_000).toFixed(1);
  let told = 0;
  const tell = ({ step, runs, taskRuns }: SeedProgress): void => {
    if (step === 'runs' && systemClock.monotonic() - told < 2_000) return;
    told = systemClock.monotonic();
    const what = step === 'runs' ? `of about ${wish.runs.toLocaleString('en-US')}` : 'are there; summing up';
    console.error(
      `${seconds().padStart(7)} s  ${runs.toLocaleString('en-US')} runs ${what}, ${taskRuns.toLocaleString('en-US')} task runs`,
    );
  };
  try {
    const made = await seedStore({ ...wish, url, clock: systemClock, tell });
    const summary = { runs: made.runs, taskRuns: made.taskRuns, seconds: Number(seconds()) };
    console.log(wish.json ? JSON.stringify(summary) : `Seeded ${made.runs} runs and ${made.taskRuns} task runs in ${summary.seconds} s.`);
    return 0;
  } catch (error) {
    console.error((error as Error).message);
    return 1;
  }
}

function readWish() {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '200000' },
      days: { type: 'string', default: '60' },
      tasks: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
      'database-url': { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const whole = (name: 'runs' | 'days' | 'tasks' | 'seed', most: number): number => {
    const value = Number(values[name]);
    if (Number.isInteger(value) && value >= 1 && value <= most) return value;
    throw new Error(`--${name} takes a whole number from 1 to ${most}.`);
  };
  return {
    runs: whole('runs', 100_000_000),
    days: whole('days', 3_650),
    tasks: whole('tasks', 1_000),
    seed: whole('seed', 2 ** 32 - 1),
    databaseUrl: values['database-url'],
    json: values.json,
  };
}
