/**
 * Three million flights as a stream: read by row groups, checked one by one, written as Parquet by month, in the memory of some row groups.
 *
 * Flights whose clock was read wrongly are rejected. `batuta runs rejects <id>` lists them, and gives them to the check again with `--retry`.
 */
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Flow, Task, type TaskContext } from 'batuta';
import { parquetGroups, writeParquet } from 'batuta/streams';
import { z } from 'zod';

const params = z.object({
  file: z.string().default(fileURLToPath(new URL('../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url))),
  /** Folder of the files that are written, one a month. */
  out: z.string().default('out/flight-months'),
  /** So many flights are read, the first of the file. */
  limit: z.coerce.number().int().positive().default(3_000_000),
  /** No flight leaves that early, in minutes. */
  earliest: z.coerce.number().int().default(-120),
});
type Params = z.infer<typeof params>;

interface RawFlight {
  /** Text where it is given back. */
  readonly date: Date | string;
  readonly delay: bigint | number;
  readonly origin: string;
  readonly destination: string;
}

interface Flight {
  readonly at: Date;
  readonly delay: number;
  readonly from: string;
  readonly to: string;
}

@Flow({ description: 'US flights as Parquet by month, as a stream.', tags: ['demo'] })
export class FlightMonths {
  static readonly params = params;
  static readonly result = 'write';

  @Task({ retries: 2, buffer: 4_096 })
  async *flights(ctx: TaskContext<Params>): AsyncGenerator<RawFlight> {
    const { file, limit } = ctx.params;
    const columns = ['date', 'delay', 'origin', 'destination'];
    for await (const { from, rows } of parquetGroups<RawFlight>(file, { columns })) {
      yield* rows.slice(0, limit - from);
      if (from + rows.length >= limit) return;
    }
  }

  @Task({ needs: ['flights'], buffer: 4_096, maxErrorRate: { share: 0.01, from: 10_000 } })
  async *checked(flights: AsyncIterable<RawFlight>, ctx: TaskContext<Params>): AsyncGenerator<Flight> {
    for await (const { date, delay, origin, destination } of flights) {
      const flight = { at: new Date(date), delay: Number(delay), from: origin, to: destination };
      if (flight.delay >= ctx.params.earliest) yield flight;
      // As text, so that what is rejected is plain JSON and can be given back.
      else ctx.reject({ date: flight.at.toISOString(), delay: flight.delay, origin, destination }, 'left too early');
    }
  }

  /** The files of all months, once each is whole. */
  @Task({ needs: ['checked'] })
  async write(flights: AsyncIterable<Flight>, ctx: TaskContext<Params>): Promise<Record<string, number>> {
    const files = await writeParquet(flights, ({ at }) => join(ctx.params.out, `${at.toISOString().slice(0, 7)}.parquet`), {
      columns: { at: 'TIMESTAMP', delay: 'INT32', from: 'STRING', to: 'STRING' },
    });
    return Object.fromEntries(files.map(({ path, rows }) => [basename(path, '.parquet'), rows]));
  }
}
