/** Fills an empty store with a history that looks like that of a company, the same for the same seed and instant. */
import { openStore } from '../../src/store/open.ts';
import type { Clock } from '../../src/base/clock.ts';
import { flows } from './catalogue.ts';
import { makeChance } from './chance.ts';
import { tablesOf } from './bulk-writer.ts';
import type { BulkWriter } from './bulk-writer.ts';
import { declareCompany, declareWorkers, ownersAt } from './declare.ts';
import { historyOf } from './history.ts';
import { openPostgresWriter } from './postgres-writer.ts';
import { rowsOf } from './rows-of-run.ts';
import type { RunRows } from './rows-of-run.ts';
import { openSqliteWriter } from './sqlite-writer.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Runs of one transaction. */
const batchRuns = 5_000;
/** Of so many of the newest runs' time the history of each task and the logs are kept, ms. */
const detailedMs = dayMs;

export interface SeedOptions {
  /** `sqlite:path` or `postgres://…`, empty. */
  readonly url: string;
  readonly runs: number;
  readonly days: number;
  /** Task runs of a run, on average. */
  readonly tasks: number;
  readonly seed: number;
  readonly clock: Clock;
  /** Told after each transaction, and once per step. */
  readonly tell: (progress: SeedProgress) => void;
}

export interface SeedProgress {
  readonly step: 'runs' | 'figures';
  readonly runs: number;
  readonly taskRuns: number;
}

/** @throws {Error} when the store holds runs already; BatutaError STORE_… */
export async function seedStore({ url, runs, days, tasks, seed, clock, tell }: SeedOptions): Promise<SeedProgress> {
  const now = clock.now();
  const chance = makeChance(seed);
  const startedAt = now - days * dayMs;
  const owners = ownersAt(now);
  const store = await openStore({ url, clock });
  const { items } = await store.runs.list({ limit: 1 });
  const schedules = items.length === 0 ? await declareCompany(store, chance, startedAt, now) : new Map<string, string>();
  await store.close();
  if (items.length > 0) throw new Error(`${store.url} holds runs already; a seed wants an empty store.`);

  const postgres = store.dialect === 'postgres';
  const writer = postgres ? await openPostgresWriter(url) : openSqliteWriter(url.slice('sqlite:'.length));
  const made = { runs: 0, taskRuns: 0 };
  try {
    const options = { chance, items: itemsFor(tasks), schedules, owners, now, detailedSince: now - detailedMs };
    let batch: RunRows[] = [];
    for (const hour of historyOf({ runs, days, now, chance })) {
      for (const run of hour) batch.push(...rowsOf(run, options));
      if (batch.length < batchRuns) continue;
      await flush(writer, batch, now, postgres, made);
      batch = [];
      tell({ step: 'runs', ...made });
    }
    await flush(writer, batch, now, postgres, made);
  } finally {
    await writer.close();
  }
  tell({ step: 'figures', ...made });
  await sumUp(url, clock, owners, startedAt);
  return { step: 'figures', ...made };
}

async function flush(
  writer: BulkWriter,
  batch: readonly RunRows[],
  now: number,
  postgres: boolean,
  made: { runs: number; taskRuns: number },
): Promise<void> {
  await writer.write(tablesOf(batch, now, { numbered: !postgres, tagged: postgres }));
  made.runs += batch.length;
  for (const { taskRuns } of batch) made.taskRuns += taskRuns.length;
}

async function sumUp(url: string, clock: Clock, owners: ReturnType<typeof ownersAt>, startedAt: number): Promise<void> {
  // Workers of the past beat from tomorrow.
  const tomorrow = { ...clock, now: () => clock.now() + dayMs };
  const past = await openStore({ url, clock: tomorrow });
  await declareWorkers(past, owners, startedAt);
  await past.close();
  const store = await openStore({ url, clock });
  try {
    for (let more = true; more; ) ({ more } = await store.figures.rollUp({ maxHours: 24 }));
  } finally {
    await store.close();
  }
}

/** Items of mapped tasks with which runs have so many task runs on average: what is not mapped is given. */
function itemsFor(tasks: number): number {
  const weight = flows.reduce((sum, flow) => sum + flow.weight, 0);
  const part = (count: (flow: (typeof flows)[number]) => number): number =>
    flows.reduce((sum, flow) => sum + (flow.weight / weight) * count(flow), 0);
  const single = part((flow) => flow.tasks.filter(({ each }) => each === undefined).length);
  const mapped = part((flow) => flow.tasks.filter(({ each }) => each !== undefined).length);
  return Math.max(1, (tasks - single) / mapped);
}
