/** Two workers' worth of engine over a broker that loses, repeats, delays and reorders: what is accepted is executed, and once. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Flow, Task, type TaskContext } from 'batuta';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { reissueLoop } from '../../../src/upkeep/reissue.ts';
import type { Broker } from '../../../src/broker/broker.ts';
import { openBroker } from '../../../src/broker/open.ts';
import { enqueueRuns } from '../../../src/client/enqueue.ts';
import { definitionOf } from '../../../src/define/definition.ts';
import { processTicket } from '../../../worker/process-ticket.ts';
import { makeFaulty } from '../../support/faulty-broker.ts';
import { openEngine } from '../../support/open-engine.ts';

const executed = new Map<string, number>();

@Flow()
class Counted {
  @Task()
  async first(ctx: TaskContext): Promise<number> {
    return count(ctx);
  }

  @Task({ needs: ['first'] })
  async second(first: number, ctx: TaskContext): Promise<number> {
    return first + count(ctx);
  }
}

function count({ run, task }: TaskContext): number {
  const key = `${run.id} ${task.name}`;
  executed.set(key, (executed.get(key) ?? 0) + 1);
  return 1;
}

const runs = 150;
const flows = new Map([[definitionOf(Counted).name, definitionOf(Counted)]]);
const log = pino({ level: 'silent' });

test.each([1, 2, 3])('whatever the broker does to tickets (seed %i), each run is executed to its end, and each task once', async (seed) => {
  executed.clear();
  const folder = mkdtempSync(join(tmpdir(), 'batuta-faulty-'));
  const url = `sqlite:${join(folder, 'batuta.db')}`;
  const workers = await Promise.all(
    [seed, seed + 100].map(async (own) => {
      const { client, engine, store } = await openEngine({ url });
      const broker = makeFaulty(await openBroker({ url: null, store }), { seed: own, drop: 0.3, repeat: 0.3, delay: 0.3, reorder: true });
      const parts = { engine, broker: broker as Broker, log, flows };
      broker.consume('default', { concurrency: 8 }, (ticket) => processTicket(parts, ticket));
      const loop = reissueLoop(parts, { intervalMs: 50, lostAfterMs: 100 });
      await loop.start();
      return { client, engine, broker, loop };
    }),
  );
  const [first] = workers;
  try {
    if (!first) throw new Error('There are no workers.');
    const { engine, broker } = first;
    const wanted = Array.from({ length: runs }, () => ({}));
    const placed = await enqueueRuns(engine, async () => broker, definitionOf(Counted), wanted);
    expect(broker.faults.dropped).toBeGreaterThan(10);
    const unfinished = async (): Promise<number> =>
      (await first.client.runs.list({ states: ['SCHEDULED', 'PENDING', 'RUNNING'] })).items.length;
    await expect.poll(unfinished, { timeout: 20_000 }).toBe(0);
    const ended = await Promise.all(placed.map(({ id }) => first.client.runs.get(id)));
    expect(ended.filter(({ state, epoch }) => state.name !== 'Completed' || epoch !== 1)).toEqual([]);
    expect(executed.size).toBe(2 * runs);
    expect([...executed].filter(([, times]) => times !== 1)).toEqual([]);
  } finally {
    for (const { loop, broker, client } of workers) {
      await loop.stop();
      await broker.close();
      await client.close();
    }
    rmSync(folder, { recursive: true, force: true });
  }
});
