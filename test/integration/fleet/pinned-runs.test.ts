/** Runs that are pinned to the version of their flow with which they began, and meet workers that have others. */
import { Flow, type FlowClass, type FlowContext, Task } from 'batuta';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Broker } from '../../../src/broker/broker.ts';
import { openBroker } from '../../../src/broker/open.ts';
import { definitionOf } from '../../../src/define/definition.ts';
import { makeRun } from '../../../src/engine/submit/make-run.ts';
import type { FlowWish } from '../../../src/model/pin.ts';
import { reissueLoop } from '../../../src/upkeep/reissue.ts';
import { FlowRoutes } from '../../../worker/flow-routes.ts';
import { processTicket, type TicketParts } from '../../../worker/process-ticket.ts';
import { WorkerQueues } from '../../../worker/queues.ts';
import { makeFlow } from '../../support/make-flow.ts';
import { type OpenEngine, openEngine } from '../../support/open-engine.ts';
import { ownFolder } from '../../support/own-engine.ts';
import { openNode } from './spread-node.ts';

const seen: string[] = [];

/** A flow that waits in its middle, in the version of that name. */
function versionOfFlow(version: string, options: { readonly versioning?: 'pin' | 'continue' } = { versioning: 'pin' }): FlowClass {
  @Flow({ name: 'asked', version, ...options })
  class Asked {
    async run(_params: unknown, ctx: FlowContext): Promise<string[]> {
      const first = await this.first();
      await ctx.waitFor('go');
      return [first, await this.second()];
    }

    @Task() async first(): Promise<string> {
      seen.push(`first ${version}`);
      return version;
    }

    @Task() async second(): Promise<string> {
      seen.push(`second ${version}`);
      return version;
    }
  }
  return Asked;
}

/** A flow that is not pinned, and calls one that is. */
function versionOfCaller(version: string): FlowClass {
  const asked = versionOfFlow(version);
  @Flow({ name: 'caller', version })
  class Caller {
    async run(_params: unknown, ctx: FlowContext): Promise<unknown> {
      return [version, await ctx.runFlow(asked)];
    }
  }
  return Caller;
}

let open: OpenEngine;
let broker: Broker;
beforeEach(async () => {
  seen.length = 0;
  open = await openEngine({ settings: { suspendOverMs: 0 }, flows: [versionOfFlow('2')] });
  broker = await openBroker({ url: null, store: open.store });
});
afterEach(async () => {
  await broker.close();
  await open.client.close();
});

const partsOf = (flows: readonly FlowClass[], changes: Partial<TicketParts> = {}): TicketParts => ({
  ...{ engine: open.engine, broker, log: pino({ level: 'silent' }) },
  flows: new Map(flows.map((flow) => [definitionOf(flow).name, definitionOf(flow)])),
  ...changes,
});

async function submit(flow: FlowClass): Promise<string> {
  const made = await makeRun(open.engine.services, definitionOf(flow), {}, 'SCHEDULED', {});
  await open.store.fleet.insertMany([{ run: made, idempotencyKey: null }]);
  return made.id;
}

const take = (id: string, flows: readonly FlowClass[], changes: Partial<TicketParts> = {}, wasLeft = false): Promise<boolean> =>
  processTicket(partsOf(flows, changes), { kind: 'run', id, epoch: 1 }, wasLeft);

/** A worker with these flows starts, and takes what others left to such workers. Resolves with the ids of their tickets. */
async function comeUp(flows: readonly FlowClass[], isReady: (taken: readonly string[]) => boolean): Promise<readonly string[]> {
  const parts = partsOf(flows);
  const taken: string[] = [];
  const queues = new WorkerQueues({
    ...{ broker, concurrency: 2, onTask: async () => undefined },
    onRun: async (ticket) => {
      await processTicket(parts, ticket, true);
      taken.push(ticket.id);
    },
  });
  queues.serve(['default']);
  const routes = new FlowRoutes({ services: open.engine.services, broker, flows: parts.flows, queues });
  await routes.look();
  await expect.poll(() => isReady(taken), { timeout: 30_000 }).toBe(true);
  await queues.quiet();
  await queues.close(1_000);
  return taken;
}
const inspect = async (id: string) => {
  await open.store.recorder.flush();
  return await open.client.runs.inspect(id);
};

describe('a run of a flow that pins', () => {
  test('has the version of the worker that begins it, and stays where another version gets it', async () => {
    const id = await submit(versionOfFlow('1'));
    await take(id, [versionOfFlow('2')]);
    expect((await inspect(id)).run).toMatchObject({ flowVersion: '2', state: { type: 'PAUSED' } });
    await open.client.runs.signal(id, 'go');
    const epoch = (await inspect(id)).run.epoch;
    await take(id, [versionOfFlow('1')]);
    const message = 'Waits for a worker that has version 2 of the flow asked, to which it is pinned.';
    const { run, pin } = await inspect(id);
    expect(run).toMatchObject({ owner: null, recoveries: 0, epoch: epoch + 1, state: { type: 'SCHEDULED', name: 'Resuming', message } });
    expect(pin).toMatchObject({ version: '2', workers: 0 });
    expect(seen).toEqual(['first 2']);
    await comeUp([versionOfFlow('2')], (taken) => taken.includes(id));
    expect((await inspect(id)).result).toEqual(['2', '2']);
  });

  test('waits for its version unclaimed, without a ticket, however many come', async () => {
    const id = await submit(versionOfFlow('1'));
    await take(id, [versionOfFlow('1')]);
    await open.client.runs.signal(id, 'go');
    await take(id, [versionOfFlow('2')]);
    const { epoch } = (await inspect(id)).run;
    for (const flow of [versionOfFlow('2'), versionOfFlow('3')]) expect(await take(id, [flow])).toBe(false);
    expect(await open.store.fleet.dueUnticketed({ ticketedBeforeMs: 0, limit: 10 })).toEqual([]);
    expect(await broker.stats('default')).toMatchObject({ waiting: 0, delayed: 0 });
    expect((await inspect(id)).run).toMatchObject({ epoch, owner: null, state: { name: 'Resuming' } });
    // A worker that has another version, or another queue, leaves it where it is.
    const queues = { names: ['other'], isQuiet: false, serveFlows: () => undefined };
    for (const [version, names] of [
      ['1', ['other']],
      ['2', ['default']],
    ] as const) {
      const { flows } = partsOf([versionOfFlow(version)]);
      await new FlowRoutes({ services: open.engine.services, broker, flows, queues: { ...queues, names } }).look();
    }
    expect(await open.store.pins.parked()).toHaveLength(1);
    await comeUp([versionOfFlow('1')], (taken) => taken.includes(id));
    expect((await inspect(id)).result).toEqual(['1', '1']);
  });

  test('goes straight to a worker that has it, also from one that does not know the flow at all', async () => {
    const id = await submit(versionOfFlow('1'));
    await take(id, [versionOfFlow('1')]);
    await open.client.runs.signal(id, 'go');
    const asked: unknown[] = [];
    const left: unknown[] = [];
    const routes: TicketParts['routes'] = {
      find: async (wanted: FlowWish, queue) => (asked.push([wanted, queue]), 'there'),
      leave: async (...all) => void left.push(all),
    };
    await take(id, [versionOfFlow('2')], { routes });
    await take(id, [], { routes });
    const wanted = { flow: 'asked', version: '1', host: { flow: 'asked', version: '1' } };
    expect(asked).toMatchObject([
      [wanted, 'default'],
      [wanted, 'default'],
    ]);
    expect(left).toMatchObject([
      [{ kind: 'run', id }, 'default', 'there'],
      [{ kind: 'run', id }, 'default', 'there'],
    ]);
    // What was left here by mistake goes nowhere else.
    await take(id, [versionOfFlow('2')], { routes }, true);
    expect(left).toHaveLength(2);
    expect(seen).toEqual(['first 1']);
  });

  test('that is unpinned goes on with the version that is there, and says so in its log', async () => {
    const id = await submit(versionOfFlow('1'));
    await take(id, [versionOfFlow('1')]);
    await open.client.runs.signal(id, 'go');
    await take(id, [versionOfFlow('2')]);
    expect(await open.client.runs.unpin(id)).toMatchObject({ id });
    await expect(open.client.runs.unpin(id)).rejects.toMatchObject({ code: 'RUN_STATE_REFUSED' });
    await take(id, [versionOfFlow('2')]);
    expect((await inspect(id)).result).toEqual(['1', '2']);
    expect((await open.client.runs.logs(id)).map(({ message }) => message)).toContain(
      'No longer pinned to version 1: from now on any version of the flow asked may continue it.',
    );
  });

  test('is refused where it would go on here and now with another version, and stays as it was', async () => {
    const id = await submit(versionOfFlow('1'));
    await take(id, [versionOfFlow('1')]);
    const refused = { code: 'RUN_PINNED', details: { runId: id, here: '2' } };
    await expect(open.client.runs.resume(id)).rejects.toMatchObject(refused);
    expect((await inspect(id)).run).toMatchObject({ owner: null, state: { type: 'PAUSED' } });
    await open.client.runs.cancel(id);
    await expect(open.client.runs.retry(id)).rejects.toMatchObject(refused);
    expect((await inspect(id)).run.state.type).toBe('CANCELLED');
    // By workers it is opened again, and those with its version go on with it.
    await open.client.runs.requeue(id);
    await take(id, [versionOfFlow('2')]);
    expect((await inspect(id)).run.state).toMatchObject({ type: 'SCHEDULED' });
    await comeUp([versionOfFlow('1')], (taken) => taken.includes(id));
    await open.client.runs.signal(id, 'go');
    await take(id, [versionOfFlow('1')]);
    expect((await inspect(id)).result).toEqual(['1', '1']);
  });

  test('a later version that no longer pins leaves it alone as well; one that pins leaves alone what began without', async () => {
    const pinned = await submit(versionOfFlow('1'));
    await take(pinned, [versionOfFlow('1')]);
    const free = await submit(versionOfFlow('1', {}));
    await take(free, [versionOfFlow('1', { versioning: 'continue' })]);
    for (const id of [pinned, free]) await open.client.runs.signal(id, 'go');
    await take(pinned, [versionOfFlow('2', {})]);
    await take(free, [versionOfFlow('2')]);
    expect((await inspect(pinned)).run.state.type).toBe('SCHEDULED');
    expect(await inspect(free)).toMatchObject({ result: ['1', '2'], pin: null });
  });
});

describe('a spread task of a run that pins', () => {
  test('waits for its version unclaimed, in a queue whose workers have another, and says so', async () => {
    const versionOf = (version: string): FlowClass =>
      makeFlow({ train: { queue: 'gpu', does: () => version } }, { name: 'trained', version, versioning: 'pin' });
    const folder = ownFolder();
    const owner = await openNode([], { folder, queues: [] });
    const node = await openNode([versionOf('2')], { folder, queues: ['gpu'] });
    const handle = await owner.client.submit(versionOf('1'));
    await expect.poll(() => owner.store.pins.parked(), { timeout: 30_000 }).toMatchObject([{ work: 'task', queue: 'gpu' }]);
    const [task] = await owner.store.taskRuns.ofRun(handle.id);
    expect(task?.state).toMatchObject({
      type: 'SCHEDULED',
      message: 'Waits for a worker that has version 1 of the flow trained, to which its run is pinned.',
    });
    expect((await node.store.spread.claimMany([task?.id ?? ''], node.engine.services.owner, 1_000)).size).toBe(0);
    expect(await owner.store.spread.dueUnticketed({ ticketedBeforeMs: 0, limit: 10 })).toEqual([]);
    // Its owner goes on; unpinned, any worker takes the task.
    await owner.store.pins.unpin(handle.id);
    expect(await handle.done()).toMatchObject({ state: { type: 'COMPLETED' } });
    expect(await handle.result()).toBe('2');
  });
});

describe('a run with a sub-flow that pins', () => {
  test('goes on where the sub-flow can, while that is under way, and with any version afterwards', async () => {
    const id = await submit(versionOfCaller('1'));
    await take(id, [versionOfCaller('1')]);
    const [child] = (await inspect(id)).children;
    if (child === undefined) throw new Error('It has no sub-flow.');
    expect((await inspect(child.id)).pin).toMatchObject({ version: '1' });
    await open.client.runs.signal(child.id, 'go');
    const asked: FlowWish[] = [];
    const routes: TicketParts['routes'] = {
      find: async (wanted: FlowWish) => (asked.push(wanted), null),
      leave: async () => undefined,
    };
    await take(id, [versionOfCaller('2')], { routes });
    const { run, pin } = await inspect(id);
    expect(run.state).toMatchObject({
      name: 'Resuming',
      message: `Waits for a worker that has version 1 of the flow asked, to which its sub-flow run ${child.id} is pinned.`,
    });
    expect([run.owner, pin]).toEqual([null, null]);
    expect(asked).toMatchObject([{ flow: 'asked', version: '1', host: { flow: 'caller', version: '1' } }]);
    expect(seen).toEqual(['first 1']);
    // Its body is not executed again and again to find that out.
    expect(await take(id, [versionOfCaller('2')])).toBe(false);
    await comeUp([versionOfCaller('1')], (taken) => taken.includes(id));
    expect((await inspect(id)).result).toEqual(['1', ['1', '1']]);
  });

  test('no longer waits for the version of a sub-flow that was cancelled', async () => {
    const id = await submit(versionOfCaller('1'));
    await take(id, [versionOfCaller('1')]);
    const [child] = (await inspect(id)).children;
    if (child === undefined) throw new Error('It has no sub-flow.');
    await open.client.runs.signal(child.id, 'go');
    await take(id, [versionOfCaller('2')]);
    expect(await take(id, [versionOfCaller('2')])).toBe(false);
    await open.client.runs.cancel(child.id);
    const reissue = reissueLoop({ engine: open.engine, broker, log: pino({ level: 'silent' }) }, { intervalMs: 10 });
    await reissue.start();
    await expect.poll(async () => (await broker.stats('default')).waiting, { timeout: 30_000 }).toBe(1);
    await reissue.stop();
    expect(await take(id, [versionOfCaller('2')])).toBe(true);
    expect((await inspect(id)).run.state.type).toBe('FAILED');
  });
});
