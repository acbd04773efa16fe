/** Flows of the poison tests: one that only waits, and one that does what ends or blocks a process. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Flow, Task, type TaskContext } from 'batuta';

/** Calls a function in the context in which this file was loaded. */
const outside = AsyncLocalStorage.snapshot();

/** Does nothing but wait. */
@Flow()
export class WaitingRun {
  @Task()
  async wait(ctx: TaskContext<{ ms: number }>): Promise<string> {
    await sleep(ctx.params.ms, undefined, { signal: ctx.signal });
    return 'was not to blame';
  }
}

/** Does what it is told, at once. */
@Flow()
export class PoisonRun {
  @Task()
  async work(ctx: TaskContext<{ how: string }>): Promise<string> {
    await poison(ctx.params.how);
    return 'survived';
  }
}

/** The same in a spread task. */
@Flow()
export class SpreadPoisonRun {
  @Task({ spread: true })
  async work(ctx: TaskContext<{ how: string }>): Promise<string> {
    await poison(ctx.params.how);
    return 'survived';
  }
}

async function poison(how: string): Promise<void> {
  switch (how) {
    case 'a loop that never ends':
      for (;;);
    case 'process.exit':
      process.exit(1);
    case 'a floating rejection':
      void Promise.reject(new Error('x'));
      return;
    case 'a throw in a timer':
      setTimeout(() => {
        throw new Error('x');
      });
      return await sleep(1_000);
    case 'out of memory': {
      const held: unknown[] = [];
      for (;;) held.push(Array.from({ length: 1e5 }, Math.random));
    }
    case 'process.abort':
      process.abort();
    case 'SIGKILL from outside':
      execFileSync('kill', ['-9', String(process.pid)]);
      return await sleep(1_000);
    case 'a throw in a microtask':
      queueMicrotask(() => {
        throw new Error('x');
      });
      return await sleep(1_000);
    case 'a throw outside of all runs':
      outside(setTimeout, () => {
        throw new Error('x');
      });
      return await sleep(1_000);
  }
}
