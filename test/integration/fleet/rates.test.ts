/** Runs of a fleet under rates: let go of while they wait, and begun when they may. */
import { Flow, type FlowContext, Task } from 'batuta';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../src/base/clock.ts';
import type { Broker } from '../../../src/broker/broker.ts';
import { openBroker } from '../../../src/broker/open.ts';
import { definitionOf } from '../../../src/define/definition.ts';
import { deploymentRun } from '../../../src/engine/submit/deployment-run.ts';
import { makeRun } from '../../../src/engine/submit/make-run.ts';
import { openStore } from '../../../src/store/open.ts';
import { limitsLoop } from '../../../src/upkeep/limits.ts';
import { reissueLoop } from '../../../src/upkeep/reissue.ts';
import { processTicket } from '../../../worker/process-ticket.ts';
import { type OpenEngine, openEngine } from '../../support/open-engine.ts';
import { until } from '../../support/room.ts';

const begun: string[] = [];
const made: string[] = [];

@Flow({ name: 'sync', rateLimit: { limit: 1, per: '1h' } })
class Sync {
  constructor() {
    made.push('sync');
  }

  @Task()
  step(): void {
    begun.push('sync');
  }
}

@Flow({ name: 'calls' })
class Calls {
  @Task()
  numbers(): number[] {
    return [1, 2, 3];
  }

  @Task({ each: 'numbers', tags: ['api'] })
  call(number: number): void {
    begun.push(`call ${number}`);
  }
}

@Flow({ name: 'asking', rateLimit: { limit: 1, per: '1h' } })
class Asking {
  async run(_params: unknown, ctx: FlowContext): Promise<void> {
    begun.push('asking');
    await ctx.waitFor('go');
    begun.push('asked');
  }
}

@Flow({ name: 'trying', rateLimit: { limit: 1, per: '1h' } })
class Trying {
  @Task({ retries: 1, retryDelay: '10m' })
  step(): void {
    begun.push('trying');
    if (begun.length === 1) throw new Error('not yet');
  }
}

@Flow({ name: 'calling' })
class Calling {
  async run(_params: unknown, ctx: FlowContext): Promise<void> {
    await ctx.runFlow(Sync, {});
    begun.push('called');
  }
}

const all = [Sync, Calls, Asking, Trying, Calling];
const flows = new Map(all.map((flow) => [definitionOf(flow).name, definitionOf(flow)]));
/** How far the clock of the test is ahead of that of the system, ms. */
let aheadMs = 0;
const clock: Clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
let open: OpenEngine;
let broker: Broker;
beforeEach(async () => {
  begun.length = 0;
  made.length = 0;
  aheadMs = 0;
  const store = await openStore({ url: 'sqlite::memory:', clock });
  open = await openEngine({ store, clock, settings: { suspendOverMs: 30_000 }, flows: all });
  broker = await openBroker({ url: null, store: open.store });
});
afterEach(async () => {
  await broker.close();
  await open.client.close();
});

const parts = () => ({ engine: open.engine, broker, log: pino({ level: 'silent' }) });

async function submit(flow: string): Promise<string> {
  const definition = flows.get(flow);
  if (!definition) throw new Error(`There is no flow ${flow}.`);
  const run = await makeRun(open.engine.services, definition, {}, 'SCHEDULED', {});
  await open.store.fleet.insertMany([{ run, idempotencyKey: null }]);
  return run.id;
}
const take = (id: string): Promise<boolean> => processTicket({ ...parts(), flows }, { kind: 'run', id, epoch: 1 });
const runOf = async (id: string) => {
  const run = await open.store.runs.get(id);
  if (!run) throw new Error('It is gone.');
  return run;
};

test('a run whose turn is far off is let go of, says when it goes on, and is cancelled at once', async () => {
  await take(await submit('sync'));
  expect(begun).toEqual(['sync']);
  const id = await submit('sync');
  await take(id);
  const run = await runOf(id);
  expect(run).toMatchObject({
    owner: null,
    startedAt: null,
    state: { name: 'Scheduled', message: 'Waits for the rate flow:sync (1 in 1 h 00 m).' },
  });
  expect(run.dueAt).toBeGreaterThan(Date.now() + 3_000_000);
  expect(await open.client.runs.why(id)).toMatchObject({
    kind: 'rate',
    message: expect.stringMatching(/^Waits for the rate flow:sync \(1 in 1 h 00 m\)\. It goes on in (59 m|1 h).*, at 20.*Z\.$/) as string,
  });
  await open.client.runs.cancel(id);
  expect((await runOf(id)).state.name).toBe('Cancelled');
  expect(begun).toEqual(['sync']);
});

test('the code of a run that is let go of before it begins is not touched', async () => {
  await take(await submit('sync'));
  expect(made).toEqual(['sync']);
  const id = await submit('sync');
  await take(id);
  expect((await runOf(id)).owner).toBeNull();
  expect(made).toEqual(['sync']);
});

test('a run that waited for a signal goes on at once, and counts once', async () => {
  const id = await submit('asking');
  await take(id);
  expect((await runOf(id)).state.name).toBe('Suspended');
  await open.client.runs.signal(id, 'go');
  expect((await runOf(id)).state.name).toBe('Resuming');
  await take(id);
  expect((await runOf(id)).state.name).toBe('Completed');
  // Its body is run anew up to where it waited.
  expect(begun).toEqual(['asking', 'asking', 'asked']);
  expect(await open.store.rates.views()).toMatchObject([{ name: 'flow:asking', used: 1 }]);
});

test('a run that waited for the next attempt of a task goes on at once', async () => {
  const id = await submit('trying');
  await take(id);
  expect(await runOf(id)).toMatchObject({ owner: null, state: { name: 'AwaitingRetry' } });
  aheadMs = 600_000;
  await take(id);
  expect((await runOf(id)).state.name).toBe('Completed');
  expect(begun).toEqual(['trying', 'trying']);
});

test('a sub-flow that waits is let go of with the run that called it, and both go on', async () => {
  await take(await submit('sync'));
  const id = await submit('calling');
  await take(id);
  const why = 'Waits for the rate flow:sync (1 in 1 h 00 m).';
  expect(await runOf(id)).toMatchObject({ owner: null, state: { name: 'Suspended', message: why } });
  const [call] = await open.store.taskRuns.ofRun(id);
  const childId = call?.childRunId ?? '';
  expect(await runOf(childId)).toMatchObject({ owner: null, state: { name: 'Scheduled', message: why } });
  expect(begun).toEqual(['sync']);
  await open.store.flows.put({ ...(await flowRow()), rateLimit: { limit: 5, perMs: 3_600_000, key: null } });
  expect((await open.store.rates.advance()).map((run) => run.id).toSorted()).toEqual([id, childId].toSorted());
  await take(childId);
  await take(id);
  expect([(await runOf(childId)).state.name, (await runOf(id)).state.name]).toEqual(['Completed', 'Completed']);
  expect(begun).toEqual(['sync', 'sync', 'called']);
});

test('upkeep brings it forward once it need not wait, and it begins then', async () => {
  await take(await submit('sync'));
  const id = await submit('sync');
  await take(id);
  expect((await runOf(id)).owner).toBeNull();
  await open.store.flows.put({ ...(await flowRow()), rateLimit: { limit: 5, perMs: 3_600_000, key: null } });
  const loop = limitsLoop(parts(), { intervalMs: 10 });
  await loop.start();
  await until(async () => ((await runOf(id)).dueAt ?? Infinity) <= Date.now());
  await loop.stop();
  await take(id);
  expect((await runOf(id)).state.name).toBe('Completed');
  expect(begun).toEqual(['sync', 'sync']);
});

test('what a scheduler has brought forward goes on where that is killed before it puts the tickets', async () => {
  await take(await submit('sync'));
  const id = await submit('sync');
  await take(id);
  await open.store.flows.put({ ...(await flowRow()), rateLimit: { limit: 5, perMs: 3_600_000, key: null } });
  // It is killed here: the place is there, and nobody was told.
  expect((await open.store.rates.advance()).map((run) => run.id)).toEqual([id]);
  expect((await broker.stats('default')).waiting).toBe(0);
  const loop = reissueLoop(parts(), { intervalMs: 10, lostAfterMs: 10 });
  await loop.start();
  await until(async () => (await broker.stats('default')).waiting === 1);
  await loop.stop();
  await take(id);
  expect((await runOf(id)).state.name).toBe('Completed');
  expect(begun).toEqual(['sync', 'sync']);
});

async function flowRow() {
  const flow = await open.store.flows.get('sync');
  if (!flow) throw new Error('It is not described.');
  expect(flow.rateLimit).toEqual({ limit: 1, perMs: 3_600_000, key: null });
  return flow;
}

test('a run all of whose tasks wait is let go of, and goes on with what is left', async () => {
  await open.client.limits.setRate('tag:api', { limit: 2, per: '1h' });
  const id = await submit('calls');
  await take(id);
  const run = await runOf(id);
  expect(run).toMatchObject({ owner: null, state: { name: 'Suspended', message: 'Waits for the rate tag:api (2 in 1 h 00 m).' } });
  expect(run.dueAt).toBeGreaterThan(Date.now() + 3_000_000);
  expect(begun).toHaveLength(2);
  expect((await open.client.runs.why(id))?.message).toMatch(/^Its tasks wait: call for the rate tag:api \(2 in 1 h 00 m\)\./);
  await open.client.limits.delete('tag:api');
  await open.store.rates.advance();
  await take(id);
  expect((await runOf(id)).state.name).toBe('Completed');
  expect(begun.toSorted()).toEqual(['call 1', 'call 2', 'call 3']);
});

test('a run of a deployment goes by the rate of that, by its key', async () => {
  await open.client.deployments.deploy([{ flow: 'sync', name: 'nightly', rateLimit: { limit: 1, per: '1h', key: '{who}' } }]);
  const deployment = await open.store.deployments.get('nightly');
  if (!deployment) throw new Error('It was not deployed.');
  expect(deployment.rateLimit).toEqual({ limit: 1, perMs: 3_600_000, key: '{who}' });
  const ids: string[] = [];
  for (const who of ['a', 'b', 'a']) {
    const run = deploymentRun(open.engine.services, deployment, { params: JSON.stringify({ json: { who } }) });
    await open.store.fleet.insertMany([{ run, idempotencyKey: null }]);
    await take(run.id);
    ids.push(run.id);
  }
  const runs = await Promise.all(ids.map(runOf));
  expect(runs.map(({ state }) => state.name)).toEqual(['Completed', 'Completed', 'Scheduled']);
  expect(runs[2]?.state.message).toBe('Waits for the rate deployment:nightly:a (1 in 1 h 00 m).');
});
