import { describe, expect, test } from 'vitest';
import { Flow, type FlowContext } from 'batuta';
import { type Clock, systemClock } from '../../../src/base/clock.ts';
import { expectAllEnded, expectCancelled, obedient, stubborn } from '../../support/cancelled.ts';
import { gate } from '../../support/make-flow.ts';
import { ownDatabase, ownEngine } from '../../support/own-engine.ts';

describe('cancel from another process', () => {
  test('of a run that another client executes reaches it within its poll, with the words of whoever asked', async () => {
    const url = ownDatabase();
    // The owner looks when it is told to, not while the cancel is being asked for.
    const polls: (() => void)[] = [];
    const setTimer: Clock['setTimer'] = (_ms, poll) => {
      polls.push(poll);
      return { cancel: () => undefined };
    };
    const open = await ownEngine({ url, leaseClock: { ...systemClock, setTimer } });
    const { Graph, running } = obedient();
    const handle = await open.client.submit(Graph);
    await running;
    await open.store.recorder.flush();
    const other = await ownEngine({ url });
    expect((await other.client.runs.cancel(handle.id, 'From afar.')).state.name).toBe('Cancelling');
    for (const poll of [...polls]) poll();
    await expectCancelled(open, handle, 'From afar.');
  });

  test('stands once in the history of the run, as a cancel by its own process does', async () => {
    const url = ownDatabase();
    const open = await ownEngine({ url });
    const other = await ownEngine({ url });
    for (const asking of [open, other]) {
      const { Graph, running } = obedient();
      const handle = await open.client.submit(Graph);
      await running;
      await open.store.recorder.flush();
      await asking.client.runs.cancel(handle.id, 'Enough.');
      await expectCancelled(open, handle, 'Enough.');
      const history = await open.store.transitions.ofRun(handle.id, null);
      expect(history.map(({ name }) => name)).toEqual(['Pending', 'Running', 'Cancelling', 'Cancelled']);
    }
  });

  test('of a run whose owner is gone ends it at once, its tasks and its sub-flows at any depth', async () => {
    const url = ownDatabase();
    const open = await ownEngine({ url, isOwnerGone: () => false });
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
    const other = await ownEngine({ url, isOwnerGone: () => true });
    expect((await other.client.runs.cancel(handle.id)).state.name).toBe('Cancelled');
    await expectAllEnded(other, handle.id);
  });

  test('a cancel that was asked for while nobody held the run is obeyed by whoever resumes it, without running its code', async () => {
    const url = ownDatabase();
    const open = await ownEngine({ url, isOwnerGone: () => false });
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
    const other = await ownEngine({ url, isOwnerGone: () => true, flows: [Body] });
    const resumed = await other.client.runs.resume(handle.id);
    const run = await resumed.done();
    expect(run.state).toMatchObject({ name: 'Cancelled', message: 'Asked before the crash.' });
    expect(bodies).toBe(1);
    expect((await open.store.transitions.ofRun(run.id, null)).filter(({ name }) => name === 'Cancelling')).toHaveLength(1);
  });
});
