import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Flow, resource, Task, type TaskContext } from 'batuta';
import { tempDir, temporarily, timer } from 'batuta/resources';
import { testFlow } from 'batuta/testing';
import { describe, expect, it } from 'vitest';
import { ownFolder } from '../../support/own-engine.ts';

/** Runs the work as a task, which may fail. */
async function inTask(work: (ctx: TaskContext) => unknown): Promise<void> {
  @Flow({ name: 'uses-small-resources' })
  class UsesSmallResources {
    @Task({ persist: false })
    async work(ctx: TaskContext): Promise<void> {
      await work(ctx);
    }
  }
  await testFlow(UsesSmallResources);
}

describe('tempDir', () => {
  it('is an empty folder, removed with all in it, also when its scope fails', async () => {
    const scratch = tempDir('scratch');
    const paths: string[] = [];
    for (const fails of [false, true])
      await inTask(async (ctx) => {
        const path = await ctx.use(scratch);
        paths.push(path);
        mkdirSync(join(path, 'a', 'b'), { recursive: true });
        writeFileSync(join(path, 'a', 'b', 'c'), 'x');
        if (fails) throw new Error('on purpose');
      });
    expect(new Set(paths).size).toBe(2);
    expect(paths.map((path) => existsSync(path))).toEqual([false, false]);
  });

  it('stays when its scope fails where one wants to look', async () => {
    const parent = ownFolder();
    const kept = tempDir('kept', { parent, keepOnFailure: true });
    const paths: string[] = [];
    for (const fails of [false, true])
      await inTask(async (ctx) => {
        paths.push(await ctx.use(kept));
        if (fails) throw new Error('on purpose');
      });
    expect(paths.map((path) => [path.startsWith(parent), existsSync(path)])).toEqual([
      [true, false],
      [true, true],
    ]);
  });
});

describe('temporarily', () => {
  it('changes properties as long as its scope, and puts back what there was', async () => {
    const settings: { level: string; extra?: number } = { level: 'info' };
    const quiet = temporarily(settings, { level: 'error', extra: 1 });
    const seen: unknown[] = [];
    await inTask(async (ctx) => {
      expect(await ctx.use(quiet)).toBe(settings);
      seen.push({ ...settings });
      throw new Error('on purpose');
    });
    expect([seen, settings, Object.keys(settings)]).toEqual([[{ level: 'error', extra: 1 }], { level: 'info' }, ['level']]);
  });

  it('of scopes that overlap leaves what there was before all of them, whichever ends last', async () => {
    const settings = { level: 'info' };
    const [a, b] = ['a', 'b'].map((level) => temporarily(settings, { level }, { name: level, scope: 'run' }));
    if (!a || !b) throw new Error('There are two.');
    let endA = (): void => undefined;
    const aEnds = new Promise<void>((resolve) => (endA = resolve));
    const first = inTask(async (ctx) => {
      await ctx.use(a);
      await aEnds;
    });
    await expect.poll(() => settings.level).toBe('a');
    await inTask(async (ctx) => {
      await ctx.use(b);
      expect(settings.level).toBe('b');
      endA();
      await first;
      expect(settings.level).toBe('b');
    });
    expect(settings.level).toBe('info');
  });

  it('refuses what is no object', () => {
    expect(() => temporarily('text' as never, {} as never)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }) as Error);
  });
});

describe('timer', () => {
  it('adds up the parts that are timed, also those that fail', async () => {
    const watch = timer('watch');
    let parts: unknown;
    await inTask(async (ctx) => {
      const stopwatch = await ctx.use(watch);
      await stopwatch.time('read', () => 1);
      await stopwatch.time('read', async () => Promise.reject(new Error('on purpose'))).catch(() => undefined);
      parts = stopwatch.parts();
    });
    expect(parts).toEqual({ read: { ms: expect.any(Number) as number, times: 2 } });
  });
});

describe('ready resources', () => {
  it('say which package is missing, and how it is installed', async () => {
    const { importOptional } = await import('../../../src/base/packages.ts');
    const missingName: string = 'no-such-package';
    const missing = resource('missing', () => importOptional('no-such-package', "mysql('x')", () => import(missingName)));
    let error: unknown;
    await inTask(async (ctx) => {
      await ctx.use(missing).catch((thrown: unknown) => (error = thrown));
    });
    expect(error).toMatchObject({
      code: 'RESOURCE_OPEN_FAILED',
      cause: { code: 'PACKAGE_MISSING', message: expect.stringContaining('npm install no-such-package') as string },
    });
  });
});
