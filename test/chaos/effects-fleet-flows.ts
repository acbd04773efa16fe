/**
 * The flows of `effects-fleet.test.ts`. Each task with a transaction kills its process once in each run, by SIGKILL, at the point that its run
 * names: that it has died is noted beforehand in a folder that outlives it.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Flow, resource, Task, type TransactionContext } from 'batuta';
import { sqlite, sqlTransactions, type SqlTransaction, type TransactionDriver } from 'batuta/resources';

interface Params {
  readonly point: 'in the middle' | 'before commit' | 'after commit';
}

const deaths = process.env['EFFECTS_DEATHS'] ?? '';

/** Who works in a transaction: run and task run, and the point at which it is to die. */
const workers = new WeakMap<object, { readonly name: string; readonly point: Params['point'] }>();

function dieAt(point: Params['point'], tx: object): void {
  const worker = workers.get(tx);
  if (worker?.point !== point) return;
  try {
    writeFileSync(join(deaths, worker.name), '', { flag: 'wx' });
  } catch {
    return;
  }
  // A worker does not let code of a task call process.kill().
  spawnSync('kill', ['-9', String(process.pid)]);
}

/** The driver, with points at which the process dies. */
function mortal(driver: TransactionDriver<SqlTransaction>): TransactionDriver<SqlTransaction> {
  return {
    dialect: driver.dialect,
    keepEffectsMs: driver.keepEffectsMs,
    query: (text, values) => driver.query(text, values),
    async begin() {
      const open = await driver.begin();
      return {
        tx: open.tx,
        query: (text, values) => open.query(text, values),
        rollback: (isAborted) => open.rollback(isAborted),
        async commit() {
          dieAt('before commit', open.tx);
          await open.commit();
          dieAt('after commit', open.tx);
        },
      };
    },
  };
}

const plain = sqlite('plain', { file: () => process.env['EFFECTS_DATABASE'] ?? '', scope: 'worker' });
const db = resource(
  'db',
  async (ctx) => {
    const drivers = (globalThis as unknown as Record<symbol, WeakMap<object, TransactionDriver<SqlTransaction>>>)[
      Symbol.for('batuta.transactions')
    ];
    const driver = drivers?.get(await ctx.use(plain));
    if (!driver) throw new Error('There is no driver.');
    return sqlTransactions({ isMortal: true }, mortal(driver));
  },
  { scope: 'worker' },
);
type Context = TransactionContext<typeof db, Params>;

async function count(ctx: Context): Promise<number> {
  const name = `${ctx.run.id} ${ctx.task.name}${ctx.task.index ?? ''}`;
  appendFileSync(join(deaths, '..', 'ledger'), `${name}\n`);
  workers.set(ctx.tx, { name, point: ctx.params.point });
  await ctx.tx.query('insert into counters (name, value) values (?, 1) on conflict (name) do update set value = counters.value + 1', [
    name,
  ]);
  dieAt('in the middle', ctx.tx);
  return 1;
}

@Flow({ name: 'effects-of-all-kinds' })
export class EffectsOfAllKinds {
  @Task({ transaction: db, isolate: 'thread' })
  apart(ctx: Context): Promise<number> {
    return count(ctx);
  }

  @Task({ needs: ['apart'], transaction: db, spread: true, queue: 'far' })
  far(_: number, ctx: Context): Promise<number> {
    return count(ctx);
  }

  @Task({ needs: ['far'] })
  list(): number[] {
    return [1, 2];
  }

  @Task({ each: 'list', transaction: db })
  item(_: number, ctx: Context): Promise<number> {
    return count(ctx);
  }

  @Task({ needs: ['item'], transaction: db, rollback: 'undo' })
  done(_: number[], ctx: Context): Promise<number> {
    return count(ctx);
  }

  @Task({ needs: ['done'] })
  fails(): never {
    throw new Error('on purpose');
  }

  @Task({ needs: ['done'], transaction: db })
  undo(_: number, ctx: Context): Promise<number> {
    return count(ctx);
  }
}
