/**
 * A warehouse load with a unit of work: four years of Seattle's weather into an SQLite file, a month a task run.
 *
 * The database is open as long as the run. Each task writes in a transaction of its own, which commits when the task has succeeded and rolls back when it
 * fails, whatever it fails with.
 */
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Flow, Inject, resource, Task, type TaskContext } from 'batuta';
import { parse as parseCsv } from 'csv-parse/sync';
import Database from 'libsql';
import { z } from 'zod';

const params = z.object({
  source: z.string().default(fileURLToPath(new URL('../node_modules/vega-datasets/data/seattle-weather.csv', import.meta.url))),
  database: z.string().default(join(tmpdir(), 'batuta-weather.db')),
  /** Months that are refused, as a source might have them. */
  broken: z.array(z.string()).default([]),
});

interface Day {
  readonly date: string;
  readonly temp_max: string;
  readonly weather: string;
}

const warehouse = resource('warehouse', function* (ctx) {
  const { database } = ctx.params as z.infer<typeof params>;
  const db = new Database(database);
  try {
    db.exec('create table if not exists days (date text primary key, temp_max real not null, weather text not null)');
    yield db;
  } finally {
    db.close();
  }
});

/** A transaction of the task that uses it. */
const unitOfWork = resource(
  'unit-of-work',
  async function* (ctx) {
    const db = await ctx.use(warehouse);
    db.exec('begin immediate');
    try {
      yield db;
    } catch (error) {
      db.exec('rollback');
      throw error;
    }
    db.exec('commit');
  },
  { scope: 'task' },
);

@Flow({ description: 'Loads the weather of Seattle into a warehouse, each month whole or not at all.', result: 'report' })
export class WeatherWarehouse {
  static readonly params = params;

  @Inject(warehouse) private readonly db!: Database.Database;

  @Task()
  async months(ctx: TaskContext<typeof WeatherWarehouse>): Promise<{ month: string; days: Day[] }[]> {
    const days = parseCsv<Day>(await readFile(ctx.params.source, 'utf8'), { columns: true });
    const byMonth = new Map<string, Day[]>();
    for (const day of days) {
      const month = day.date.slice(0, 7);
      byMonth.set(month, [...(byMonth.get(month) ?? []), day]);
    }
    return [...byMonth].map(([month, list]) => ({ month, days: list }));
  }

  /** One at a time: the transactions share the connection. */
  @Task({ each: 'months', eachLimit: 1 })
  async load({ month, days }: { month: string; days: Day[] }, ctx: TaskContext<typeof WeatherWarehouse>): Promise<number> {
    const db = await ctx.use(unitOfWork);
    const insert = db.prepare('insert or replace into days values (?, ?, ?)');
    for (const { date, temp_max, weather } of days) insert.run(date, Number(temp_max), weather);
    if (ctx.params.broken.includes(month)) throw new Error(`${month} does not add up`);
    return days.length;
  }

  @Task({ after: ['load'], trigger: 'allDone' })
  report(): { days: number; hottest: string } {
    const { days } = this.db.prepare('select count(*) as days from days').get() as { days: number };
    const { hottest } = this.db.prepare('select date as hottest from days order by temp_max desc, date limit 1').get() as {
      hottest: string;
    };
    return { days, hottest };
  }
}
