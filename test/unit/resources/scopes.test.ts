import { describe, expect, test } from 'vitest';
import { Flow, type FlowContext, resource, type Resource, Task, type TaskContext } from 'batuta';
import { testFlow } from 'batuta/testing';

const told: string[] = [];
const tell = (what: string): void => void told.push(what);

/** A resource that tells of its opening and its end. */
function telling<S extends 'worker' | 'run' | 'task'>(name: string, scope: S): Resource<{ name: string }, void, S> {
  return resource(
    name,
    async function* () {
      tell(`open ${name}`);
      try {
        yield { name };
        tell(`close ${name}`);
      } catch (error) {
        tell(`close ${name} with ${(error as Error).message}`);
        throw error;
      }
    },
    { scope },
  );
}

const worker = telling('of-worker', 'worker');
const run = telling('of-run', 'run');
const task = telling('of-task', 'task');

@Flow()
class Three {
  @Task()
  async first(ctx: TaskContext): Promise<string> {
    const opened = [await ctx.use(worker), await ctx.use(run), await ctx.use(task), await ctx.use(task)];
    tell('first');
    return opened.map(({ name }) => name).join();
  }

  @Task({ needs: ['first'] })
  async second(names: string, ctx: TaskContext<{ fails?: boolean }>): Promise<string> {
    await Promise.all([ctx.use(worker), ctx.use(run), ctx.use(task)]);
    tell('second');
    if (ctx.params.fails === true) throw new Error('it broke');
    return names;
  }
}

describe('scopes', () => {
  test('each resource is opened once in its scope and closed with it, the last opened first', async () => {
    told.length = 0;
    const ended = await testFlow(Three);
    expect(ended.expectState('Completed').result).toBe('of-worker,of-run,of-task,of-task');
    expect(told).toEqual([
      'open of-worker',
      'open of-run',
      'open of-task',
      'first',
      'close of-task',
      'open of-task',
      'second',
      'close of-task',
      'close of-run',
      'close of-worker',
    ]);
  });

  test('the error of a task is thrown in at the yield of what it has opened, that of the run at those of the run', async () => {
    told.length = 0;
    (await testFlow(Three, { fails: true })).expectState('Failed');
    expect(told.slice(-3)).toEqual(['close of-task with it broke', 'close of-run with it broke', 'close of-worker']);
  });

  test('the body of a code flow uses resources of its run; one of a task is refused', async () => {
    @Flow()
    class Body {
      async run(_params: unknown, ctx: FlowContext): Promise<string> {
        const { name } = await ctx.use(run);
        await ctx.use(task as unknown as typeof run);
        return name;
      }
    }
    told.length = 0;
    const ended = (await testFlow(Body)).expectState('Failed');
    expect(ended.error?.code).toBe('RESOURCE_SCOPE');
    expect(told).toEqual(['open of-run', `close of-run with ${ended.error?.message}`]);
  });

  test('a commit that fails makes its task fail, and the next attempt opens it anew', async () => {
    let commits = 0;
    const unit = resource(
      'unit',
      function* () {
        yield 'open';
        if (++commits === 1) throw new Error('serialisation failure');
      },
      { scope: 'task' },
    );
    @Flow()
    class Commits {
      @Task({ retries: 1 })
      async write(ctx: TaskContext): Promise<string> {
        return ctx.use(unit);
      }
    }
    const ended = (await testFlow(Commits)).expectState('Completed').expectTask('write', 'Completed', { attempts: 2 });
    expect([ended.result, commits]).toEqual(['open', 2]);
  });

  test('a run whose resource cannot be closed fails and is not tried again', async () => {
    const unit = resource('unit', async function* () {
      yield 1;
      throw new Error('disk full');
    });
    @Flow({ retries: 3 })
    class Whole {
      @Task()
      write(ctx: TaskContext): Promise<number> {
        return ctx.use(unit);
      }
    }
    const ended = (await testFlow(Whole)).expectState('Failed').expectTask('write', 'Completed');
    expect(ended.error).toMatchObject({ code: 'RESOURCE_CLOSE_FAILED', message: expect.stringContaining("'unit'") });
    expect(ended.attempt).toBe(1);
  });

  test('objects that can be disposed of are, by what they have, and anything else needs no closing', async () => {
    const disposed: string[] = [];
    const later = resource('later', async () => ({ [Symbol.asyncDispose]: async () => void disposed.push('later') }), { scope: 'task' });
    const now = resource('now', () => ({ [Symbol.dispose]: () => void disposed.push('now') }), { scope: 'task' });
    const plain = resource('plain', () => 7, { scope: 'task' });
    @Flow()
    class Disposes {
      @Task()
      async work(ctx: TaskContext): Promise<number> {
        await ctx.use(later);
        await ctx.use(now);
        return ctx.use(plain);
      }
    }
    expect((await testFlow(Disposes)).result).toBe(7);
    expect(disposed).toEqual(['now', 'later']);
  });
});

describe('keys and nesting', () => {
  test('a resource with a key is opened once for each key', async () => {
    const opened: string[] = [];
    const db = resource('tenant-db', async (_ctx, tenant: string) => {
      opened.push(tenant);
      return `db of ${tenant}`;
    });
    @Flow()
    class Tenants {
      @Task()
      async work(ctx: TaskContext): Promise<string[]> {
        return Promise.all([ctx.use(db, 'a'), ctx.use(db, 'b'), ctx.use(db, 'a')]);
      }
    }
    expect((await testFlow(Tenants)).result).toEqual(['db of a', 'db of b', 'db of a']);
    expect(opened).toEqual(['a', 'b']);
  });

  test('a resource that uses another is closed before it', async () => {
    told.length = 0;
    const inner = telling('inner', 'run');
    const outer = resource(
      'outer',
      async function* (ctx) {
        const { name } = await ctx.use(inner);
        tell('open outer');
        yield `outer of ${name}`;
        tell('close outer');
      },
      { scope: 'run' },
    );
    @Flow()
    class Nested {
      @Task()
      work(ctx: TaskContext): Promise<string> {
        return ctx.use(outer);
      }
    }
    expect((await testFlow(Nested)).result).toBe('outer of inner');
    expect(told).toEqual(['open inner', 'open outer', 'close outer', 'close inner']);
  });
});
