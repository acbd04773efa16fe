/**
 * A warehouse load with a unit of work: flights of a quarter, by airport, written to SQL exactly once a batch.
 *
 * Killed at any moment and continued, no batch is loaded twice and none is missing.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Flow, type Out, Task, type TaskContext, type TransactionContext } from 'batuta';
import { sqlite } from 'batuta/resources';
import { z } from 'zod';

const params = z.object({
  file: z.string().default(fileURLToPath(new URL('../node_modules/vega-datasets/data/flights-2k.json', import.meta.url))),
  batch: z.coerce.number().int().min(1).default(500),
});

/** `WAREHOUSE_FILE` names another; put `postgres('warehouse', { url })` here for a real one, and `$1` for `?` below. */
export const warehouse = sqlite('warehouse', { file: () => process.env['WAREHOUSE_FILE'] ?? '.batuta/warehouse.db' });

const flight = z.object({ date: z.string(), delay: z.number(), distance: z.number(), origin: z.string(), destination: z.string() });
type Flight = z.infer<typeof flight>;

@Flow({ params, description: 'Loads flights into a warehouse, each batch exactly once.', result: 'summary' })
export class WarehouseLoad {
  @Task()
  async batches(ctx: TaskContext<z.infer<typeof params>>): Promise<Flight[][]> {
    const flights = z.array(flight).parse(JSON.parse(await readFile(ctx.params.file, 'utf8')));
    const count = Math.ceil(flights.length / ctx.params.batch);
    return Array.from({ length: count }, (_, at) => flights.slice(at * ctx.params.batch, (at + 1) * ctx.params.batch));
  }

  @Task({ after: ['batches'], transaction: warehouse })
  async tables({ tx }: TransactionContext<typeof warehouse>): Promise<void> {
    await tx.query('create table if not exists flights (at text, origin text, destination text, delay integer, miles integer)');
    await tx.query('create table if not exists airports (code text primary key, departures integer not null, delay integer not null)');
  }

  @Task({ each: 'batches', after: ['tables'], transaction: warehouse, retries: 2, timeout: '1m' })
  async load(batch: Flight[], { tx }: TransactionContext<typeof warehouse>): Promise<number> {
    for (const { date, origin, destination, delay, distance } of batch) {
      await tx.query('insert into flights values (?, ?, ?, ?, ?)', [date, origin, destination, delay, distance]);
      await tx.query(
        `insert into airports values (?, 1, ?)
         on conflict (code) do update set departures = airports.departures + 1, delay = airports.delay + excluded.delay`,
        [origin, delay],
      );
    }
    return batch.length;
  }

  @Task({ needs: ['load'], transaction: warehouse })
  async summary(loaded: Out<WarehouseLoad, 'load'>[], ctx: TransactionContext<typeof warehouse>) {
    const worst = await ctx.tx.query<{ code: string; minutes: number }>(
      'select code, round(1.0 * delay / departures, 1) as minutes from airports where departures >= 20 order by minutes desc limit 5',
    );
    await ctx.artifact.table('worst airports', worst);
    return { loaded: loaded.reduce((sum, count) => sum + count, 0), worst: worst[0]?.code ?? null };
  }
}
