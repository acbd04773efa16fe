import { describe, expect, test } from 'vitest';
import { Flow, type FlowClass, type FlowContext, Task, type TaskContext } from 'batuta';
import { fakeClock, testFlow } from 'batuta/testing';

@Flow()
class Approval {
  async run(_params: unknown, ctx: FlowContext): Promise<string> {
    await this.ask('first');
    await ctx.sleep('3 days');
    const { by } = await ctx.waitFor<{ by: string }>('approved', { timeout: '1 day' });
    return `${by} at ${(await this.ask('second')).length}`;
  }

  @Task()
  async ask(what: string): Promise<string> {
    return what;
  }
}

@Flow()
class Outer {
  async run(_params: unknown, ctx: FlowContext): Promise<unknown> {
    return ctx.runFlow(Inner);
  }
}

@Flow()
class Inner {
  async run(_params: unknown, ctx: FlowContext): Promise<string> {
    await Promise.all([ctx.sleep('1h'), ctx.sleep('2h'), ctx.sleep('1h')]);
    return 'woken';
  }
}

@Flow()
class Many {
  async run(_params: unknown, ctx: FlowContext): Promise<unknown[]> {
    return [await ctx.waitFor('next'), await ctx.waitFor('next'), await ctx.waitFor('other')];
  }
}

@Flow()
class LongRetry {
  @Task({ retries: 1, retryDelay: '2h' })
  async once(ctx: TaskContext): Promise<number> {
    if (ctx.task.attempt === 1) throw new Error('not yet');
    return ctx.task.attempt;
  }
}

describe('waiting in a code flow', () => {
  test('sleeps and signals pass in virtual time and stand in the record', async () => {
    const run = await testFlow(Approval, {}, { signals: { approved: { by: 'ann' } } });
    expect(run.result).toBe('ann at 6');
    expect(run.waitedMs).toBe(3 * 86_400_000);
    expect(run.tasks.map(({ name, state }) => [name, state.name])).toEqual([
      ['ask', 'Completed'],
      ['ctx.sleep', 'Completed'],
      ['signal:approved', 'Completed'],
      ['ask', 'Completed'],
    ]);
  });

  test('a signal that does not come in time fails the wait, with a code', async () => {
    const run = await testFlow(Approval);
    run.expectState('Failed').expectTask('signal:approved', 'TimedOut');
    expect(run.error).toMatchObject({ code: 'WAIT_TIMED_OUT', message: "The signal 'approved' did not come within 1 d 00 h." });
    expect(run.waitedMs).toBe(4 * 86_400_000);
  });

  test('waits beside each other are each their own, in sub-flows too', async () => {
    const run = await testFlow(Outer);
    expect([run.result, run.waitedMs]).toEqual(['woken', 2 * 3_600_000]);
  });

  test('signals of one name are taken in order, each once', async () => {
    const run = await testFlow(Many, {}, { signals: { next: [1, 2], other: undefined } });
    expect(run.result).toEqual([1, 2, undefined]);
  });

  test('a wrong duration or name is refused and fails the run', async () => {
    @Flow()
    class Wrong {
      async run(_params: unknown, ctx: FlowContext): Promise<void> {
        await ctx.sleep('soon' as '1s');
      }
    }
    @Flow()
    class WrongName {
      async run(_params: unknown, ctx: FlowContext): Promise<void> {
        await ctx.waitFor('a b');
      }
    }
    expect((await testFlow(Wrong)).error?.code).toBe('DURATION_INVALID');
    expect((await testFlow(WrongName)).error?.code).toBe('NAME_INVALID');
  });

  test('a cancel ends a sleep and a wait at once', async () => {
    for (const flow of [Approval, Many] as FlowClass[]) {
      const controller = new AbortController();
      const run = await testFlow(
        flow,
        {},
        {
          clock: fakeClock(),
          signal: controller.signal,
          onEvent: (event) => {
            if (event.kind === 'task' && event.taskRun.state.name === 'Suspended') controller.abort();
          },
        },
      );
      run.expectState('Cancelled');
      expect(run.tasks.every(({ state }) => state.type === 'COMPLETED' || state.type === 'CANCELLED')).toBe(true);
    }
  });

  test('a long retry delay is no different', async () => {
    const run = await testFlow(LongRetry);
    expect([run.result, run.waitedMs]).toEqual([2, 2 * 3_600_000]);
  });
});
