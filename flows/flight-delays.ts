/**
 * Three million flights, from raw Parquet to the ten airports that keep people waiting longest.
 *
 * Flights and airports are read side by side. The first attempt at the flights breaks off, as networks do, and is retried.
 */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Flow, type Out, Task, type TaskContext } from 'batuta';
import { parse as parseCsv } from 'csv-parse/sync';
import { z } from 'zod';
import { markdownTable } from './formats/markdown-table.ts';
import { readRowGroups, writeParquet } from './formats/parquet.ts';

const params = z.object({
  /** Folder that holds `flights-3m.parquet` and `airports.csv`. */
  data: z.string().default(fileURLToPath(new URL('../node_modules/vega-datasets/data/', import.meta.url))),
  out: z.string().default('out/flight-delays.parquet'),
  /** Months in which an airport saw fewer flights are left out: a mean over a handful says nothing. */
  minFlights: z.coerce.number().int().positive().default(100),
});
type Params = z.infer<typeof params>;

/** The source writes NA where it does not know. */
const place = z.string().transform((text) => (text === 'NA' ? null : text));
const airportRow = z.object({ iata: z.string(), name: z.string(), city: place, state: place });

/** Departures from one airport in one month. */
interface Departures {
  readonly airport: string;
  /** E.g. `2001-01`. */
  readonly month: string;
  flights: number;
  /** Sum of all delays; flights that were early count as negative. */
  delayMinutes: number;
  late: number;
}

/** The statistics office calls a flight late from here on. */
const lateFromMinutes = 15;
/** No flight leaves that early: such delays are a clock read wrongly, and are set aside. */
const earliestMinutes = -120;

@Flow({ params, description: 'Delays of US flights by airport and month.', tags: ['demo'], result: 'report' })
export class FlightDelays {
  // Hands on what it found, not what it read: 1,400 sums are kept in the run's record, three million flights would
  // be in everyone's way. A task whose rows are needed later writes them to a file and hands on the path.
  @Task({ retries: 3, retryDelay: '500ms', backoff: 'exponential', retryIf: isConnectionLost, timeout: '2m' })
  async flights(ctx: TaskContext<Params>): Promise<Departures[]> {
    const sums = new Map<string, Map<number, Departures>>();
    const file = join(ctx.params.data, 'flights-3m.parquet');
    let read = 0;
    for await (const { rows, totalRows, columns } of readRowGroups<{ date: number; delay: bigint; origin: string }>(file, [
      'date',
      'delay',
      'origin',
    ])) {
      ctx.signal.throwIfAborted();
      ctx.metrics.add('setAside', addDepartures(sums, columns, rows));
      read += rows;
      ctx.progress(read, totalRows);
      if (ctx.task.attempt === 1) simulateNetworkHiccup();
    }
    return [...sums.values()].flatMap((months) => [...months.values()]);
  }

  @Task({ retries: 3, retryDelay: '500ms', retryIf: isConnectionLost })
  async airports(ctx: TaskContext<Params>) {
    const text = await readFile(join(ctx.params.data, 'airports.csv'), 'utf8');
    return z.array(airportRow).parse(parseCsv(text, { columns: true }));
  }

  @Task({ needs: ['flights', 'airports'] })
  async delays(departures: Departures[], airports: Out<FlightDelays, 'airports'>, ctx: TaskContext<Params>) {
    const byCode = new Map(airports.map((airport) => [airport.iata, airport]));
    return departures
      .filter(({ flights }) => flights >= ctx.params.minFlights)
      .map(({ airport, month, flights, delayMinutes, late }) => ({
        airport,
        name: byCode.get(airport)?.name ?? null,
        city: byCode.get(airport)?.city ?? null,
        state: byCode.get(airport)?.state ?? null,
        month,
        flights,
        meanDelay: delayMinutes / flights,
        lateShare: late / flights,
      }))
      .sort((a, b) => a.airport.localeCompare(b.airport) || a.month.localeCompare(b.month));
  }

  @Task({ needs: ['delays'] })
  async write(rows: Out<FlightDelays, 'delays'>, ctx: TaskContext<Params>): Promise<string> {
    const file = resolve(ctx.params.out);
    await writeParquet(file, rows, {
      airport: 'STRING',
      name: 'STRING',
      city: 'STRING',
      state: 'STRING',
      month: 'STRING',
      flights: 'INT32',
      meanDelay: 'DOUBLE',
      lateShare: 'DOUBLE',
    });
    return file;
  }

  @Task({ needs: ['delays', 'write'] })
  async report(rows: Out<FlightDelays, 'delays'>, file: string, ctx: TaskContext<Params>) {
    const worst = rankAirports(rows).slice(0, 10);
    const table = markdownTable(
      ['airport', 'name', 'flights', 'mean delay', 'late'],
      worst.map((it) => [
        it.airport,
        it.name,
        it.flights.toLocaleString('en'),
        `${it.meanDelay.toFixed(1)} min`,
        `${(100 * it.lateShare).toFixed(1)} %`,
      ]),
    );
    await ctx.artifact.markdown('ten-worst-airports', table);
    console.log(`The ten airports with the longest delays:\n\n${table}\n`);
    return { file, rows: rows.length, worst };
  }
}

/** Adds a row group to the sums by airport and month (counted from year 0); gives the number of flights set aside. */
function addDepartures(
  sums: Map<string, Map<number, Departures>>,
  { date, delay, origin }: { date: ArrayLike<number>; delay: ArrayLike<bigint>; origin: ArrayLike<string> },
  rows: number,
): number {
  let setAside = 0;
  for (let row = 0; row < rows; row++) {
    const minutes = Number(delay[row]);
    if (minutes < earliestMinutes) {
      setAside += 1;
      continue;
    }
    const airport = origin[row] as string;
    const at = new Date(date[row] as number);
    const monthKey = at.getUTCFullYear() * 12 + at.getUTCMonth();
    let months = sums.get(airport);
    if (!months) sums.set(airport, (months = new Map()));
    let sum = months.get(monthKey);
    if (!sum) months.set(monthKey, (sum = { airport, month: at.toISOString().slice(0, 7), flights: 0, delayMinutes: 0, late: 0 }));
    sum.flights += 1;
    sum.delayMinutes += minutes;
    if (minutes >= lateFromMinutes) sum.late += 1;
  }
  return setAside;
}

/** One line an airport over all its months, longest mean delay first. */
function rankAirports(rows: Out<FlightDelays, 'delays'>) {
  const byAirport = new Map<string, { airport: string; name: string; flights: number; meanDelay: number; lateShare: number }>();
  for (const { airport, name, flights, meanDelay, lateShare } of rows) {
    const sum = byAirport.get(airport) ?? { airport, name: name ?? airport, flights: 0, meanDelay: 0, lateShare: 0 };
    const total = sum.flights + flights;
    byAirport.set(airport, {
      ...sum,
      flights: total,
      meanDelay: (sum.meanDelay * sum.flights + meanDelay * flights) / total,
      lateShare: (sum.lateShare * sum.flights + lateShare * flights) / total,
    });
  }
  return [...byAirport.values()].sort((a, b) => b.meanDelay - a.meanDelay);
}

/** A connection may come back; a file that is not there will not. */
function isConnectionLost(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNRESET';
}

/** Stands for a connection that is reset once; without it the demo would have no retry to show. */
function simulateNetworkHiccup(): never {
  throw Object.assign(new Error('connection reset after the first part of flights-3m.parquet (simulated, once a run)'), {
    code: 'ECONNRESET',
  });
}
