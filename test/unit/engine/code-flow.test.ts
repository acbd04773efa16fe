import { describe, expect, test } from 'vitest';
import { Flow, type FlowContext, Task, type TaskContext } from 'batuta';
import { testFlow } from 'batuta/testing';
import { failing, gate } from '../../support/make-flow.ts';
import { Steps } from './steps.ts';

describe('a code flow', () => {
  test('branches, loops and Promise.all are plain TypeScript, every call is on record', async () => {
    @Flow()
    class Looping extends Steps {
      async run({ turns }: { turns: number }, ctx: FlowContext): Promise<string[]> {
        const done: string[] = [];
        for (let turn = 0; turn < turns; turn++) if (turn % 2 === 0) done.push(await this.step(`turn ${turn}`, ctx));
        return [...done, ...(await Promise.all([this.step('a'), this.nested('b')]))];
      }
    }
    const run = await testFlow(Looping, { turns: 4 });
    expect(run.result).toEqual(['turn 0', 'turn 2', 'a', 'b']);
    expect(run.tasksOf('step').map((task) => task.state.name)).toEqual(['Completed', 'Completed', 'Completed', 'Completed']);
  });

  test('the promise of a task may be handed to another, and is recorded as what it depends on', async () => {
    @Flow()
    class Handing extends Steps {
      async run(): Promise<string> {
        return this.join(this.step('a'), this.step('b'), 'c');
      }
    }
    const run = await testFlow(Handing);
    expect(run.result).toBe('a+b+c');
    const rows = run.inspection.taskRuns;
    expect(rows.find((row) => row.name === 'join')?.dependsOn).toEqual(rows.filter((row) => row.name === 'step').map((row) => row.key));
    run.expectOrder('step', 'join');
  });

  test('a task whose input failed is recorded as UpstreamFailed, naming what failed, and its call rejects with that error', async () => {
    @Flow()
    class Handing extends Steps {
      async run(): Promise<string> {
        return this.join(this.step('a'), this.fail('no luck'));
      }
    }
    const run = await testFlow(Handing);
    run.expectState('Failed').expectTask('join', 'UpstreamFailed', { attempts: 0 });
    expect(run.error?.message).toBe('no luck');
    expect(run.task('join').state.message).toMatch(/^It waits for fail#\w+, which failed\.$/);
  });

  test('calls that are not awaited are waited for', async () => {
    @Flow()
    class Careless extends Steps {
      async run(): Promise<string> {
        void this.slow();
        void this.fail('nobody looks');
        return 'early';
      }

      @Task()
      async slow(): Promise<string> {
        for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
        return 'late';
      }
    }
    const run = await testFlow(Careless);
    run.expectState('Completed').expectTask('slow', 'Completed').expectTask('fail', 'Failed');
    expect(run.result).toBe('early');
  });

  test('a call after the end of the run is refused and leaves no record', async () => {
    const refused = gate<unknown>();
    const ended = gate();
    @Flow()
    class Haunted extends Steps {
      async run(): Promise<string> {
        void ended.opened.then(() => this.step('late')).catch(refused.open);
        return this.step('in time');
      }
    }
    const run = await testFlow(Haunted);
    ended.open(undefined);
    expect(await refused.opened).toMatchObject({ code: 'RUN_STATE_REFUSED' });
    expect(run.tasks).toHaveLength(1);
  });

  test('a failed task that the code catches lets the run complete', async () => {
    @Flow()
    class Forgiving extends Steps {
      async run(): Promise<string> {
        return this.fail('x').catch((error: Error) => `caught ${error.message}`);
      }
    }
    const run = await testFlow(Forgiving);
    expect(run.expectState('Completed').expectTask('fail', 'Failed').result).toBe('caught x');
  });

  test('a task of another class is refused, also where the flow has one of the same name; one taken off its instance is its own', async () => {
    class Other {
      @Task()
      async step(): Promise<string> {
        return 'of another class';
      }
    }
    @Flow()
    class Borrowing extends Steps {
      async run({ own }: { own: boolean }): Promise<unknown> {
        const { step } = this;
        return own ? step('a') : new Other().step();
      }
    }
    expect((await testFlow(Borrowing, { own: true })).result).toBe('a');
    const run = await testFlow(Borrowing, { own: false });
    run.expectState('Failed');
    expect(run.error).toMatchObject({
      code: 'TASK_FOREIGN',
      message: expect.stringContaining('Borrowing.run called Other.step, a task of another class'),
    });
    expect(run.inspection.taskRuns).toEqual([]);
  });

  test('the same call twice is two task runs', async () => {
    @Flow()
    class Twice extends Steps {
      async run(): Promise<string[]> {
        return [await this.step('a'), await this.step('a')];
      }
    }
    const run = await testFlow(Twice);
    const keys = run.tasks.map((task) => task.key);
    expect(new Set(keys).size).toBe(2);
    expect(keys[1]).toBe(`${keys[0]}#2`);
  });

  test('inputs that cannot be told apart still work, each under a name of its own', async () => {
    @Flow()
    class Opaque {
      async run(): Promise<number[]> {
        return Promise.all([this.call(() => 1), this.call(() => 1)]);
      }

      @Task()
      async call(given: () => number): Promise<number> {
        return given();
      }
    }
    const run = await testFlow(Opaque);
    expect(run.result).toEqual([1, 1]);
    expect(run.tasks.every((task) => task.key.startsWith('call#opaque-'))).toBe(true);
  });

  test('a task that calls another is a plain call, in a generator too', async () => {
    @Flow()
    class Nesting extends Steps {
      async run(): Promise<string[]> {
        return [await this.outer(), ...(await this.items())];
      }

      @Task()
      async outer(): Promise<string> {
        return this.step('inner');
      }

      @Task()
      items(): Promise<string[]> {
        return this.#walk() as unknown as Promise<string[]>;
      }

      async *#walk(): AsyncGenerator<string> {
        yield await this.step('first');
      }
    }
    const run = await testFlow(Nesting);
    expect(run.result).toEqual(['inner', 'first']);
    expect(run.tasks.map((task) => task.name)).toEqual(['outer', 'items']);
  });

  test('no more tasks than maxParallelTasks of the flow run at the same time', async () => {
    let now = 0;
    let most = 0;
    @Flow({ maxParallelTasks: 2 })
    class Narrow {
      async run(): Promise<void> {
        await Promise.all(Array.from({ length: 10 }, (_, at) => this.work(at)));
      }

      @Task()
      async work(_at: number): Promise<void> {
        most = Math.max(most, ++now);
        await new Promise((resolve) => setImmediate(resolve));
        now--;
      }
    }
    (await testFlow(Narrow)).expectState('Completed');
    expect(most).toBe(2);
  });

  test('retries of a task and of the flow work as in a graph', async () => {
    @Flow({ retries: 1 })
    class Shaky {
      async run(_params: unknown, ctx: FlowContext): Promise<string> {
        const first = await this.first(ctx);
        if (ctx.run.attempt === 1) await this.second(ctx);
        return first;
      }

      @Task({ retries: 1 })
      async first(ctx: TaskContext): Promise<string> {
        return ctx.task.attempt === 1 ? failing()() : `${ctx.run.attempt}.${ctx.task.attempt}`;
      }

      @Task()
      async second(_ctx: TaskContext): Promise<void> {
        failing()();
      }
    }
    const run = await testFlow(Shaky);
    expect(run.expectState('Completed').expectTask('first', 'Completed', { attempts: 2 }).result).toBe('1.2');
    expect(run.inspection.taskRuns.every((row) => ['COMPLETED', 'FAILED', 'CANCELLED'].includes(row.state.type))).toBe(true);
  });
});

describe('the arguments of calls', () => {
  test('are on record for people: values, results by their task, secrets masked, large ones cut, what is no data in words', async () => {
    class Pool {}
    @Flow()
    class Calling {
      async run(_params: unknown, ctx: FlowContext): Promise<void> {
        const given = this.give();
        await this.take(given, { day: new Date(0), token: 'abc', rows: Array.from({ length: 10_000 }, (_, at) => at) }, new Pool(), ctx);
        await this.take('x'.repeat(50_000), 1n);
        await ctx.runFlow(Child, { month: '01' });
      }
      @Task() async give(): Promise<number> {
        return 1;
      }
      @Task() async take(..._: unknown[]): Promise<void> {}
    }
    @Flow()
    class Child {
      @Task() a(): void {}
    }
    const { inspection } = await testFlow(Calling);
    const [give, first, second, child] = inspection.taskRuns;
    expect(give?.callArgs).toBeNull();
    expect(first?.callArgs).toEqual([
      { result: give?.key },
      {
        json: { day: '1970-01-01T00:00:00.000Z', token: '[redacted]', rows: expect.any(Array) },
        types: { values: { day: ['Date'] }, v: 1 },
        cut: true,
      },
      { text: 'Pool {}' },
    ]);
    expect(second?.callArgs).toMatchObject([{ json: expect.stringMatching(/^x+ …\([\d,]+ more characters\)$/) }, { json: '1' }]);
    expect(child?.callArgs).toEqual([{ json: { month: '01' } }]);
    expect(JSON.stringify(inspection.taskRuns.map((row) => row.callArgs)).length).toBeLessThan(15_000);
  });
});
