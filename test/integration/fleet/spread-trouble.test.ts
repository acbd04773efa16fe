/** Spread tasks whose tickets are lost, whose worker leaves or is not there, whose run is out of time. */
import type { TaskContext } from 'batuta';
import { expect, test } from 'vitest';
import type { TaskRun } from '../../../src/model/run.ts';
import { gate, makeFlow } from '../../support/make-flow.ts';
import { ownEngine, ownFolder } from '../../support/own-engine.ts';
import { openNode, runOn } from './spread-node.ts';

test('whatever the broker does to tickets and news, each item is executed once and the run completes', async () => {
  const executed = new Map<number, number>();
  const flow = makeFlow({
    list: { does: () => Array.from({ length: 60 }, (_, index) => index) },
    each: { each: 'list', spread: true, does: (item: number) => void executed.set(item, (executed.get(item) ?? 0) + 1) },
  });
  const folder = ownFolder();
  const settings = { leaseMs: 1_000, heartbeatMs: 200 };
  const [node] = await Promise.all([openNode([flow], { folder, faulty: 1, settings }), openNode([flow], { folder, faulty: 2, settings })]);
  if (!node) throw new Error('There is no node.');
  expect((await runOn(node, flow)).run.state.type).toBe('COMPLETED');
  expect(executed.size).toBe(60);
  expect([...executed.values()].every((times) => times === 1)).toBe(true);
});

test('a worker that shuts down gives its tasks back, and another takes them', async () => {
  const started = gate();
  let attempts = 0;
  const flow = makeFlow({
    held: {
      spread: true,
      does: async (ctx: TaskContext) => {
        if (++attempts > 1) return attempts;
        started.open();
        return await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)));
      },
    },
  });
  const folder = ownFolder();
  const owner = await openNode([flow], { folder, queues: [] });
  const leaving = await openNode([flow], { folder });
  const handle = await owner.client.submit(flow);
  await started.opened;
  await leaving.leave();
  await openNode([flow], { folder });
  expect(await handle.done()).toMatchObject({ state: { type: 'COMPLETED' }, recoveries: 0 });
  expect(attempts).toBe(2);
});

test('a task that no worker of the queue knows waits for one that does, and says so', async () => {
  const flow = makeFlow({ rare: { spread: true } }, { name: 'rare' });
  const owner = await openNode([]);
  const handle = await owner.client.submit(flow);
  const rows = (): Promise<readonly TaskRun[]> => owner.store.taskRuns.ofRun(handle.id);
  await expect.poll(async () => (await rows())[0]?.state.message).toBe('Waits for a worker that knows the flow rare.');
  await handle.cancel('Enough.');
  expect(await handle.done()).toMatchObject({ state: { type: 'CANCELLED' } });
  expect(await rows()).toMatchObject([{ state: { type: 'CANCELLED' } }]);
});

test('a flow that runs out of time ends its spread tasks with it', async () => {
  const stopped = gate();
  const flow = makeFlow(
    {
      endless: {
        spread: true,
        does: (ctx: TaskContext) =>
          new Promise((_, reject) => ctx.signal.addEventListener('abort', () => (stopped.open(), reject(ctx.signal.reason)))),
      },
    },
    { timeout: '300ms' },
  );
  const node = await openNode([flow]);
  const { run, rows } = await runOn(node, flow);
  expect(run.state).toMatchObject({ type: 'FAILED', name: 'TimedOut' });
  expect(rows).toMatchObject([{ state: { type: 'CANCELLED' } }]);
  await stopped.opened;
});

test('without workers a spread task runs where its run does', async () => {
  const flow = makeFlow({ here: { queue: 'gpu', does: () => 5 } });
  const { client } = await ownEngine();
  expect(await (await client.submit(flow)).result()).toBe(5);
});
