/** Heavy runs and spread tasks on a worker: they have as many places as they take, whatever else waits, and all are free again afterwards. */
import { Flow, type FlowContext, Task } from 'batuta';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import type { Broker, Consumer } from '../../../src/broker/broker.ts';
import { openBroker } from '../../../src/broker/open.ts';
import { definitionOf } from '../../../src/define/definition.ts';
import { SpreadWorker } from '../../../src/engine/spread/spread-worker.ts';
import { makeRun } from '../../../src/engine/submit/make-run.ts';
import { taskQueueOf } from '../../../src/model/queue.ts';
import { openStore } from '../../../src/store/open.ts';
import { FleetSpread } from '../../../worker/fleet-spread.ts';
import { processTaskTicket } from '../../../worker/process-task-ticket.ts';
import { processTicket } from '../../../worker/process-ticket.ts';
import { type OpenEngine, openEngine } from '../../support/open-engine.ts';
import { gate } from '../../support/make-flow.ts';
import { until } from '../../support/room.ts';

/** What is at work, by places, and how many were at the same time. */
const now = { places: 0, most: 0, heavy: 0, mostHeavy: 0 };
const begun: string[] = [];
let hold = gate();

async function atWork(name: string, places: number): Promise<void> {
  begun.push(name);
  now.places += places;
  now.most = Math.max(now.most, now.places);
  if (places > 1) now.mostHeavy = Math.max(now.mostHeavy, (now.heavy += 1));
  try {
    await hold.opened;
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    now.places -= places;
    if (places > 1) now.heavy -= 1;
  }
}

@Flow({ name: 'small' })
class Small {
  @Task()
  work(): Promise<void> {
    return atWork('small', 1);
  }
}

@Flow({ name: 'heavy', slots: 3 })
class Heavy {
  @Task()
  work(): Promise<void> {
    return atWork('heavy', 3);
  }
}

@Flow({ name: 'failing', slots: 3, retries: 1 })
class Failing {
  @Task()
  work(): void {
    begun.push('failing');
    throw new Error('it broke');
  }
}

@Flow({ name: 'asking', slots: 3 })
class Asking {
  async run(_params: unknown, ctx: FlowContext): Promise<void> {
    begun.push('asking');
    await ctx.waitFor('go');
    begun.push('asked');
  }
}

@Flow({ name: 'huge', slots: 9 })
class Huge {
  @Task()
  work(): void {
    begun.push('huge');
  }
}

@Flow({ name: 'spreading' })
class Spreading {
  @Task()
  list(): number[] {
    return [1, 2, 3];
  }

  @Task({ each: 'list', spread: true, slots: 3 })
  crunch(_item: number): Promise<void> {
    return atWork('crunch', 3);
  }

  @Task({ spread: true })
  easy(): Promise<void> {
    return atWork('easy', 1);
  }
}

const all = [Small, Heavy, Failing, Asking, Huge, Spreading];
const flows = new Map(all.map((flow) => [definitionOf(flow).name, definitionOf(flow)]));
const log = pino({ level: 'silent' });
const concurrency = 4;
let open: OpenEngine;
let broker: Broker;
let runs: Consumer;
let tasks: Consumer;
beforeEach(async () => {
  begun.length = 0;
  Object.assign(now, { places: 0, most: 0, heavy: 0, mostHeavy: 0 });
  hold = gate();
  const spread = new FleetSpread({ clock: systemClock, log });
  const store = await openStore({ url: 'sqlite::memory:' });
  open = await openEngine({ store, settings: { suspendOverMs: 0 }, flows: all, spread });
  broker = await openBroker({ url: null, store });
  spread.connect(broker);
  const parts = { engine: open.engine, broker, log, flows };
  const { services } = open.engine;
  const worker = new SpreadWorker({ services, spread, flows });
  runs = broker.consume('default', { concurrency }, (ticket, delivery) => processTicket(parts, ticket, false, delivery));
  tasks = broker.consume(taskQueueOf('default'), { concurrency }, (ticket, delivery) =>
    processTaskTicket({ services, tasks: worker, flows }, ticket, { delivery, wasLeft: false }),
  );
});
afterEach(async () => {
  hold.open();
  await open.engine.close({ graceMs: 0 });
  await broker.close();
  await open.client.close();
});

async function submit(flow: string): Promise<string> {
  const definition = flows.get(flow);
  if (!definition) throw new Error(`There is no flow ${flow}.`);
  const run = await makeRun(open.engine.services, definition, {}, 'SCHEDULED', {});
  await open.store.fleet.insertMany([{ run, idempotencyKey: null }]);
  await broker.put({ kind: 'run', id: run.id, epoch: 0 }, { queue: 'default' });
  return run.id;
}
const stateOf = async (id: string) => (await open.store.runs.get(id))?.state;
const ended = (id: string, name: string) => until(async () => (await stateOf(id))?.name === name);
const free = () => until(() => runs.placesUsed === 0 && tasks.placesUsed === 0 && runs.running === 0 && tasks.running === 0);

test('a heavy run begins once it has its places, before small ones that came after it, and two never overlap', async () => {
  for (let at = 0; at < 3; at++) await submit('small');
  await until(() => begun.length === 3);
  const heavy = [await submit('heavy'), await submit('heavy')];
  await until(() => runs.running >= 4);
  const late = await Promise.all(Array.from({ length: 6 }, () => submit('small')));
  expect(begun).toEqual(['small', 'small', 'small']);
  hold.open();
  for (const id of [...heavy, ...late]) await ended(id, 'Completed');
  expect(now.mostHeavy).toBe(1);
  expect(now.most).toBeLessThanOrEqual(4);
  expect(begun[3]).toBe('heavy');
  await free();
});

test('many heavy and small ones in any order: never more places than the worker has, and all of them end', async () => {
  hold.open();
  const ids: string[] = [];
  for (let at = 0; at < 40; at++) ids.push(await submit(at % 3 === 0 ? 'heavy' : 'small'));
  for (const id of ids) await ended(id, 'Completed');
  expect(now.mostHeavy).toBe(1);
  expect(now.most).toBeLessThanOrEqual(4);
  await free();
});

test('places are free again after a failure and its retry', async () => {
  const failed = await submit('failing');
  await ended(failed, 'Failed');
  expect(begun).toEqual(['failing', 'failing']);
  await free();
  const heavy = await submit('heavy');
  await until(() => begun.includes('heavy'));
  expect(runs.placesUsed).toBe(3);
  await open.client.runs.cancel(heavy);
  hold.open();
  await ended(heavy, 'Cancelled');
  await free();
});

test('a suspended run holds no place, and waits for its places again', async () => {
  const asking = await submit('asking');
  await ended(asking, 'Suspended');
  await free();
  const small = [await submit('small'), await submit('small')];
  await until(() => begun.filter((name) => name === 'small').length === 2);
  await open.client.runs.signal(asking, 'go');
  const { epoch = 0 } = (await open.store.runs.get(asking)) ?? {};
  await broker.put({ kind: 'run', id: asking, epoch }, { queue: 'default' });
  await until(() => runs.running === 3);
  expect(begun).not.toContain('asked');
  hold.open();
  await ended(asking, 'Completed');
  for (const id of small) await ended(id, 'Completed');
  await free();
});

test('one that is cancelled while it waits for its places keeps them no longer', async () => {
  const small = [await submit('small'), await submit('small')];
  await until(() => begun.length === 2);
  const heavy = await submit('heavy');
  await until(() => runs.running === 3 && runs.placesUsed === 2);
  expect(await open.client.runs.why(heavy)).toMatchObject({ kind: 'no-worker' });
  await open.client.runs.cancel(heavy);
  await ended(heavy, 'Cancelled');
  const late = await submit('small');
  await until(() => begun.length === 3);
  hold.open();
  for (const id of [...small, late]) await ended(id, 'Completed');
  expect(begun).not.toContain('heavy');
  await free();
});

test('one that takes more places than any worker has says so, and keeps nothing from the others', async () => {
  const huge = await submit('huge');
  await until(async () => (await stateOf(huge))?.message !== null);
  expect(await stateOf(huge)).toMatchObject({
    name: 'Scheduled',
    message: 'Needs 9 places of a worker at once; the largest running worker of queue default that knows its flow has 4.',
  });
  hold.open();
  await ended(await submit('small'), 'Completed');
  expect(begun).toEqual(['small']);
  await free();
});

test('why a run waits that takes several places: no worker has as many, or none has them free', async () => {
  await runs.quiet();
  const beat = (id: string, places: number, running: number) =>
    open.store.workers.beat({
      ...{ id: `${id}:1:1`, name: id, version: '1', host: id, pid: 1, queues: ['default'], concurrency: places, running },
      ...{ flows: { huge: '1', heavy: '1' }, startedAt: Date.now(), lagMs: 0 },
    });
  await beat('one', 4, 2);
  const [huge, heavy] = [await submit('huge'), await submit('heavy')];
  expect(await open.client.runs.why(huge)).toMatchObject({
    kind: 'no-worker',
    message: expect.stringContaining(
      'Needs 9 places of a worker at once; the largest running worker of queue default that knows its flow has 4.',
    ),
  });
  expect(await open.client.runs.why(heavy)).toMatchObject({
    kind: 'workers-busy',
    message: expect.stringContaining('Needs 3 places of a worker at once; one has the most free, 2 of 4.'),
  });
  await beat('two', 16, 1);
  expect(await open.client.runs.why(huge)).not.toMatchObject({ kind: 'no-worker' });
});

test('spread tasks that take several places have them one after the other, beside small ones', async () => {
  hold.open();
  const id = await submit('spreading');
  await ended(id, 'Completed');
  expect(begun.filter((name) => name === 'crunch')).toHaveLength(3);
  expect(now).toMatchObject({ mostHeavy: 1 });
  expect(now.most).toBeLessThanOrEqual(4);
  await free();
});
