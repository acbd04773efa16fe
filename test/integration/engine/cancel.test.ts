import { describe, expect, test } from 'vitest';
import { Flow, type FlowContext, Task, type TaskContext } from 'batuta';
import { expectAllEnded, expectCancelled, obedient, stubborn } from '../../support/cancelled.ts';
import { failing, gate, makeFlow } from '../../support/make-flow.ts';
import type { EngineParts, OpenEngine } from '../../support/open-engine.ts';
import { ownDatabase, ownEngine } from '../../support/own-engine.ts';

const engineOnFile = (parts: EngineParts = {}): Promise<OpenEngine> => ownEngine({ url: ownDatabase(), ...parts });

describe('cancel', () => {
  test('before anything has started runs nothing', async () => {
    const open = await engineOnFile();
    let calls = 0;
    const signal = AbortSignal.abort();
    const handle = await open.client.submit(makeFlow({ a: { does: () => calls++ } }), {}, { signal });
    await expectCancelled(open, handle);
    expect(calls).toBe(0);
  });

  test('reaches running tasks as their signal, and what has not started as Cancelled', async () => {
    const open = await engineOnFile();
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
  });

  test('ends what does not listen after the grace', async () => {
    const open = await engineOnFile({ settings: { graceMs: 50 } });
    const { Graph, running } = stubborn();
    const handle = await open.client.submit(Graph);
    await running;
    await handle.cancel();
    await expectCancelled(open, handle);
  });

  test('ends the wait for a retry', async () => {
    const open = await engineOnFile();
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
  });

  test('ends the wait for a retry of the flow', async () => {
    const open = await engineOnFile();
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
  });

  test.each(['when', 'retryIf'] as const)('does not wait for a %s that never answers', async (option) => {
    const open = await engineOnFile({ settings: { graceMs: 50 } });
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
  });

  test('stops a mapped task half way: what is done stays Completed', async () => {
    const open = await engineOnFile();
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
  });

  test('reaches a sub-flow, and that its tasks', async () => {
    const open = await engineOnFile();
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
  });

  test('ends a body that catches everything and goes on asking', async () => {
    const open = await engineOnFile({ settings: { graceMs: 50 } });
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
  });

  test('a second time is harmless, of a run that has ended refused, of none refused', async () => {
    const open = await engineOnFile({ settings: { graceMs: 50 } });
    const { Graph, running } = stubborn();
    const handle = await open.client.submit(Graph);
    await running;
    await Promise.all([handle.cancel('one'), handle.cancel('two'), open.client.runs.cancel(handle.id, 'three')]);
    await expectCancelled(open, handle, 'one');
    await handle.cancel('late');
    await expect(open.client.runs.cancel(handle.id)).rejects.toMatchObject({ code: 'RUN_STATE_REFUSED' });
    await expect(open.client.runs.cancel('00000000-0000-7000-8000-000000000000')).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
  });
});
