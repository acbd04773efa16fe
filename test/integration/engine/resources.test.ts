import { describe, expect, test } from 'vitest';
import { Flow, type FlowContext, resource, type ResourceScopeName, Task, type TaskContext } from 'batuta';
import { after, before, freeze, hang, ledger } from '../../support/take-over.ts';
import { gate } from '../../support/make-flow.ts';
import { ownDatabase, ownEngine } from '../../support/own-engine.ts';

const told: string[] = [];

function telling<S extends ResourceScopeName>(name: string, scope: S, tell = (what: string): void => void told.push(what)) {
  return resource(
    name,
    async function* () {
      tell(`open ${name}`);
      try {
        yield name;
        tell(`close ${name}`);
      } catch (error) {
        tell(`close ${name}: ${(error as { code?: string }).code ?? 'no code'}`);
        throw error;
      }
    },
    { scope },
  );
}

const worker = telling('worker', 'worker');
const run = telling('run', 'run');
const task = telling('task', 'task');

/** A task that never ends by itself; `open` once its resources are open. */
function endless(options: { timeout?: number } = {}, ofFlow: { timeout?: number } = {}) {
  const opened = gate();
  @Flow(ofFlow)
  class Endless {
    @Task(options)
    async work(ctx: TaskContext): Promise<void> {
      for (const one of [worker, run, task]) await ctx.use(one);
      opened.open();
      await new Promise(() => undefined);
    }
  }
  told.length = 0;
  return { Endless, opened: opened.opened };
}

const open = ['open worker', 'open run', 'open task'];

describe('resources are closed', () => {
  test('after the timeout of a task, which is thrown in', async () => {
    const { client } = await ownEngine();
    const { Endless } = endless({ timeout: 50 });
    await (await client.submit(Endless)).done();
    await client.close();
    expect(told).toEqual([...open, 'close task: TASK_TIMED_OUT', 'close run: TASK_TIMED_OUT', 'close worker']);
  });

  test('after the timeout of a flow', async () => {
    const { client } = await ownEngine();
    const { Endless } = endless({}, { timeout: 50 });
    await (await client.submit(Endless)).done();
    expect(told).toEqual([...open, 'close task: FLOW_TIMED_OUT', 'close run: FLOW_TIMED_OUT']);
  });

  test('after a cancel, once the code has had its grace, and before the run is Cancelled', async () => {
    const { client } = await ownEngine({ settings: { graceMs: 30 } });
    const { Endless, opened } = endless();
    const handle = await client.submit(Endless);
    await opened;
    await client.runs.cancel(handle.id);
    expect((await handle.done()).state.name).toBe('Cancelled');
    expect(told).toEqual([...open, 'close task: RUN_CANCELLED', 'close run: RUN_CANCELLED']);
  });

  test('as the process is shut down', async () => {
    const { client } = await ownEngine();
    const { Endless, opened } = endless();
    await client.submit(Endless);
    await opened;
    await client.close({ graceMs: 0 });
    expect(told).toEqual([...open, 'close task: RUN_CANCELLED', 'close run: RUN_CANCELLED', 'close worker']);
  });

  test('before a run is handed back, and opened again by the next owner', async () => {
    const url = ownDatabase();
    const first = await ownEngine({ url });
    const { Endless, opened } = endless();
    const handle = await first.client.submit(Endless);
    await opened;
    const [left] = await first.engine.handBack(0);
    expect(left?.state.name).toBe('Resuming');
    expect(told).toEqual([...open, 'close task: SHUTDOWN', 'close run: SHUTDOWN']);
    const second = await ownEngine({ url, flows: [Endless] });
    await second.client.runs.resume(handle.id);
    await expect.poll(() => told.slice(5)).toEqual(open);
  });

  test('where the lease is lost, by the owner that has lost it', async () => {
    const own = telling('own', 'task', (what) => void ledger.push(what));
    @Flow()
    class Frozen {
      @Task()
      async work(ctx: TaskContext): Promise<string> {
        await ctx.use(own);
        return ledger.includes('---') ? 'done' : hang();
      }
    }
    const { handle, openOther } = await freeze(Frozen, {}, { heartbeatMs: 50 });
    ledger.push('---');
    const other = await openOther({ flows: [Frozen], isOwnerGone: () => true });
    const resumed = await other.client.runs.resume(handle.id);
    expect((await resumed.done()).state.name).toBe('Completed');
    expect(before()).toEqual(['open own']);
    await expect.poll(() => [...after()].sort()).toEqual(['close own', 'close own: LEASE_LOST', 'open own']);
  });

  test('without an error as a run is suspended, and opened again when it goes on', async () => {
    @Flow()
    class Waits {
      async run(_params: unknown, ctx: FlowContext): Promise<string> {
        await ctx.use(run);
        await ctx.waitFor('go-on');
        return ctx.use(run);
      }
    }
    told.length = 0;
    const { client } = await ownEngine({ settings: { suspendOverMs: 0 }, flows: [Waits] });
    const handle = await client.submit(Waits);
    await expect.poll(async () => (await client.runs.get(handle.id)).state.name).toBe('Suspended');
    expect(told).toEqual(['open run', 'close run']);
    await client.runs.signal(handle.id, 'go-on');
    const resumed = await client.runs.resume(handle.id);
    expect((await resumed.done()).state.name).toBe('Completed');
    expect(told).toEqual(['open run', 'close run', 'open run', 'close run']);
  });
});

test('what belongs to the process is opened once for all runs, and what cannot be closed then is only logged', async () => {
  let opened = 0;
  const pool = resource(
    'pool',
    async function* () {
      yield ++opened;
      throw new Error('the server is gone');
    },
    { scope: 'worker' },
  );
  @Flow()
  class Uses {
    @Task()
    work(ctx: TaskContext): Promise<number> {
      return ctx.use(pool);
    }
  }
  const { client } = await ownEngine();
  const handles = await Promise.all(Array.from({ length: 20 }, () => client.submit(Uses)));
  const values = await Promise.all(handles.map((handle) => handle.result()));
  await client.close();
  expect([new Set(values).size, opened]).toEqual([1, 1]);
});
