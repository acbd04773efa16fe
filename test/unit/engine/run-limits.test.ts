/** Limits on runs in processes that run flows themselves. */
import { describe, expect, test } from 'vitest';
import { Flow, type FlowClass, type FlowContext, type TaskContext } from 'batuta';
import type { Run } from '../../../src/model/run.ts';
import { failing, makeFlow } from '../../support/make-flow.ts';
import type { OpenEngine } from '../../support/open-engine.ts';
import { ownEngine, ownEngines } from '../../support/own-engine.ts';
import { makeRoom, type Room, until } from '../../support/room.ts';

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

const stateName = async ({ store }: OpenEngine, id: string): Promise<string | undefined> => (await store.runs.get(id))?.state.name;

describe('a limit on the runs of a flow', () => {
  test('runs beyond it wait in their process, say what for, and go on in the order of coming', async () => {
    const place = makeRoom();
    const flow = limitedFlow(place);
    const at = await ownEngine();
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
    const place = makeRoom();
    const flow = limitedFlow(place, { limit: 2 });
    const engines = await ownEngines(3);
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
    const place = makeRoom();
    const flow = limitedFlow(place, { key: '{who}' });
    const at = await ownEngine();
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
    const place = makeRoom();
    const flow = limitedFlow(place);
    const at = await ownEngine();
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
    const place = makeRoom();
    const flow = limitedFlow(place, { onConflict: 'skip' });
    const at = await ownEngine();
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
    const place = makeRoom();
    const flow = limitedFlow(place, { onConflict: 'cancel-running' });
    const at = await ownEngine();
    const a = await at.client.submit(flow, { who: 'a' });
    await until(() => place.count() === 1);
    const b = await at.client.submit(flow, { who: 'b' }, { name: 'run-b' });
    expect((await a.done()).state).toMatchObject({ type: 'CANCELLED', message: 'It made room for run-b under the limit flow:sync.' });
    await until(() => place.order.length === 2);
    await place.letOut();
    await place.letOut();
    expect((await b.done()).state.name).toBe('Completed');
    const history = await at.store.transitions.ofRun(a.id, null);
    expect(history.filter(({ name }) => name === 'Cancelling')).toHaveLength(1);
  });

  test('the slot of a failed run is free, and that of a process that is gone', async () => {
    const flow = makeFlow({ fail: { does: failing() } }, { name: 'sync', concurrency: { limit: 1 } });
    const at = await ownEngine({ settings: { leaseMs: 600_000 }, isOwnerGone: ({ id }) => id === 'gone' });
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
    const at = await ownEngine();
    expect(await (await at.client.submit(Nested as FlowClass, { depth: 3 })).result()).toBe(3);
  });

  test('a sub-flow waits for its own limit', async () => {
    const place = makeRoom();
    const flow = limitedFlow(place);
    @Flow()
    class Outer {
      async run(_: unknown, ctx: FlowContext): Promise<unknown> {
        return Promise.all(['x', 'y'].map((who) => ctx.runFlow(flow, { who })));
      }
    }
    const at = await ownEngine();
    const handle = await at.client.submit(Outer);
    for (let left = 2; left > 0; left--) await place.letOut();
    expect((await handle.done()).state.name).toBe('Completed');
    expect(place.most()).toBe(1);
  });
});
