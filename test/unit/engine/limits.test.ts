/** Limits on runs and tasks in processes that run flows themselves. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { FlowClass, FlowContext, TaskContext } from 'batuta';
import { Flow, Task } from 'batuta';
import type { Run } from '../../../src/model/run.ts';
import { failing, gate, makeFlow } from '../../support/make-flow.ts';
import { openEngine, type EngineParts, type OpenEngine } from '../../support/open-engine.ts';

const open: OpenEngine[] = [];
let folder: string | null = null;

afterEach(async () => {
  for (const { client } of open.splice(0)) await client.close({ graceMs: 0 });
  if (folder !== null) rmSync(folder, { recursive: true, force: true });
  folder = null;
});

async function engineOf(parts: EngineParts = {}): Promise<OpenEngine> {
  const opened = await openEngine(parts);
  open.push(opened);
  return opened;
}

/** Engines over one database, as those of several processes. */
async function enginesOf(count: number, parts: EngineParts = {}): Promise<OpenEngine[]> {
  folder = mkdtempSync(join(tmpdir(), 'batuta-limits-'));
  const engines: OpenEngine[] = [];
  for (let at = 0; at < count; at++) engines.push(await engineOf({ ...parts, url: `sqlite:${join(folder, 'batuta.db')}` }));
  return engines;
}

/** Counts who is inside, and lets them out one by one. */
function room() {
  const inside: { readonly who: string; readonly leave: () => void }[] = [];
  const order: string[] = [];
  let most = 0;
  let arrived = gate();
  return {
    order,
    most: () => most,
    enter: async (who: string): Promise<void> => {
      const { opened, open: leave } = gate();
      inside.push({ who, leave });
      order.push(who);
      most = Math.max(most, inside.length);
      arrived.open();
      await opened;
    },
    /** Waits for somebody, and lets out who has been there longest. */
    async letOut(): Promise<string> {
      while (inside.length === 0) {
        await arrived.opened;
        arrived = gate();
      }
      const first = inside.shift();
      first?.leave();
      return first?.who ?? '';
    },
    count: () => inside.length,
  };
}

type Room = ReturnType<typeof room>;

function limitedFlow(
  place: Room,
  options: { readonly limit?: number; readonly key?: string; readonly onConflict?: 'queue' | 'skip' | 'cancel-running' } = {},
): FlowClass {
  return makeFlow(
    { stay: { does: (ctx: TaskContext<{ who: string }>) => Promise.race([place.enter(ctx.params.who), aborted(ctx.signal)]) } },
    { name: 'sync', concurrency: { limit: 1, ...options } },
  );
}

const aborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }));

async function until(look: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await look())) await new Promise((resolve) => setTimeout(resolve, 5));
}

const stateName = async ({ store }: OpenEngine, id: string): Promise<string | undefined> => (await store.runs.get(id))?.state.name;

describe('a limit on the runs of a flow', () => {
  test('runs beyond it wait in their process, say what for, and go on in the order of coming', async () => {
    const place = room();
    const flow = limitedFlow(place);
    const at = await engineOf();
    const seen: (string | null)[] = [];
    const handles = [];
    for (const who of ['a', 'b', 'c'])
      handles.push(
        await at.client.submit(
          flow,
          { who },
          { name: `run-${who}`, onEvent: (event) => event.kind === 'run' && seen.push(`${who} ${event.run.state.name}`) },
        ),
      );
    await until(() => place.count() === 1);
    expect(await stateName(at, handles[1]?.id ?? '')).toBe('AwaitingSlot');
    expect((await handles[2]?.get())?.state.message).toBe('Waits for the limit flow:sync (1 of 1 taken, by run-a).');
    for (let left = 3; left > 0; left--) await place.letOut();
    for (const handle of handles) expect((await handle.done()).state.name).toBe('Completed');
    expect(place.order).toEqual(['a', 'b', 'c']);
    expect(place.most()).toBe(1);
    expect(seen.filter((text) => text?.startsWith('b'))).toEqual(['b AwaitingSlot', 'b Pending', 'b Running', 'b Completed']);
  });

  test('processes that share a database share the limit', async () => {
    const place = room();
    const flow = limitedFlow(place, { limit: 2 });
    const engines = await enginesOf(3);
    const ended: Promise<Run>[] = [];
    for (let at = 0; at < 9; at++) {
      const handle = await engines[at % 3]?.client.submit(flow, { who: String(at) });
      if (handle) ended.push(handle.done());
    }
    for (let left = 9; left > 0; left--) await place.letOut();
    for (const run of await Promise.all(ended)) expect(run.state.name).toBe('Completed');
    expect(place.most()).toBe(2);
  });

  test('each key has its own', async () => {
    const place = room();
    const flow = limitedFlow(place, { key: '{who}' });
    const at = await engineOf();
    const [a, b, again] = [
      await at.client.submit(flow, { who: 'a' }),
      await at.client.submit(flow, { who: 'b' }),
      await at.client.submit(flow, { who: 'a' }),
    ];
    await until(() => place.count() === 2);
    expect(await stateName(at, again.id)).toBe('AwaitingSlot');
    for (let left = 3; left > 0; left--) await place.letOut();
    for (const handle of [a, b, again]) await handle.done();
    expect(await at.store.limits.runLimits()).toMatchObject([{ held: 0, waiting: 0 }]);
  });

  test('a run that waits is cancelled at once, and its place in line is gone', async () => {
    const place = room();
    const flow = limitedFlow(place);
    const at = await engineOf();
    const [a, b, c] = [
      await at.client.submit(flow, { who: 'a' }),
      await at.client.submit(flow, { who: 'b' }),
      await at.client.submit(flow, { who: 'c' }),
    ];
    await b.cancel('Not needed.');
    expect((await b.done()).state).toMatchObject({ type: 'CANCELLED', message: 'Not needed.' });
    await place.letOut();
    await place.letOut();
    expect((await a.done()).state.name).toBe('Completed');
    expect((await c.done()).state.name).toBe('Completed');
    expect(place.order).toEqual(['a', 'c']);
  });

  test('where runs do not wait, one too many is dropped with a sentence', async () => {
    const place = room();
    const flow = limitedFlow(place, { onConflict: 'skip' });
    const at = await engineOf();
    const a = await at.client.submit(flow, { who: 'a' }, { name: 'run-a' });
    const b = await at.client.submit(flow, { who: 'b' });
    expect((await b.done()).state).toEqual({
      type: 'CANCELLED',
      name: 'Skipped',
      message: 'The limit flow:sync was used up (1 of 1 taken, by run-a), and its runs do not wait.',
    });
    await expect(b.result()).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
    await place.letOut();
    await a.done();
    expect(place.order).toEqual(['a']);
  });

  test('where the newest goes first, the one that runs is cancelled and makes room', async () => {
    const place = room();
    const flow = limitedFlow(place, { onConflict: 'cancel-running' });
    const at = await engineOf();
    const a = await at.client.submit(flow, { who: 'a' });
    await until(() => place.count() === 1);
    const b = await at.client.submit(flow, { who: 'b' }, { name: 'run-b' });
    expect((await a.done()).state).toMatchObject({ type: 'CANCELLED', message: 'It made room for run-b under the limit flow:sync.' });
    await until(() => place.order.length === 2);
    await place.letOut();
    await place.letOut();
    expect((await b.done()).state.name).toBe('Completed');
  });

  test('the slot of a failed run is free, and that of a process that is gone', async () => {
    const flow = makeFlow({ fail: { does: failing() } }, { name: 'sync', concurrency: { limit: 1 } });
    const at = await engineOf({ settings: { leaseMs: 600_000 }, isOwnerGone: ({ id }) => id === 'gone' });
    await (await at.client.submit(flow)).done();
    const lost = await at.client.submit(flow);
    await lost.done();
    const gone = { id: 'gone', host: 'elsewhere', pid: 1, processStartedAt: 1 };
    const row = await lost.get();
    const left = {
      ...row,
      id: '00000000-0000-7000-8000-000000000001',
      concurrencyKey: 'flow:sync',
      state: { type: 'RUNNING', name: 'Running', message: null },
    } as const;
    expect(await at.store.limits.start(left, gone, 600_000)).toMatchObject({ kind: 'taken' });
    expect((await (await at.client.submit(flow)).done()).state.name).toBe('Failed');
    expect(await stateName(at, left.id)).toBe('Resuming');
  });

  test('a flow that runs itself as a sub-flow shares the slot of the run above it', async () => {
    @Flow({ name: 'nested', concurrency: { limit: 1 } })
    class Nested {
      async run({ depth }: { depth: number }, ctx: FlowContext): Promise<number> {
        return depth === 0 ? 0 : 1 + (await ctx.runFlow(Nested, { depth: depth - 1 }));
      }
    }
    const at = await engineOf();
    expect(await (await at.client.submit(Nested as FlowClass, { depth: 3 })).result()).toBe(3);
  });

  test('a sub-flow waits for its own limit', async () => {
    const place = room();
    const flow = limitedFlow(place);
    @Flow()
    class Outer {
      async run(_: unknown, ctx: FlowContext): Promise<unknown> {
        return Promise.all(['x', 'y'].map((who) => ctx.runFlow(flow, { who })));
      }
    }
    const at = await engineOf();
    const handle = await at.client.submit(Outer);
    for (let left = 2; left > 0; left--) await place.letOut();
    expect((await handle.done()).state.name).toBe('Completed');
    expect(place.most()).toBe(1);
  });
});

describe('a limit on the tasks of a tag', () => {
  class Boxed {
    constructor(readonly place: Room) {}
    flow(items: number, tags: readonly string[] = ['db'], extra = {}): FlowClass {
      const { place } = this;
      return makeFlow({
        list: { does: () => Array.from({ length: items }, (_, at) => at) },
        stay: { each: 'list', tags, does: (item: number) => place.enter(String(item)), ...extra },
      });
    }
  }

  test('as many run at the same time as it has slots, over all runs and processes; the others say what they wait for', async () => {
    const place = room();
    const engines = await enginesOf(2);
    await engines[0]?.client.limits.set('tag:db', 3);
    const flow = new Boxed(place).flow(8);
    const handles = await Promise.all(engines.map(({ client }) => client.submit(flow, {}, { name: 'busy' })));
    await until(() => place.count() === 3);
    await until(async () => (await engines[0]?.client.limits.list())?.[0]?.waiting === 13);
    const rows = await Promise.all(
      engines.map(async ({ store }, at) => {
        await store.recorder.flush();
        return store.taskRuns.ofRun(handles[at]?.id ?? '');
      }),
    );
    const waiting = rows.flat().filter(({ state }) => state.name === 'AwaitingSlot');
    expect(waiting).toHaveLength(13);
    expect(waiting.at(-1)?.state.message).toBe('Waits for the limit tag:db (3 of 3 taken, by busy).');
    for (let left = 16; left > 0; left--) await place.letOut();
    for (const handle of handles) expect((await handle.done()).state.name).toBe('Completed');
    expect(place.most()).toBe(3);
    await until(async () => (await engines[0]?.client.limits.list())?.[0]?.held === 0);
  });

  test('a task with two limited tags takes a slot of each, and two such tasks never wait for each other in a circle', async () => {
    const place = room();
    const at = await engineOf();
    await at.client.limits.set('tag:a', 1);
    await at.client.limits.set('tag:b', 1);
    const boxed = new Boxed(place);
    const handles = [
      await at.client.submit(boxed.flow(3, ['a', 'b'])),
      await at.client.submit(boxed.flow(3, ['b', 'a'])),
      await at.client.submit(boxed.flow(3, ['a'])),
    ];
    for (let left = 9; left > 0; left--) await place.letOut();
    for (const handle of handles) expect((await handle.done()).state.name).toBe('Completed');
    expect(place.most()).toBe(1);
  });

  test('0 lets nothing run until it is raised; deleting it lets all go', async () => {
    const place = room();
    const at = await engineOf();
    await at.client.limits.set('tag:db', 0);
    const handle = await at.client.submit(new Boxed(place).flow(4));
    await until(async () => (await at.client.limits.list())[0]?.waiting === 4);
    expect(place.count()).toBe(0);
    await at.client.limits.set('tag:db', 1);
    await until(() => place.count() === 1);
    await at.client.limits.delete('tag:db');
    await until(() => place.count() === 4);
    for (let left = 4; left > 0; left--) await place.letOut();
    expect((await handle.done()).state.name).toBe('Completed');
  });

  test('a limit that is lowered lets those that hold a slot finish first', async () => {
    const place = room();
    const at = await engineOf();
    await at.client.limits.set('tag:db', 3);
    const handle = await at.client.submit(new Boxed(place).flow(5));
    await until(() => place.count() === 3);
    await at.client.limits.set('tag:db', 1);
    await place.letOut();
    await place.letOut();
    await until(async () => (await at.client.limits.list())[0]?.held === 1);
    expect(place.order).toHaveLength(3);
    for (let left = 3; left > 0; left--) await place.letOut();
    expect((await handle.done()).state.name).toBe('Completed');
    expect(place.order).toHaveLength(5);
  });

  test('a failed attempt gives its slot back while it waits for the next', async () => {
    const at = await engineOf();
    await at.client.limits.set('tag:db', 1);
    const tried: string[] = [];
    const attempt = (): never => {
      tried.push('fails');
      return failing()();
    };
    const flow = makeFlow({
      fails: { tags: ['db'], retries: 1, retryDelay: 300, does: attempt },
      other: { tags: ['db'], does: () => void tried.push('other') },
    });
    await (await at.client.submit(flow)).done();
    expect(tried).toEqual(['fails', 'other', 'fails']);
  });

  test('a run that is cancelled gives back what its tasks hold and ends their waits', async () => {
    const place = room();
    const at = await engineOf({ settings: { graceMs: 50 } });
    await at.client.limits.set('tag:db', 1);
    const handle = await at.client.submit(new Boxed(place).flow(3));
    await until(async () => (await at.client.limits.list())[0]?.waiting === 2);
    await handle.cancel();
    expect((await handle.done()).state.type).toBe('CANCELLED');
    await until(async () => {
      const [limit] = await at.client.limits.list();
      return limit?.held === 0 && limit.waiting === 0;
    });
    const rows = await at.store.taskRuns.ofRun(handle.id);
    expect(new Set(rows.map(({ name, state }) => `${name} ${state.type}`))).toEqual(new Set(['list COMPLETED', 'stay CANCELLED']));
  });

  test('tasks of a code flow are held to it too', async () => {
    const place = room();
    @Flow({ name: 'coded' })
    class Coded {
      async run(): Promise<void> {
        await Promise.all(['x', 'y', 'z'].map((who) => this.stay(who)));
      }
      @Task({ tags: ['db'] })
      async stay(who: string): Promise<void> {
        await place.enter(who);
      }
    }
    const at = await engineOf();
    await at.client.limits.set('tag:db', 1);
    const handle = await at.client.submit(Coded);
    for (let left = 3; left > 0; left--) await place.letOut();
    await handle.done();
    expect(place.most()).toBe(1);
    expect(place.order).toEqual(['x', 'y', 'z']);
  });

  test('names and numbers that are none are refused in a sentence', async () => {
    const { client } = await engineOf();
    await expect(client.limits.set('db', 1)).rejects.toMatchObject({
      code: 'NAME_INVALID',
      message: expect.stringContaining('for example tag:db.'),
    });
    await expect(client.limits.set('tag:', 1)).rejects.toMatchObject({ code: 'NAME_INVALID' });
    await expect(client.limits.set('flow:sync', 1)).rejects.toMatchObject({
      code: 'NAME_INVALID',
      message: expect.stringContaining('declared by its flow'),
    });
    await expect(client.limits.set('tag:db', 1.5)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(client.limits.set('tag:db', -1)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await client.limits.set('tag:db', 1);
    await expect(client.limits.delete('tag:bd')).rejects.toMatchObject({
      code: 'LIMIT_NOT_FOUND',
      message: expect.stringContaining("'tag:db'"),
    });
  });
});
