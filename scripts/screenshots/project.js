/** The project whose dashboard is drawn: its flows, its configuration, and what is done with it beforehand. */

/** What runs while the pictures are made; the first two hold on until they are cancelled. */
export const flows = `
import { Flow, type FlowContext, Task, type TaskContext } from 'batuta';
const pause = (ms: number, { signal }: TaskContext) =>
  new Promise<void>((done, fail) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', () => { clearTimeout(timer); fail(signal.reason); });
  });
@Flow({ description: 'Loads the measurements of every station into the warehouse.', tags: ['warehouse'] })
export class StationLoad {
  @Task() async stations(ctx: TaskContext) { ctx.log.info('asking for the list of stations'); await pause(300, ctx); return Array.from({ length: 48 }, (_, id) => id); }
  @Task({ isolate: 'thread', memory: '256 MB' }) async calibration(ctx: TaskContext) {
    ctx.log.info('reading calibration tables');
    const table = new Float64Array(400_000).map((_, at) => Math.sqrt(at));
    for (let turn = 0; turn < 6; turn++) table.sort((a, b) => Math.sin(a) - Math.sin(b));
    return 1.02;
  }
  @Task({ each: 'stations', eachLimit: 6, retries: 2 })
  async measure(station: number, ctx: TaskContext) { ctx.log.info('station ' + station + ': 1440 values'); await pause(station < 30 ? 500 : 600_000, ctx); return station; }
  @Task({ needs: ['measure', 'calibration'] }) async correct(values: number[], factor: number) { return values.length * factor; }
  @Task({ needs: ['correct'] }) async quality(sum: number) { return sum > 0; }
  @Task({ needs: ['correct'] }) async write(sum: number) { return sum; }
  @Task({ needs: ['quality', 'write'] }) async report(fine: boolean, sum: number) { return fine ? sum : 0; }
}
@Flow({ description: 'Draws the map of the coming days.' })
export class ForecastMap {
  @Task() async grid(ctx: TaskContext) { await pause(800, ctx); return 1; }
  @Task({ needs: ['grid'], tags: ['maps'] }) async render(grid: number, ctx: TaskContext) { await ctx.progress(37, 90); await pause(600_000, ctx); return grid; }
  @Task({ needs: ['render'] }) async publish(map: number) { return map; }
}
@Flow({ description: 'Publishes the bulletin once somebody has read it.' })
export class Bulletin {
  async run(_params: unknown, ctx: FlowContext) {
    const text = await this.write();
    const { approved } = await ctx.waitFor('publish', { title: 'Publish the bulletin of today?', description: text, timeout: '3 days', onTimeout: { approved: false } });
    return approved ? 'published' : 'kept back';
  }
  @Task() async write() { return 'Rain from the west, clearing by noon. Gusts of up to 70 km/h on the coast.'; }
}
interface Reading { readonly station: string; readonly celsius: number }
@Flow({ description: 'Streams readings, and puts aside what cannot be one.' })
export class Readings {
  @Task() async *read(ctx: TaskContext): AsyncGenerator<Reading> {
    for (let at = 0; at < 6_000; at++) yield { station: 's-' + (at % 48), celsius: at % 700 === 0 ? 900 : 8 + Math.sin(at / 60) * 6 };
    ctx.log.info('all readings are through');
  }
  @Task({ needs: ['read'] }) async *plausible(readings: AsyncIterable<Reading>, ctx: TaskContext): AsyncGenerator<Reading> {
    for await (const reading of readings) {
      if (reading.celsius > 60) ctx.reject(reading, 'too hot to be true');
      else yield reading;
    }
  }
  @Task({ needs: ['plausible'] }) async store(readings: AsyncIterable<Reading>, ctx: TaskContext) {
    let count = 0;
    for await (const { celsius } of readings) if (count++ % 1_000 === 0) await ctx.emit('samples', { count, celsius: Math.round(celsius * 10) / 10 });
    ctx.metrics.set('readings', count);
    return count;
  }
}
@Flow({ description: 'Keeps the exchange rates of the day.' })
export class ExchangeRates {
  @Task() async fetch({ artifact, params }: TaskContext<{ usd?: number }>) {
    const usd = params.usd ?? 1.08;
    await artifact.table('rates', [{ currency: 'EUR', rate: 1 }, { currency: 'USD', rate: usd }, { currency: 'GBP', rate: 0.86 }], { key: 'rates' });
    await artifact.markdown('summary', 'The dollar is at **' + usd + '**.', { key: 'rates-summary' });
    return usd;
  }
}
@Flow({ description: 'Takes over the orders of the shop.', tags: ['shop'] })
export class OrderImport {
  @Task({ cache: '1 hour' }) async catalogue() { return ['tea', 'coffee']; }
  @Task({ needs: ['catalogue'] }) async orders(known: string[], { params, log }: TaskContext<{ id?: number }>) {
    log.warn('order ' + params.id + ' names a product that is not in the catalogue');
    if (params.id !== undefined) throw new RangeError('product 4711 of order ' + params.id + ' is unknown');
    return known.length;
  }
}
`;

/** @param hook address that alerts are posted to */
export const configuration = (hook) => `
import { defineConfig } from 'batuta';
export default defineConfig({
  alerts: [
    { name: 'failures', on: 'failed', by: 'flow', repeat: 0, send: { webhook: '${hook}', secret: 'hook-key' }, description: 'Look at the last run; ask the team of the flow.' },
    { name: 'late', on: 'late', send: { webhook: '${hook}', secret: 'hook-key' } },
  ],
  health: {
    warehouse: () => ({ status: 'healthy', found: 'answers in 12 ms' }),
    'weather-service': () => ({ status: 'degraded', found: 'answers in 2.4 s', mend: 'Ask the provider, or wait.' }),
  },
});
`;

/** Commands before anything runs. */
export const preparations = [
  ['limit', 'set', 'tag:warehouse', '4'],
  ['limit', 'set', 'tag:maps', '1'],
  ['limit', 'set', 'tag:api', '100', '--per', '1m'],
  ['secret', 'set', 'hook-key', '--ref', 'env:HOOK_KEY', '--description', 'Signs what alerts post'],
  ['secret', 'set', 'stripe-key', '--ref', 'env:STRIPE_KEY'],
  ['variable', 'set', 'threshold', '0.8'],
  ['variable', 'set', 'regions', '["eu","us"]'],
  ['connection', 'set', 'warehouse', '--kind', 'postgres', '-f', 'host=db.internal', '-f', 'database=weather', '-f', 'user=loader'],
  ['connection', 'set', 'crm', '--kind', 'http', '-f', 'baseUrl=https://crm.example', '--secret', 'token=env:CRM_TOKEN'],
  ['deploy', 'order-import', '--name', 'orders-on-event', '--on', 'event:order.created', '--map', 'id=payload.id'],
  ['webhook', 'add', 'shop', '--secret', 'hook-key'],
  ['alerts', 'add', 'few-readings', '--on', '{"metric":"readings","below":6000}', '--run', 'orders-on-event', '--params', '{"id":1}'],
  [
    'alerts',
    'add',
    'slow',
    '--on',
    '{"longer":{"p95":2}}',
    '--deployment',
    'report-sales',
    '--email',
    'oncall@example.com',
    '--repeat',
    '1h',
  ],
];

/** Runs that are let go through before the pictures, in this order. */
export const runs = [
  ['exchange-rates'],
  ['exchange-rates', '-p', 'usd=1.11'],
  ['readings'],
  ['order-import', '-p', 'id=1041'],
  ['order-import', '-p', 'id=1042'],
  ['order-import'],
];
