/**
 * The process that the tests of transactions kill: goes on with a run that another has left, then starts one and dies in it.
 *
 * It dies of SIGKILL, by its own hand: at the point it is told, in the task it is told. Each piece of work that is begun leaves a line in the ledger.
 */
import { appendFileSync } from 'node:fs';
import { Flow, resource, Task, type TransactionContext } from 'batuta';
import { postgres, sqlite, sqlTransactions, type SqlTransaction, type TransactionalPool, type TransactionDriver } from 'batuta/resources';
import { driverOf } from '../../src/effects/driver.ts';
import { currentScope } from '../../src/model/run-context.ts';
import { openEngine } from '../support/open-engine.ts';

export const points = ['before begin', 'in the middle', 'before commit', 'after commit'] as const;
export type Point = (typeof points)[number];

export interface EffectsOrder {
  readonly dialect: 'postgres' | 'sqlite';
  /** Of the user's database. */
  readonly address: string;
  /** Of Batuta's. */
  readonly url: string;
  readonly ledger: string;
  /** The run to go on with; null for none. */
  readonly runId: string | null;
  /** Where the run that is started then ends; null starts none. */
  readonly death: { readonly point: Point; readonly task: string } | null;
}

const order = JSON.parse(process.argv[2] ?? '{}') as EffectsOrder;
let isMortal = false;

function dieAt(point: Point): void {
  if (isMortal && order.death?.point === point && order.death.task === currentScope()?.task) process.kill(process.pid, 'SIGKILL');
}

/** The driver, with points at which the process may die. */
function mortal(driver: TransactionDriver<SqlTransaction>): TransactionDriver<SqlTransaction> {
  return {
    dialect: driver.dialect,
    keepEffectsMs: driver.keepEffectsMs,
    hasOneConnection: driver.hasOneConnection ?? false,
    query: (text, values) => driver.query(text, values),
    async begin() {
      dieAt('before begin');
      const open = await driver.begin();
      const mortally =
        <Args extends readonly unknown[]>(commit: (...args: Args) => Promise<void>) =>
        async (...args: Args): Promise<void> => {
          dieAt('before commit');
          await commit(...args);
          dieAt('after commit');
        };
      return {
        tx: open.tx,
        query: (text, values) => open.query(text, values),
        rollback: (isAborted) => open.rollback(isAborted),
        commit: mortally(() => open.commit()),
        ...(open.commitWith && { commitWith: mortally(open.commitWith) }),
      };
    },
  };
}

const scope = 'worker';
const plain =
  order.dialect === 'postgres' ? postgres('plain', { url: order.address, scope }) : sqlite('plain', { file: order.address, scope });
const db = resource(
  'db',
  async (ctx) => {
    const pool: TransactionalPool = await ctx.use(plain);
    return sqlTransactions({ isMortal: true }, mortal(driverOf(pool) as TransactionDriver<SqlTransaction>));
  },
  { scope },
);
const [first, second] = order.dialect === 'postgres' ? ['$1', '$2'] : ['?', '?'];
const move = `insert into counters (name, value) values (${first}, ${second}) on conflict (name) do update set value = counters.value + 1`;

async function count(ctx: TransactionContext<typeof db>): Promise<string> {
  const name = `${ctx.run.id} ${ctx.task.name}`;
  appendFileSync(order.ledger, `${name}\n`);
  await ctx.tx.query(move, [name, 1]);
  dieAt('in the middle');
  return name;
}

@Flow({ name: 'counts' })
class Counts {
  @Task({ transaction: db })
  a(ctx: TransactionContext<typeof db>): Promise<string> {
    return count(ctx);
  }
  @Task({ needs: ['a'], transaction: db })
  b(_: string, ctx: TransactionContext<typeof db>): Promise<string> {
    return count(ctx);
  }
  @Task({ needs: ['b'], transaction: db })
  c(before: string, ctx: TransactionContext<typeof db>): Promise<string> {
    return count(ctx).then((own) => `${before}, ${own}`);
  }
}

const { client } = await openEngine({ url: order.url, flows: [Counts] });
if (order.runId !== null) {
  const handle = await client.runs.resume(order.runId);
  process.stdout.write(`ended ${JSON.stringify(await handle.result())}\n`);
}
if (order.death !== null) {
  isMortal = true;
  const handle = await client.submit(Counts);
  process.stdout.write(`started ${handle.id}\n`);
  await handle.result();
  process.stdout.write('survived\n');
}
await client.close();
