/**
 * Turns of keys at a worker, by counts of starts: one customer submits very many runs, ten others ten each.
 *
 * `FAIR_RUNS=100000` submits 100,000, as the first one does in the guide.
 */
import { Flow, Task, type TaskContext } from 'batuta';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Broker, Consumer } from '../../../src/broker/broker.ts';
import { openBroker } from '../../../src/broker/open.ts';
import { enqueueRuns } from '../../../src/client/enqueue.ts';
import { definitionOf } from '../../../src/define/definition.ts';
import { openStore } from '../../../src/store/open.ts';
import { processTicket } from '../../../worker/process-ticket.ts';
import { type OpenEngine, openEngine } from '../../support/open-engine.ts';
import { createDatabase } from '../../support/postgres.ts';
import { until } from '../../support/room.ts';

const many = Number(process.env['FAIR_RUNS'] ?? 3_000);
const places = 8;
const customers = Array.from({ length: 10 }, (_, at) => `small-${at}`);
const schema = z.object({ customer: z.string() });

const begun: string[] = [];

@Flow({ name: 'import', params: schema, fairness: '{customer}' })
class Import {
  @Task()
  work(ctx: TaskContext<{ customer: string }>): void {
    begun.push(ctx.params.customer);
  }
}

@Flow({ name: 'weighed', params: schema, fairness: { key: (params) => params.customer, weight: (key) => (key === 'gold' ? 3 : 1) } })
class Weighed {
  @Task()
  work(ctx: TaskContext<{ customer: string }>): void {
    begun.push(ctx.params.customer);
  }
}

@Flow({ name: 'heavy-import', params: schema, fairness: '{customer}', slots: places })
class HeavyImport {
  @Task()
  work(ctx: TaskContext<{ customer: string }>): void {
    begun.push(ctx.params.customer);
  }
}

@Flow({ name: 'limited-import', params: schema, fairness: '{customer}', concurrency: { limit: 1, key: '{customer}' } })
class LimitedImport {
  @Task()
  work(ctx: TaskContext<{ customer: string }>): void {
    begun.push(ctx.params.customer);
  }
}

const all = [Import, Weighed, HeavyImport, LimitedImport];
const flows = new Map(all.map((flow) => [definitionOf(flow).name, definitionOf(flow)]));
const log = pino({ level: 'silent' });

describe.each(['sqlite', 'postgres'] as const)('turns on %s', (on) => {
  let open: OpenEngine;
  let broker: Broker;
  let drop: () => Promise<void>;
  beforeEach(async () => {
    begun.length = 0;
    const database = on === 'sqlite' ? null : await createDatabase();
    drop = async () => database?.drop();
    const store = await openStore({ url: database?.url ?? 'sqlite::memory:' });
    await store.migrate();
    open = await openEngine({ store, flows: all });
    broker = await openBroker({ url: null, store });
  });
  afterEach(async () => {
    await open.engine.handBack(5_000);
    await broker.close();
    await open.client.close();
    await drop();
  });

  const work = (): Consumer =>
    broker.consume('default', { concurrency: places }, (ticket, delivery) =>
      processTicket({ engine: open.engine, broker, log, flows }, ticket, false, delivery),
    );
  function submit(flow: string, of: readonly string[], priority = 0): ReturnType<typeof enqueueRuns> {
    const definition = flows.get(flow);
    if (!definition) throw new Error(`There is no flow ${flow}.`);
    return enqueueRuns(
      open.engine,
      async () => broker,
      definition,
      of.map((customer) => ({ params: { customer }, priority })),
    );
  }
  const times = (count: number, customer: string): string[] => Array.from({ length: count }, () => customer);

  test(
    'one customer submits very many runs, ten others ten each: when all of theirs have begun, about as many of the first have',
    async () => {
      await submit('import', times(many, 'big'));
      const consumer = work();
      await until(() => begun.length >= 30);
      await submit(
        'import',
        customers.flatMap((customer) => times(10, customer)),
      );
      const from = begun.length;
      await until(() => begun.filter((customer) => customer !== 'big').length === 100);
      const last = begun.findLastIndex((customer) => customer !== 'big');
      const meanwhile = begun.slice(from, last + 1).filter((customer) => customer === 'big').length;
      // Ten turns, and what was decided or begun before theirs were there, or after the last of them.
      expect(meanwhile).toBeLessThanOrEqual(10 + 2 * places + 2);
      await consumer.quiet();
    },
    many > 10_000 ? 1_800_000 : 60_000,
  );

  test('keys that all wait at the same time begin in turns, those with a weight more often', async () => {
    await submit('weighed', [...times(60, 'plain'), ...times(60, 'gold')]);
    const consumer = work();
    await until(() => begun.length >= 60);
    await consumer.quiet();
    // Between decision and start there is as much as the worker has places.
    const gold = begun.slice(0, 60).filter((customer) => customer === 'gold').length;
    expect(gold).toBeGreaterThanOrEqual(45 - places);
    expect(gold).toBeLessThanOrEqual(45 + places);
  });

  test('every run begins once and ends, with heavy ones and ones under limits among them, whatever tickets are put again', {
    timeout: 120_000,
  }, async () => {
    const placed = [
      ...(await submit('import', [...times(20, 'a'), ...times(20, 'b')])),
      ...(await submit('heavy-import', [...times(5, 'a'), ...times(5, 'c')])),
      ...(await submit('limited-import', [...times(10, 'a'), ...times(10, 'd')])),
    ];
    open.engine.services.limits.runs.carry(async (runs) => {
      for (const { id, epoch, queue, priority } of runs) await broker.put({ kind: 'run', id, epoch, priority }, { queue });
    });
    work();
    const again = async (): Promise<void> =>
      broker.put(
        placed.map(({ id }) => ({ kind: 'run', id, epoch: 0 })),
        { queue: 'default' },
      );
    await until(async () => {
      await again();
      const rows = await Promise.all(placed.map(({ id }) => open.store.runs.get(id)));
      return rows.every((row) => row?.state.name === 'Completed');
    });
    expect(begun).toHaveLength(70);
  });

  test('a run that waits for its turn says so, and is cancelled at once', async () => {
    const placed = await submit('import', [...times(3, 'acme'), ...times(2, 'globex')]);
    await open.store.workers.beat({
      ...{ id: 'one:1:1', name: 'one', version: '1', host: 'one', pid: 1, queues: ['default'], concurrency: 4, running: 4 },
      ...{ flows: { import: '1' }, startedAt: Date.now(), lagMs: 0 },
    });
    const id = placed[2]?.id ?? '';
    expect(await open.client.runs.why(id)).toMatchObject({
      kind: 'turn',
      message: 'Waits its turn: 2 runs of acme are before it, and 2 keys take turns in its queue.',
    });
    expect(await open.client.runs.get(id)).toMatchObject({ fairKey: 'acme' });
    await open.client.runs.cancel(id);
    expect((await open.store.runs.get(id))?.state.name).toBe('Cancelled');
    work();
    await until(() => begun.length === 4);
  });
});
