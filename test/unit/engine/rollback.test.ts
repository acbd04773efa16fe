/** Undoing what the tasks of a run have done, because it ended badly. */
import { afterEach, expect, test } from 'vitest';
import { Flow, type FlowClass, type FlowContext, On, Task, type TaskContext } from 'batuta';
import type { Run, TaskRun } from '../../../src/model/run.ts';
import { type OpenEngine, openEngine } from '../../support/open-engine.ts';

let done: string[] = [];
let here: OpenEngine;
afterEach(async () => {
  done = [];
  await here.client.close();
});

interface Ended {
  readonly run: Run;
  readonly tasks: readonly TaskRun[];
}

async function read(id: string): Promise<Ended> {
  const run = await here.store.runs.get(id);
  if (!run) throw new Error('The run is gone.');
  return { run, tasks: await here.store.taskRuns.ofRun(id) };
}

async function runIt(flow: FlowClass, params: unknown = {}): Promise<Ended> {
  const handle = await here.client.submit(flow, params);
  await handle.done();
  return read(handle.id);
}

const statesOf = ({ tasks }: Ended): Record<string, string> =>
  Object.fromEntries(tasks.map(({ name, index, state }) => [index === null ? name : `${name}[${index}]`, state.name]));

@Flow()
class Order {
  static failsAt: string | null = 'ship';
  static undoFails: string | null = null;

  #do(what: string): string {
    if (Order.failsAt === what) throw new Error(`${what} broke`);
    done.push(what);
    return what;
  }

  @Task({ rollback: 'unreserve' })
  async reserve(): Promise<string> {
    return this.#do('reserve');
  }
  @Task({ needs: ['reserve'], rollback: 'refund' })
  async pay(): Promise<{ receipt: Date }> {
    this.#do('pay');
    return { receipt: new Date(1) };
  }
  @Task({ needs: ['pay'] })
  async note(): Promise<string> {
    return this.#do('note');
  }
  @Task({ needs: ['note'] })
  async ship(): Promise<string> {
    return this.#do('ship');
  }

  unreserve(reserved: string, ctx: TaskContext): void {
    if (Order.undoFails === 'unreserve') throw new Error('no');
    done.push(`unreserve ${reserved} as ${ctx.task.name}`);
  }
  @Task({ needs: ['pay'], retries: 2 })
  async refund({ receipt }: { receipt: Date }, ctx: TaskContext): Promise<string> {
    if (Order.undoFails === 'refund' || ctx.task.attempt < 2) throw new Error('the bank is closed');
    done.push(`refund ${receipt.getTime()} at attempt ${ctx.task.attempt}`);
    return 'refunded';
  }

  @On('failed')
  told(): void {
    done.push('told');
  }
}

test('when a run fails, what its tasks have done is undone, the latest first, with retries, and then the hooks are called', async () => {
  Object.assign(Order, { failsAt: 'ship', undoFails: null });
  here = await openEngine();
  const ended = await runIt(Order);
  expect(done).toEqual(['reserve', 'pay', 'note', 'refund 1 at attempt 2', 'unreserve reserve as unreserve', 'told']);
  expect(ended.run.state).toMatchObject({ type: 'FAILED', name: 'Failed' });
  expect(ended.run.state.message).toBe('Task ship failed: ship broke Rolled back: 2 tasks were undone.');
  expect(statesOf(ended)).toEqual({
    ...{ reserve: 'RolledBack', pay: 'RolledBack', note: 'Completed', ship: 'Failed', refund: 'Completed', unreserve: 'Completed' },
  });
  const [pay, refund] = ['pay', 'refund'].map((name) => ended.tasks.find((task) => task.name === name));
  expect(refund).toMatchObject({ attempt: 2, dependsOn: [pay?.key] });
  expect(await here.store.rollbacks.get(ended.run.id)).toMatchObject({ stage: 'complete', undone: 2, remaining: [] });
});

test('what cannot be undone is named, the others are undone all the same', async () => {
  Object.assign(Order, { failsAt: 'ship', undoFails: 'refund' });
  here = await openEngine();
  const ended = await runIt(Order);
  expect(done.slice(3)).toEqual(['unreserve reserve as unreserve', 'told']);
  expect(ended.run.state.message).toBe('Task ship failed: ship broke Rollback incomplete: 1 of 2 could not be undone (pay).');
  expect(statesOf(ended)).toMatchObject({ pay: 'Completed', refund: 'Failed', reserve: 'RolledBack' });
  expect(await here.store.rollbacks.ofRuns([ended.run.id])).toMatchObject([
    { stage: 'incomplete', undone: 1, remaining: [{ task: 'pay', index: null, undo: 'refund', message: 'the bank is closed' }] },
  ]);
});

test('a run that completes undoes nothing', async () => {
  Object.assign(Order, { failsAt: null, undoFails: null });
  here = await openEngine();
  const ended = await runIt(Order);
  expect(done).toEqual(['reserve', 'pay', 'note', 'ship']);
  expect(ended.run.state.name).toBe('Completed');
  expect(await here.store.rollbacks.ofRuns([ended.run.id])).toEqual([]);
});

test('a retry of a run that was rolled back executes what was undone again, and can be rolled back again', async () => {
  Object.assign(Order, { failsAt: 'ship', undoFails: null });
  here = await openEngine();
  const { run } = await runIt(Order);
  done = [];
  const again = await here.client.runs.retry(run.id);
  await again.done();
  expect(done).toEqual(['reserve', 'pay', 'refund 1 at attempt 2', 'unreserve reserve as unreserve', 'told']);
  done = [];
  Object.assign(Order, { failsAt: null });
  await (await here.client.runs.retry(run.id)).done();
  expect(done).toEqual(['reserve', 'pay', 'ship']);
  expect((await read(run.id)).run.state.name).toBe('Completed');
});

test('a run that is cancelled is rolled back, and is Cancelled then', async () => {
  @Flow()
  class Trip {
    @Task({ rollback: 'unbook' })
    async book(): Promise<string> {
      return 'seat';
    }
    @Task({ needs: ['book'] })
    async wait(_seat: string, ctx: TaskContext): Promise<void> {
      await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(new Error('stopped'))));
    }
    unbook(seat: string, ctx: TaskContext): void {
      done.push(`unbook ${seat}, signal ${ctx.signal.aborted ? 'aborted' : 'quiet'}`);
    }
  }
  here = await openEngine();
  const handle = await here.client.submit(Trip);
  while ((await read(handle.id)).tasks.find(({ name }) => name === 'wait')?.state.name !== 'Running')
    await new Promise((resolve) => setTimeout(resolve, 5));
  await handle.cancel('enough');
  await handle.done();
  const { run } = await read(handle.id);
  expect(done).toEqual(['unbook seat, signal quiet']);
  expect(run.state).toMatchObject({ type: 'CANCELLED', message: 'enough Rolled back: 1 task was undone.' });
});

test('of a cancelled run that cannot be undone the state is Failed with ROLLBACK_INCOMPLETE', async () => {
  @Flow()
  class Stuck {
    @Task({ rollback: 'undo' })
    async act(): Promise<string> {
      return 'x';
    }
    @Task({ needs: ['act'] })
    async wait(_: string, ctx: TaskContext): Promise<void> {
      await new Promise((_resolve, reject) => ctx.signal.addEventListener('abort', () => reject(new Error('stopped'))));
    }
    undo(): void {
      throw new Error('never');
    }
  }
  here = await openEngine();
  const handle = await here.client.submit(Stuck);
  while ((await read(handle.id)).tasks.find(({ name }) => name === 'wait')?.state.name !== 'Running')
    await new Promise((resolve) => setTimeout(resolve, 5));
  await handle.cancel('enough');
  await handle.done();
  expect((await read(handle.id)).run).toMatchObject({
    state: { type: 'FAILED', message: 'enough Rollback incomplete: 1 of 1 could not be undone (act).' },
    error: {
      code: 'ROLLBACK_INCOMPLETE',
      details: { rollback: 'incomplete', remaining: [{ task: 'act', undo: 'undo', message: 'never' }] },
    },
  });
});

test('each item of a mapped task is undone, values that were taken from the cache are not', async () => {
  @Flow()
  class Rooms {
    @Task()
    async list(): Promise<string[]> {
      return ['a', 'b', 'a'];
    }
    @Task({ each: 'list', eachLimit: 1, cache: '1h', rollback: 'free' })
    async book(room: string): Promise<string> {
      done.push(room);
      return room;
    }
    @Task({ needs: ['book'] })
    async fail(): Promise<void> {
      throw new Error('no');
    }
    async free(room: string, ctx: TaskContext): Promise<void> {
      done.push(`free ${room} ${ctx.task.index}`);
    }
  }
  here = await openEngine();
  const ended = await runIt(Rooms);
  expect(done).toEqual(['a', 'b', 'free b 1', 'free a 0']);
  expect(statesOf(ended)).toMatchObject({ 'book[0]': 'RolledBack', 'book[1]': 'RolledBack', 'book[2]': 'Cached' });
});

test('a code flow is rolled back; an undo method that is a task may be called in the body too', async () => {
  @Flow({ retries: 1 })
  class Buy {
    @Task({ rollback: 'cancel' })
    async order(what: string): Promise<string> {
      done.push(`order ${what}`);
      return what;
    }
    @Task()
    async cancel(what: string): Promise<void> {
      done.push(`cancel ${what}`);
    }
    async run(): Promise<void> {
      await this.order('ham');
      await this.cancel('by hand');
      await this.order('eggs');
      throw new Error('no money');
    }
  }
  here = await openEngine();
  const { run } = await runIt(Buy);
  expect(done).toEqual(['order ham', 'cancel by hand', 'order eggs', 'cancel eggs', 'cancel ham']);
  expect(run).toMatchObject({ attempt: 2, state: { message: 'no money Rolled back: 2 tasks were undone.' } });
});

test('a flow that times out is rolled back', async () => {
  @Flow({ timeout: '50ms' })
  class Slow {
    @Task({ rollback: 'undo' })
    async act(): Promise<string> {
      return 'x';
    }
    @Task({ needs: ['act'] })
    async wait(): Promise<void> {
      await new Promise((resolve) => setTimeout(resolve, 5_000).unref());
    }
    undo(x: string): void {
      done.push(`undo ${x}`);
    }
  }
  here = await openEngine();
  const { run } = await runIt(Slow);
  expect(done).toEqual(['undo x']);
  expect(run.state).toMatchObject({ type: 'FAILED', name: 'TimedOut' });
});

test('a sub-flow that fails is rolled back by itself; one that has completed keeps what it did', async () => {
  @Flow()
  class Child {
    @Task({ rollback: 'undo' })
    async act(name: string): Promise<string> {
      return name;
    }
    async run(params: { name: string; fails: boolean }): Promise<void> {
      await this.act(params.name);
      if (params.fails) throw new Error('child broke');
    }
    undo(name: string): void {
      done.push(`undo ${name}`);
    }
  }
  @Flow()
  class Parent {
    async run(_: unknown, ctx: FlowContext): Promise<void> {
      await ctx.runFlow(Child, { name: 'good', fails: false });
      await ctx.runFlow(Child, { name: 'bad', fails: true });
    }
  }
  here = await openEngine();
  await runIt(Parent);
  expect(done).toEqual(['undo bad']);
});
