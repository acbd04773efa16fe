/**
 * The process that the tests of streams kill: starts a run, or goes on with one that another has left, and dies in the middle of its stream by its
 * own hand, once a position has been confirmed.
 *
 * Each batch that the end of the stream takes is written to the ledger before it is asked for the next.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Flow, Task, type TaskContext, type TransactionContext } from 'batuta';
import { sqlite } from 'batuta/resources';
import { at, batch } from 'batuta/streams';
import { openEngine } from '../support/open-engine.ts';

export interface StreamsOrder {
  /** Of Batuta's database. */
  readonly url: string;
  /** File of the user's database. */
  readonly database: string;
  /** Where each batch that was taken leaves `first last`, and each beginning `from N`. */
  readonly ledger: string;
  readonly flow: 'positions' | 'transaction';
  readonly records: number;
  /** The run to go on with; null starts one. */
  readonly runId: string | null;
  readonly dies: boolean;
}

const order = JSON.parse(process.argv[2] ?? '{}') as StreamsOrder;
const db = sqlite('db', { file: order.database, scope: 'worker' });
/** So slow that some seconds pass, so quick that many records lie between two positions that are confirmed. */
const recordsPerPause = 40;
let mayDie = false;

function die(): void {
  if (order.dies && mayDie) process.kill(process.pid, 'SIGKILL');
}

class Numbers {
  @Task()
  async *numbers(ctx: TaskContext) {
    const from = ctx.resumeFrom === undefined ? 0 : Number(ctx.resumeFrom) + 1;
    appendFileSync(order.ledger, `from ${from}\n`);
    for (let number = from; number < order.records; number++) {
      yield at(number, number);
      if (number % recordsPerPause === 0) await sleep(1);
    }
  }

  @Task({ needs: ['numbers'] })
  async *odd(numbers: AsyncIterable<number>): AsyncGenerator<number> {
    for await (const number of numbers) yield number;
  }
}

@Flow({ name: 'positions' })
class Positions extends Numbers {
  @Task({ needs: ['odd'] })
  async write(numbers: AsyncIterable<number>): Promise<void> {
    for await (const group of batch(numbers, 100)) {
      appendFileSync(order.ledger, `${group[0]} ${group.at(-1)}\n`);
      die();
    }
  }
}

@Flow({ name: 'transaction' })
class Transaction extends Numbers {
  @Task({ needs: ['odd'], transaction: db })
  async write(numbers: AsyncIterable<number>, ctx: TransactionContext<typeof db>): Promise<number> {
    let rows = 0;
    for await (const group of batch(numbers, 500)) {
      for (const number of group) await ctx.tx.query('insert into numbers (number) values (?)', [number]);
      rows += group.length;
      die();
    }
    return rows;
  }
}

const { client } = await openEngine({ url: order.url, flows: [Positions, Transaction] });
const handle =
  order.runId === null ? await client.submit(order.flow === 'positions' ? Positions : Transaction) : await client.runs.resume(order.runId);
process.stdout.write(`started ${handle.id}\n`);
setTimeout(() => {
  mayDie = true;
}, 1_500).unref();
const run = await handle.done();
process.stdout.write(`ended ${run.state.name}\n`);
await client.close();
