import { getEventListeners } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Flow, type FlowClass, type FlowContext, Task, type TaskContext } from 'batuta';
import type { RunHandle } from '../../../src/client/client.ts';
import { isTerminal } from '../../../src/model/state.ts';
import { failing, gate, makeFlow } from '../../support/make-flow.ts';
import { type EngineParts, type OpenEngine, openEngine } from '../../support/open-engine.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'batuta-cancel-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let databases = 0;
async function withEngine(parts: EngineParts, use: (open: OpenEngine, url: string) => Promise<void>): Promise<void> {
  const url = `sqlite:${join(folder, `${databases++}.db`)}`;
  const open = await openEngine({ url, ...parts });
  try {
    await use(open, url);
  } finally {
    await open.client.close({ graceMs: 0 });
  }
}

/** Nothing of the run, its tasks or its sub-flows goes on. */
async function expectAllEnded({ store }: OpenEngine, runId: string): Promise<void> {
  const run = await store.runs.get(runId);
  expect(isTerminal(run?.state.type ?? 'RUNNING')).toBe(true);
  for (const row of await store.taskRuns.ofRun(runId))
    expect(`${row.key} ${isTerminal(row.state.type) ? 'ended' : row.state.name}`).toBe(`${row.key} ended`);
  for (const child of await store.runs.children(runId)) await expectAllEnded({ store } as OpenEngine, child.id);
}

async function expectCancelled(open: OpenEngine, handle: RunHandle, message?: string): Promise<void> {
  const run = await handle.done();
  expect(run.state.name).toBe('Cancelled');
  if (message !== undefined) expect(run.state.message).toBe(message);
  await expect(handle.result()).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
  await expectAllEnded(open, handle.id);
}

/** A flow of one task that tells when it runs, and ends as the signal says. */
function obedient(): { readonly Graph: FlowClass; readonly running: Promise<AbortSignal> } {
  const { opened, open } = gate<AbortSignal>();
  const does = (ctx: TaskContext): Promise<never> =>
    new Promise((_, reject) => {
      ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason as Error), { once: true });
      open(ctx.signal);
    });
  return { Graph: makeFlow({ wait: { does }, next: { needs: ['wait'] } }), running: opened };
}

/** A flow of one task that listens to nothing and never ends. */
function stubborn(): { readonly Graph: FlowClass; readonly running: Promise<void> } {
  const { opened, open } = gate();
  const does = (): Promise<never> => {
    open(undefined);
    return new Promise(() => undefined);
  };
  return { Graph: makeFlow({ wait: { does }, waiting: {}, next: { needs: ['wait'] } }, { concurrency: 1 }), running: opened };
}

describe('cancel', () => {
  test('before anything has started runs nothing', () =>
    withEngine({}, async (open) => {
      let calls = 0;
      const signal = AbortSignal.abort();
      const handle = await open.client.submit(makeFlow({ a: { does: () => calls++ } }), {}, { signal });
      await expectCancelled(open, handle);
      expect(calls).toBe(0);
    }));

  test('reaches running tasks as their signal, and what has not started as Cancelled', () =>
    withEngine({}, async (open) => {
      const { Graph, running } = obedient();
      const handle = await open.client.submit(Graph);
      const signal = await running;
      await handle.cancel('Enough.');
      await expectCancelled(open, handle, 'Enough.');
      expect(signal.reason).toMatchObject({ code: 'RUN_CANCELLED', message: 'Enough.' });
      const { taskRuns, transitions } = await open.client.runs.inspect(handle.id);
      expect(taskRuns.map((row) => [row.name, row.state.name, row.attempt])).toEqual([
        ['wait', 'Cancelled', 1],
        ['next', 'Cancelled', 0],
      ]);
      expect(transitions.filter((it) => it.taskRunId === null).map((it) => it.name)).toEqual([
        'Pending',
        'Running',
        'Cancelling',
        'Cancelled',
      ]);
    }));

  test('ends what does not listen after the grace', () =>
    withEngine({ settings: { graceMs: 50 } }, async (open) => {
      const { Graph, running } = stubborn();
      const handle = await open.client.submit(Graph);
      await running;
      await handle.cancel();
      await expectCancelled(open, handle);
    }));

  test('ends the wait for a retry', () =>
    withEngine({}, async (open) => {
      const waiting = gate();
      const handle = await open.client.submit(
        makeFlow({ shaky: { retries: 5, retryDelay: '1 day', does: failing() } }),
        {},
        {
          onEvent: (event) => event.kind === 'task' && event.taskRun.state.name === 'AwaitingRetry' && waiting.open(undefined),
        },
      );
      await waiting.opened;
      await handle.cancel();
      await expectCancelled(open, handle);
    }));

  test('ends the wait for a retry of the flow', () =>
    withEngine({}, async (open) => {
      const waiting = gate();
      const handle = await open.client.submit(
        makeFlow({ shaky: { does: failing() } }, { retries: 5, retryDelay: '1 day' }),
        {},
        {
          onEvent: (event) => event.kind === 'run' && event.run.state.name === 'AwaitingRetry' && waiting.open(undefined),
        },
      );
      await waiting.opened;
      await handle.cancel();
      await expectCancelled(open, handle);
    }));

  test.each(['when', 'retryIf'] as const)('does not wait for a %s that never answers', (option) =>
    withEngine({ settings: { graceMs: 50 } }, async (open) => {
      const asked = gate();
      const never = (): Promise<never> => {
        asked.open(undefined);
        return new Promise(() => undefined);
      };
      const Graph = makeFlow({
        a: { retries: 1, does: failing(), ...(option === 'when' ? { when: never } : { retryIf: never }) },
        b: { after: ['a'] },
      });
      const handle = await open.client.submit(Graph);
      await asked.opened;
      await handle.cancel();
      const run = await handle.done();
      expect(run.state.name).toBe('Cancelled');
      await expectAllEnded(open, handle.id);
    }),
  );

  test('stops a mapped task half way: what is done stays Completed', () =>
    withEngine({}, async (open) => {
      const half = gate();
      const list = Array.from({ length: 2_000 }, (_, at) => at);
      const does = async (item: number, ctx: TaskContext): Promise<number> => {
        if (item === 1_000) half.open(undefined);
        if (item >= 1_000)
          await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true }));
        return item;
      };
      const handle = await open.client.submit(
        makeFlow({ list: { does: () => list }, work: { each: 'list', eachLimit: 50, does }, sum: { needs: ['work'] } }),
      );
      await half.opened;
      await handle.cancel();
      await expectCancelled(open, handle);
      const rows = (await open.store.taskRuns.ofRun(handle.id)).filter((row) => row.name === 'work');
      expect(rows.filter((row) => row.state.name === 'Completed')).toHaveLength(1_000);
      expect(rows.length).toBeLessThan(1_100);
    }));

  test('reaches a sub-flow, and that its tasks', () =>
    withEngine({}, async (open) => {
      const { Graph, running } = obedient();
      @Flow()
      class Parent {
        async run(_params: unknown, ctx: FlowContext): Promise<unknown> {
          return ctx.runFlow(Graph);
        }
      }
      const handle = await open.client.submit(Parent);
      expect((await running).aborted).toBe(false);
      await handle.cancel('Enough.');
      await expectCancelled(open, handle, 'Enough.');
      const [child] = await open.store.runs.children(handle.id);
      expect(child?.state).toMatchObject({ name: 'Cancelled', message: 'Enough.' });
    }));

  test('ends a body that catches everything and goes on asking', () =>
    withEngine({ settings: { graceMs: 50 } }, async (open) => {
      const asked = gate();
      @Flow()
      class Insists {
        async run(): Promise<void> {
          for (;;) await this.fail().catch(() => asked.open(undefined));
        }

        @Task()
        async fail(): Promise<never> {
          throw new Error('again');
        }
      }
      const handle = await open.client.submit(Insists);
      await asked.opened;
      await handle.cancel();
      await expectCancelled(open, handle);
    }));

  test('of a run that another client executes reaches it within its poll, with the words of whoever asked', () =>
    withEngine({}, async (open, url) => {
      const { Graph, running } = obedient();
      const handle = await open.client.submit(Graph);
      await running;
      await open.store.recorder.flush();
      const other = await openEngine({ url });
      expect((await other.client.runs.cancel(handle.id, 'From afar.')).state.name).toBe('Cancelling');
      await expectCancelled(open, handle, 'From afar.');
      await other.client.close();
    }));

  test('a second time is harmless, of a run that has ended refused, of none refused', () =>
    withEngine({ settings: { graceMs: 50 } }, async (open) => {
      const { Graph, running } = stubborn();
      const handle = await open.client.submit(Graph);
      await running;
      await Promise.all([handle.cancel('one'), handle.cancel('two'), open.client.runs.cancel(handle.id, 'three')]);
      await expectCancelled(open, handle, 'one');
      await handle.cancel('late');
      await expect(open.client.runs.cancel(handle.id)).rejects.toMatchObject({ code: 'RUN_STATE_REFUSED' });
      await expect(open.client.runs.cancel('00000000-0000-7000-8000-000000000000')).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
    }));

  test('of a run whose owner is gone ends it at once, its tasks and its sub-flows at any depth', () =>
    withEngine({ isOwnerGone: () => false }, async (open, url) => {
      const { Graph, running } = stubborn();
      @Flow()
      class Middle {
        async run(_params: unknown, ctx: FlowContext): Promise<unknown> {
          return ctx.runFlow(Graph);
        }
      }
      @Flow()
      class Top {
        async run(_params: unknown, ctx: FlowContext): Promise<unknown> {
          return ctx.runFlow(Middle);
        }
      }
      const handle = await open.client.submit(Top);
      await running;
      const other = await openEngine({ url, isOwnerGone: () => true });
      expect((await other.client.runs.cancel(handle.id)).state.name).toBe('Cancelled');
      await expectAllEnded(other, handle.id);
      await other.client.close();
    }));

  test('a cancel that was asked for while nobody held the run is obeyed by whoever resumes it, without running its code', () =>
    withEngine({ isOwnerGone: () => false }, async (open, url) => {
      const began = gate();
      let bodies = 0;
      @Flow()
      class Body {
        async run(): Promise<void> {
          bodies++;
          began.open(undefined);
          await new Promise(() => undefined);
        }
      }
      const handle = await open.client.submit(Body);
      await began.opened;
      await open.store.runs.requestCancel(handle.id, Date.now(), 'Asked before the crash.');
      const other = await openEngine({ url, isOwnerGone: () => true, flows: [Body] });
      const resumed = await other.client.runs.resume(handle.id);
      const run = await resumed.done();
      expect(run.state).toMatchObject({ name: 'Cancelled', message: 'Asked before the crash.' });
      expect(bodies).toBe(1);
      await other.client.close();
    }));
});

describe('close', () => {
  test('without grace leaves nothing Running', async () => {
    const url = `sqlite:${join(folder, 'close.db')}`;
    const open = await openEngine({ url });
    const { Graph, running } = stubborn();
    const handle = await open.client.submit(Graph);
    await running;
    await open.client.close({ graceMs: 0, message: 'Lights out.' });
    const after = await openEngine({ url });
    await expectAllEnded(after, handle.id);
    expect((await after.client.runs.get(handle.id)).state).toMatchObject({ name: 'Cancelled', message: 'Lights out.' });
    await after.client.close();
  });

  test('cancels also the runs that were being accepted when it was called, and takes no new ones', async () => {
    const url = `sqlite:${join(folder, 'close-early.db')}`;
    const open = await openEngine({ url });
    const accepted = [1, 2, 3].map(() => open.client.submit(stubborn().Graph));
    await open.client.close({ graceMs: 0 });
    const handles = await Promise.all(accepted);
    await expect(open.client.submit(makeFlow({ a: {} }))).rejects.toMatchObject({ code: 'SHUTDOWN' });
    const after = await openEngine({ url });
    for (const handle of handles) await expectAllEnded(after, handle.id);
    await after.client.close();
  });

  test('a signal that outlives its runs keeps none of them', () =>
    withEngine({}, async (open) => {
      const { signal } = new AbortController();
      for (let run = 0; run < 20; run++) await (await open.client.submit(makeFlow({ a: {} }), {}, { signal })).done();
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    }));
});
