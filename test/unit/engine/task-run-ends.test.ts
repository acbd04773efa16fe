/** One task run from its first attempt to its end: what is durable before what follows, and what its row then says. */
import { Flow, Task, type TaskContext } from 'batuta';
import { expect, test, vi } from 'vitest';
import type { TaskRun } from '../../../src/model/run.ts';
import { handClock } from '../../support/hand-clock.ts';
import { gate, makeFlow, type TaskShape } from '../../support/make-flow.ts';
import type { OpenEngine } from '../../support/open-engine.ts';
import { ownEngine } from '../../support/own-engine.ts';
import { makeRoom, until } from '../../support/room.ts';
import { named, runToEnd } from '../../support/run-to-end.ts';

vi.setConfig({ testTimeout: 60_000 });

@Flow({ name: 'undoable' })
class Undoable {
  @Task({ rollback: 'undo' })
  reserve(): number {
    return 1;
  }

  undo(): void {}
}

/** Lets everything that may happen happen. */
const turns = async (): Promise<void> => {
  for (let left = 50; left > 0; left--) await new Promise((resolve) => setImmediate(resolve));
};

/** Holds up the record of chosen rows: it counts as written once it is opened. */
function holdUp({ store }: OpenEngine, isHeld: (row: TaskRun) => boolean) {
  const [met, written] = [gate(), gate()];
  const { recorder } = store;
  const addTaskRun = recorder.addTaskRun.bind(recorder);
  Object.assign(recorder, {
    addTaskRun: async (...args: Parameters<typeof addTaskRun>) => {
      const added = addTaskRun(...args);
      if (isHeld(args[1])) {
        met.open();
        await written.opened;
      }
      await added;
    },
  });
  return { met: met.opened, write: written.open };
}

/** All rows of a task run as they were written, in order. */
function written({ store }: OpenEngine): TaskRun[] {
  const rows: TaskRun[] = [];
  const { recorder } = store;
  const addTaskRun = recorder.addTaskRun.bind(recorder);
  Object.assign(recorder, { addTaskRun: (...args: Parameters<typeof addTaskRun>) => (rows.push(args[1]), addTaskRun(...args)) });
  return rows;
}

test('what comes after a task begins once the end of the task is durable, and not before', async () => {
  const begun: string[] = [];
  const here = await ownEngine();
  const flow = makeFlow({ load: { does: () => 1 }, store: { needs: ['load'], does: () => begun.push('store') } });
  const { met, write } = holdUp(here, ({ name, state }) => name === 'load' && state.type === 'COMPLETED');
  const handle = await here.client.submit(flow, {});
  await met;
  await turns();
  expect(begun).toEqual([]);
  write();
  expect((await handle.done()).state.type).toBe('COMPLETED');
  expect(begun).toEqual(['store']);
});

test('a run ends once the end of its last task is durable, and not before', async () => {
  const here = await ownEngine();
  const { met, write } = holdUp(here, ({ state }) => state.type === 'COMPLETED');
  const handle = await here.client.submit(makeFlow({ last: {} }), {});
  await met;
  await turns();
  expect((await here.store.runs.get(handle.id))?.state.type).toBe('RUNNING');
  write();
  expect((await handle.done()).state.type).toBe('COMPLETED');
});

test('a task that can be undone has completed once it is on record that there is something to undo', async () => {
  const here = await ownEngine();
  const armed = gate();
  const asked: string[] = [];
  const { arm } = here.store.rollbacks;
  Object.assign(here.store.rollbacks, {
    arm: async (...args: Parameters<typeof arm>) => (asked.push('arm'), await armed.opened, await arm(...args)),
  });
  const rows = written(here);
  const plain = makeFlow({ look: {} }, { name: 'plain' });
  expect((await runToEnd(here, plain)).run.state.type).toBe('COMPLETED');
  expect(asked).toEqual([]);
  rows.length = 0;
  const handle = await here.client.submit(Undoable, {});
  await until(() => asked.length > 0);
  await turns();
  expect(rows.map(({ state }) => state.type)).toEqual(['RUNNING']);
  armed.open();
  expect((await handle.done()).state.type).toBe('COMPLETED');
});

test('an attempt that failed is on record with its error, its count and the instant of the next, which leaves nothing of it', async () => {
  const hand = handClock();
  const here = await ownEngine({ clock: hand.clock });
  let fails = true;
  const shaky = (ctx: TaskContext): number => {
    ctx.progress(1, 4);
    if (fails) throw new RangeError('out of range');
    return 4;
  };
  const flow = makeFlow({ shaky: { retries: 3, retryDelay: '1 minute', does: shaky } });
  const before = hand.clock.now();
  const handle = await here.client.submit(flow, {});
  const row = async (): Promise<TaskRun | undefined> => (await here.store.taskRuns.ofRun(handle.id))[0];
  const waits = async (failures: number): Promise<TaskRun> => {
    await until(async () => (await row())?.failures === failures);
    return (await row()) as TaskRun;
  };
  const first = await waits(1);
  expect(first).toMatchObject({
    ...{ state: { type: 'SCHEDULED', name: 'AwaitingRetry', message: 'out of range' }, attempt: 1, endedAt: null },
    ...{ error: { name: 'RangeError', message: 'out of range' } },
  });
  expect(first.dueAt).toBeGreaterThanOrEqual(before + 60_000);
  expect(first.dueAt).toBeLessThanOrEqual(hand.clock.now() + 60_000);
  const next = async (): Promise<void> => {
    await until(() => [...hand.timers.values()].some(({ ms }) => ms > 50_000));
    hand.pass(60_000);
    for (const { ms, fire } of [...hand.timers.values()]) if (ms > 50_000) fire();
  };
  await next();
  expect(await waits(2)).toMatchObject({ attempt: 2 });
  fails = false;
  await next();
  await handle.done();
  expect(await row()).toMatchObject({
    state: { name: 'Completed' },
    attempt: 3,
    failures: 2,
    error: null,
    dueAt: null,
    result: '{"json":4}',
  });
});

test('a retry of the flow gives a task that failed all its retries again', async () => {
  const here = await ownEngine();
  let calls = 0;
  const does = (): number => {
    if (++calls < 6) throw new Error('again');
    return calls;
  };
  const { run, tasks } = await runToEnd(here, makeFlow({ shaky: { retries: 2, does } }, { retries: 1 }));
  expect([run.state.type, calls]).toEqual(['COMPLETED', 6]);
  expect(tasks[0]).toMatchObject({ attempt: 6, failures: 2 });
});

test('a cancel ends a task that waits for its next attempt, which is then due at no instant', async () => {
  const here = await ownEngine();
  const fails = (): never => {
    throw new Error('again');
  };
  const handle = await here.client.submit(makeFlow({ shaky: { retries: 1, retryDelay: '1 hour', does: fails } }), {});
  const row = async (): Promise<TaskRun | undefined> => (await here.store.taskRuns.ofRun(handle.id))[0];
  await until(async () => (await row())?.state.name === 'AwaitingRetry');
  const before = Date.now();
  await handle.cancel('Enough.');
  await handle.done();
  const ended = await row();
  expect(ended).toMatchObject({
    state: { type: 'CANCELLED', name: 'Cancelled', message: expect.stringContaining('Enough.') },
    dueAt: null,
  });
  expect(ended?.endedAt).toBeGreaterThanOrEqual(before);
});

test('a process that stops leaves a task that waits for its next attempt as it is: another continues it', async () => {
  const here = await ownEngine();
  const rows = written(here);
  const fails = (): never => {
    throw new Error('again');
  };
  const handle = await here.client.submit(makeFlow({ shaky: { retries: 1, retryDelay: '1 hour', does: fails } }), {});
  await until(async () => (await here.store.taskRuns.ofRun(handle.id))[0]?.state.name === 'AwaitingRetry');
  await here.engine.handBack(0);
  expect(rows.map(({ state }) => state.name)).toEqual(['Running', 'AwaitingRetry']);
});

test('a large value is kept apart from its row, a small one in it, and one that is not to be kept in neither', async () => {
  const here = await ownEngine();
  const taken: unknown[] = [];
  const long = 'a'.repeat(300_000);
  const flow = makeFlow({
    small: { does: () => 'a' },
    large: { does: () => long },
    nothing: { does: () => undefined },
    secretive: { persist: false, does: () => new Map([['a', 1]]) },
    takes: {
      needs: ['small', 'large', 'nothing', 'secretive'],
      does: (...given: never[]) => taken.push(...given.slice(0, 4)),
    },
  });
  const ended = await runToEnd(here, flow);
  const row = (name: string) => [named(ended, name)?.result, named(ended, name)?.resultRef];
  expect(row('small')).toEqual(['{"json":"a"}', null]);
  expect(row('large')).toEqual([null, expect.any(String)]);
  expect([row('nothing'), row('secretive')]).toEqual([
    [null, null],
    [null, null],
  ]);
  expect(taken.map((value) => (value === long ? 'long' : value))).toEqual(['a', 'long', undefined, new Map([['a', 1]])]);
});

test('a task that takes its value from the cache has begun and ended at once, if it did not begin before', async () => {
  const here = await ownEngine();
  const flow = makeFlow({ quote: { cache: '1 hour' } });
  await runToEnd(here, flow);
  const before = Date.now();
  const row = named(await runToEnd(here, flow), 'quote');
  expect(row?.state.name).toBe('Cached');
  expect(row?.startedAt).toBeGreaterThanOrEqual(before);
  expect(row?.endedAt).toBe(row?.startedAt);
});

test('a maker of a cached value gives a value or nothing, and its turn is over before the next attempt', async () => {
  const here = await ownEngine();
  const { cache } = here.engine.services;
  const steps: unknown[] = [];
  const ask = cache.ask.bind(cache);
  Object.assign(cache, {
    ask: async (wish: Parameters<typeof ask>[0]) => {
      const answer = await ask(wish);
      if (answer === null || !('making' in answer)) return answer;
      const { making } = answer;
      return {
        making: {
          give: async (...given: Parameters<typeof making.give>) => (steps.push(['give', ...given]), await making.give(...given)),
          end: async () => (await turns(), steps.push('end'), await making.end()),
        },
      };
    },
  });
  let calls = 0;
  const does = (): number => {
    steps.push('call');
    if (++calls === 1) throw new Error('not yet');
    return calls;
  };
  const ended = await runToEnd(here, makeFlow({ quote: { cache: '1 hour', retries: 1, does } }));
  const by = { runId: ended.run.id, taskRunId: ended.tasks[0]?.id };
  expect(steps).toEqual(['call', 'end', 'call', ['give', { result: '{"json":2}', resultRef: null }, by], 'end']);
});

test.each([
  ['its flow', {}, { maxParallelTasks: 1 }],
  ['the limit of its tag', { tags: ['db'] }, {}],
])('a task waits for a place of %s, and gives it back after each attempt', async (_, shape, options) => {
  const here = await ownEngine();
  await here.client.limits.set('tag:db', 1);
  const room = makeRoom();
  const enters = (name: string) => async (): Promise<void> => {
    await room.enter(name);
    if (room.order.length === 1) throw new Error('again');
  };
  const task = (name: string): TaskShape => ({ ...shape, retries: 1, does: enters(name) });
  const handle = await here.client.submit(makeFlow({ a: task('a'), b: task('b'), c: task('c') }, options), {});
  for (let left = 4; left > 0; left--) await room.letOut();
  expect([(await handle.done()).state.type, room.most()]).toEqual(['COMPLETED', 1]);
});

test('a run that is stopped while it begins a task calls nothing of it', async () => {
  const here = await ownEngine();
  let calls = 0;
  const stopping = makeFlow({
    first: {
      does: async (ctx: TaskContext) => {
        await here.client.runs.cancel(ctx.run.id, 'Enough.');
      },
    },
    second: { needs: ['first'], does: () => calls++ },
  });
  const ended = await runToEnd(here, stopping);
  expect([ended.run.state.type, calls]).toEqual(['CANCELLED', 0]);
  expect(ended.tasks.map(({ attempt }) => attempt)).toEqual([1, 0]);
});

test('a task that fails because its thread cannot read TypeScript is told what to do; another is not', async () => {
  const here = await ownEngine();
  const failsWith = (code: string, file: string) => async () => {
    throw Object.assign(new Error(`Unknown file extension for ${file}`), { code });
  };
  const hints = async (does: () => Promise<never>): Promise<number> => {
    const { run } = await runToEnd(here, makeFlow({ forks: { does } }));
    await here.store.recorder.flush();
    return (await here.store.logs.ofRun(run.id)).filter(({ message }) => message.includes('batuta/register')).length;
  };
  expect(await hints(failsWith('ERR_UNKNOWN_FILE_EXTENSION', '/flows/part.ts'))).toBe(1);
  expect(await hints(failsWith('ERR_UNKNOWN_FILE_EXTENSION', '/flows/part.wasm'))).toBe(0);
  expect(await hints(failsWith('ENOENT', '/flows/part.ts'))).toBe(0);
});
