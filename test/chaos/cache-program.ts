/**
 * A process that the chaos tests of cache and rollback kill: 250 callers of one key, or a run that is rolled back. What was executed stands in a
 * ledger that no part of Batuta reads, a line each with its instant.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Flow, Task, type TaskContext } from 'batuta';
import { openEngine } from '../support/open-engine.ts';

export interface CacheOrder {
  readonly what: 'callers' | 'rollback';
  readonly url: string;
  readonly ledger: string;
  readonly leaseMs: number;
  /** How long the value takes to be made, ms. */
  readonly workMs: number;
  /** Run to be continued; null starts one. */
  readonly runId: string | null;
}

const order = JSON.parse(process.argv[2] ?? '{}') as CacheOrder;
const note = (line: string): void => appendFileSync(order.ledger, `${Date.now()} ${process.pid} ${line}\n`);

@Flow({ name: 'callers', version: '1' })
class Callers {
  @Task()
  async list(): Promise<string[]> {
    return Array.from({ length: 250 }, () => 'same');
  }
  @Task({ each: 'list', cache: '1 hour' })
  async slow(item: string): Promise<string> {
    note('made');
    await sleep(order.workMs);
    return `${item} of ${process.pid}`;
  }
}

@Flow({ name: 'rolled-back', version: '1' })
class RolledBack {
  @Task()
  async list(): Promise<number[]> {
    return Array.from({ length: 25 }, (_, at) => at);
  }
  @Task({ each: 'list', eachLimit: 5, rollback: 'undo' })
  async act(at: number): Promise<number> {
    return at;
  }
  @Task({ needs: ['act'] })
  async fail(): Promise<void> {
    throw new Error('it broke');
  }
  @Task({ needs: ['act'], retries: 1 })
  async undo(at: number, ctx: TaskContext): Promise<void> {
    note(`undo ${ctx.task.index} ${at}`);
    await sleep(order.workMs);
  }
}

const { client } = await openEngine({
  url: order.url,
  settings: { leaseMs: order.leaseMs, heartbeatMs: order.leaseMs / 4 },
  flows: [Callers, RolledBack],
  // Nobody can tell that a process is gone: its leases have to end. Runs are continued as soon as it is, for the test waits for that.
  isOwnerGone: () => order.what === 'rollback',
});
const handle =
  order.runId === null ? await client.submit(order.what === 'callers' ? Callers : RolledBack) : await client.runs.resume(order.runId);
process.stdout.write(`id ${handle.id}\n`);
const run = await handle.done();
process.stdout.write(`end ${run.state.name}\n`);
await client.close();
