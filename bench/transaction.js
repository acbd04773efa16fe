/** A task with a transaction on PostgreSQL, beside the same insert and commit by hand. */
import { Flow, Task } from 'batuta';
import { postgres } from 'batuta/resources';
import pg from 'pg';
import { timeRun, withClient } from './engine.js';
import { inFolder, median, repeat } from './measure.js';
import { withPostgres } from './services.js';

/** Connections, and so transactions at the same time; on both sides the same. */
const connections = 8;

/** @param {import('./main.js').Request} request */
export function benchmark({ quick, runs, store }) {
  const tasks = quick ? 20 : 1_000;
  return withPostgres((url) =>
    inFolder((folder) =>
      withClient({ folder, store }, async (client) => {
        const pool = new pg.Pool({ connectionString: url, max: connections });
        // A connection may still be closing when the server ends.
        pool.on('error', () => {});
        await pool.query('create table loaded (id integer, text text)');
        try {
          const Load = makeLoad(url, tasks);
          const samples = await repeat({ times: runs, warmups: quick ? 0 : 2 }, async () => {
            const byHand = await timeByHand(pool, tasks);
            const engine = await timeRun(client, Load);
            // After the first run of the flow, which has made the table of effects.
            const withRecord = await timeByHand(pool, tasks, record);
            return { engine: engine / tasks, byHand: byHand / tasks, withRecord: withRecord / tasks };
          });
          const [engine, byHand] = ['engine', 'byHand'].map((name) => median(samples.map((sample) => sample[name])));
          return {
            title: `${tasks.toLocaleString('en-US')} transactional tasks on PostgreSQL, ${connections} at a time, median of ${runs}`,
            figures: [
              {
                name: 'msPerTask',
                label: 'a task with its transaction',
                value: engine,
                unit: 'ms',
                beside: { label: 'the same insert and commit by hand', value: byHand },
              },
              {
                name: 'timesByHand',
                label: 'times as long as by hand',
                value: median(samples.map((sample) => sample.engine / sample.byHand)),
                unit: '×',
                target: { atMost: 1.6 },
              },
              {
                name: 'recordTimesByHand',
                label: 'of which by hand, with a record of each task',
                value: median(samples.map((sample) => sample.withRecord / sample.byHand)),
                unit: '×',
              },
            ],
          };
        } finally {
          await pool.end();
        }
      }),
    ),
  );
}

/** One mapped task whose items insert a row each. */
function makeLoad(url, tasks) {
  const warehouse = postgres('warehouse', { url, max: connections });
  class Load {
    items() {
      return Array.from({ length: tasks }, (_, at) => at);
    }
    async load(item, ctx) {
      await ctx.tx.query('insert into loaded values ($1, $2)', [item, `text ${item}`]);
    }
    done() {}
  }
  const decorate = (name, options) => {
    const property = Object.getOwnPropertyDescriptor(Load.prototype, name);
    Object.defineProperty(Load.prototype, name, Task(options)(Load.prototype, name, property) ?? property);
  };
  decorate('items', {});
  decorate('load', { each: 'items', eachLimit: connections, transaction: warehouse });
  decorate('done', { after: ['load'] });
  Flow({ name: 'load', result: 'done' })(Load);
  return Load;
}

/** The row that says a task has committed, as the engine writes it: what taking effect once costs whoever does it. */
function record(client, at) {
  return client.query(
    `insert into batuta_effects (run_id, task_key, result, committed_at) values ($1, $2, $3, (extract(epoch from clock_timestamp()) * 1000)::bigint)`,
    [`by hand ${performance.timeOrigin + performance.now()}`, `load[${at}]`, null],
  );
}

/** Milliseconds for as many transactions of begin, insert and commit, as many at a time; `also` is done within each. */
async function timeByHand(pool, tasks, also = async () => {}) {
  let next = 0;
  const work = async () => {
    for (let at = next++; at < tasks; at = next++) {
      const client = await pool.connect();
      await client.query('begin');
      await client.query('insert into loaded values ($1, $2)', [at, `text ${at}`]);
      await also(client, at);
      await client.query('commit');
      client.release();
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: connections }, work));
  return performance.now() - startedAt;
}
