import { describe, expect, test } from 'vitest';
import { Flow, type FlowClass, type FlowContext, Task } from 'batuta';
import { stateOf } from '../../../src/model/state.ts';
import { encodeValue } from '../../../src/model/values.ts';
import { expectAllEnded } from '../../support/cancelled.ts';
import { makeFlow } from '../../support/make-flow.ts';
import { until } from '../../support/room.ts';
import { after, freeze, hang, ledger, takeOver } from '../../support/take-over.ts';

describe('a sub-flow that is taken over', () => {
  const child = (hangs: boolean): FlowClass =>
    makeFlow(
      { one: { does: () => ledger.push('one') }, two: { needs: ['one'], does: () => (ledger.push('two'), hangs ? hang() : 'child') } },
      { name: 'child' },
    );

  const parent = (hangs: boolean): FlowClass => {
    const Child = child(hangs);
    @Flow({ name: 'parent' })
    class Parent {
      async run(_params: unknown, ctx: FlowContext): Promise<unknown> {
        await this.prepare();
        return ctx.runFlow(Child);
      }

      @Task()
      async prepare(): Promise<void> {
        ledger.push('prepare');
      }
    }
    return Parent;
  };

  test('goes on in the run that it had, with what that has recorded', async () => {
    const { run, result, second } = await takeOver(parent(true), parent(false));
    expect(run.state.name).toBe('Completed');
    expect(result).toBe('child');
    expect(after()).toEqual(['two']);
    expect((await second.store.runs.children(run.id)).map((it) => [it.state.name, it.epoch, it.recoveries])).toEqual([['Completed', 2, 1]]);
  });

  const between = (hangs: boolean): FlowClass => {
    const Child = makeFlow({ one: { does: () => ledger.push('one') } }, { name: 'child' });
    @Flow({ name: 'parent' })
    class Parent {
      async run(_params: unknown, ctx: FlowContext): Promise<unknown> {
        const value = await ctx.runFlow(Child);
        return hangs ? hang() : value;
      }
    }
    return Parent;
  };

  test('that has ended is not run again', async () => {
    const { result } = await takeOver(between(true), between(false));
    expect(result).toBe(1);
    expect(after()).toEqual([]);
  });

  test('that its owner ends in the moment in which it is to be taken over stands as it ended', async () => {
    const frozen = await freeze(parent(true));
    const second = await frozen.openOther({ isOwnerGone: () => true, flows: [parent(false)] });
    const { id = '', epoch = 0 } = (await second.store.runs.children(frozen.handle.id))[0] ?? {};
    const claim = second.store.runs.claim.bind(second.store.runs);
    Object.assign(second.store.runs, {
      claim: async (...asked: Parameters<typeof claim>) => {
        const end = { state: stateOf('COMPLETED'), endedAt: Date.now(), result: encodeValue('ended elsewhere', 'result') };
        if (asked[0] === id) await frozen.first.store.recorder.addRunPatch({ runId: id, epoch }, end, null);
        return claim(...asked);
      },
    });
    ledger.length = 0;
    const handle = await second.client.runs.resume(frozen.handle.id);
    expect((await handle.done()).error).toBeNull();
    expect([await handle.result(), ledger]).toEqual(['ended elsewhere', []]);
  });

  test('of which the parent knows, but which was never made, is made under the id that was noted', async () => {
    let noted: string | undefined;
    const { run, result, second } = await takeOver(parent(true), parent(false), {
      between: async ({ first: { store }, handle }) => {
        noted = (await store.taskRuns.ofRun(handle.id)).find((row) => row.childRunId !== null)?.childRunId ?? undefined;
        await store.runs.delete(noted ?? '', { force: true });
      },
    });
    expect(result).toBe('child');
    expect(after()).toEqual(['one', 'two']);
    expect((await second.store.runs.children(run.id)).map((child) => child.id)).toEqual([noted]);
  });

  const racing = (hangs: boolean): FlowClass => {
    @Flow({ name: 'lasting' })
    class Lasting {
      async run(_params: unknown, ctx: FlowContext): Promise<void> {
        await ctx.waitFor('never');
      }
    }
    @Flow({ name: 'parent' })
    class Parent {
      async run(_params: unknown, ctx: FlowContext): Promise<unknown> {
        void this.last();
        return Promise.race([ctx.runFlow(Lasting), ctx.waitFor('never'), this.win()]);
      }

      @Task()
      async win(): Promise<string> {
        ledger.push('win');
        return 'won';
      }

      @Task()
      async last(): Promise<void> {
        ledger.push('last');
        if (hangs) await hang();
      }
    }
    return Parent;
  };

  test('that lost a race which is decided on record does not change who won', async () => {
    const { run, result, second } = await takeOver(racing(true), racing(false), {
      between: async ({ first, handle }) => {
        await until(async () => {
          await first.store.recorder.flush();
          return (await first.store.taskRuns.ofRun(handle.id)).filter(({ state }) => state.name === 'Cancelled').length === 2;
        });
      },
    });
    expect([result, after()]).toEqual(['won', ['last']]);
    await expectAllEnded(second, run.id);
    expect((await second.store.runs.children(run.id)).map(({ state }) => state.name)).toEqual(['Cancelled']);
  });
});
