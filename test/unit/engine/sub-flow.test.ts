import { describe, expect, test } from 'vitest';
import { Flow, type FlowContext, Task } from 'batuta';
import { testFlow } from 'batuta/testing';
import { failing, gate } from '../../support/make-flow.ts';
import { Steps } from './steps.ts';

@Flow()
class Child extends Steps {
  async run({ name }: { name: string }): Promise<string> {
    if (name === 'bad') return this.fail('the child broke');
    return `child ${await this.step(name)}`;
  }
}

describe('a sub-flow', () => {
  test('is a run of its own, recorded in its parent', async () => {
    @Flow()
    class Parent {
      async run(_params: unknown, ctx: FlowContext): Promise<string[]> {
        return Promise.all([ctx.runFlow(Child, { name: 'a' }), ctx.runFlow(Child, { name: 'b' })]);
      }
    }
    const run = await testFlow(Parent);
    expect(run.result).toEqual(['child a', 'child b']);
    const { children, taskRuns } = run.inspection;
    expect(children.map((child) => child.state.name)).toEqual(['Completed', 'Completed']);
    expect(taskRuns.map((row) => [row.name, row.childRunId]).toSorted()).toEqual(
      children.map((child) => ['flow:child', child.id]).toSorted(),
    );
    expect(children[0]?.parentTaskRunId).toBe(taskRuns.find((row) => row.childRunId === children[0]?.id)?.id);
  });

  test('that fails rejects its call with what it failed with', async () => {
    @Flow()
    class Parent {
      async run(_params: unknown, ctx: FlowContext): Promise<string> {
        return ctx.runFlow(Child, { name: 'bad' });
      }
    }
    const run = await testFlow(Parent);
    run.expectState('Failed').expectTask('flow:child', 'Failed');
    expect(run.error?.message).toBe('the child broke');
  });

  test('that its limit drops rejects its call with a code, and says why', async () => {
    const first = gate();
    @Flow({ concurrency: { limit: 1, onConflict: 'skip' } })
    class Lonely {
      async run(): Promise<void> {
        await this.stay();
      }
      @Task()
      async stay(): Promise<void> {
        await first.opened;
      }
    }
    @Flow()
    class Parent {
      async run(_params: unknown, ctx: FlowContext): Promise<unknown> {
        const staying = ctx.runFlow(Lonely);
        const refused = await Promise.race([staying, ctx.runFlow(Lonely)]).catch((error: unknown) => error);
        first.open();
        await staying;
        throw refused instanceof Error ? refused : new Error('It was not refused.');
      }
    }
    const run = await testFlow(Parent);
    expect(run.error).toMatchObject({ code: 'RUN_CANCELLED', message: expect.stringContaining('was used up') });
  });

  test('gives a value that it keeps in memory only', async () => {
    @Flow()
    class Opener {
      @Task({ persist: false })
      open(): () => string {
        return () => 'live';
      }
    }
    @Flow()
    class Parent {
      async run(_params: unknown, ctx: FlowContext): Promise<string> {
        return ((await ctx.runFlow(Opener)) as () => string)();
      }
    }
    expect((await testFlow(Parent)).result).toBe('live');
  });

  test('whose parameters or name are refused fails as a task, and no run of it exists', async () => {
    @Flow({ runName: failing('no name') })
    class Nameless extends Steps {
      async run(): Promise<string> {
        return this.step('never');
      }
    }
    @Flow()
    class Parent {
      async run(_params: unknown, ctx: FlowContext): Promise<string[]> {
        const ends = await Promise.allSettled([ctx.runFlow(Nameless), ctx.runFlow(Child, { name: () => 1 })]);
        return ends.map((end) => (end.status === 'rejected' ? (end.reason as { code: string }).code : 'none'));
      }
    }
    const run = await testFlow(Parent);
    expect(run.result).toEqual(['OPTION_INVALID', 'RESULT_NOT_SERIALIZABLE']);
    expect(run.tasks.map((task) => task.state.name)).toEqual(['Failed', 'Failed']);
    expect(run.inspection.children).toEqual([]);
  });

  test('that failed is run again by a retry of the flow, without what it has completed', async () => {
    const calls: string[] = [];
    @Flow()
    class Shaky {
      @Task()
      first(): string {
        calls.push('first');
        return 'once';
      }

      @Task({ needs: ['first'] })
      second(first: string): string {
        calls.push('second');
        return calls.length < 3 ? failing()() : `${first} more`;
      }
    }
    @Flow({ retries: 1 })
    class Parent {
      async run(_params: unknown, ctx: FlowContext): Promise<unknown> {
        return ctx.runFlow(Shaky);
      }
    }
    const run = await testFlow(Parent);
    expect(run.expectState('Completed').result).toBe('once more');
    expect(calls).toEqual(['first', 'second', 'second']);
    expect(run.inspection.children.map((child) => [child.state.name, child.attempt])).toEqual([['Completed', 2]]);
  });
});
