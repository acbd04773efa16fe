import { expect, test } from 'vitest';
import { Flow, Task, type TaskContext } from 'batuta';
import { testFlow } from 'batuta/testing';

@Flow()
class Mails {
  readonly #sender: string;
  constructor(sender: string) {
    this.#sender = sender;
  }

  @Task()
  from(): string {
    return this.#sender;
  }

  @Task({ needs: ['from'], isolate: 'thread' })
  again(from: string, _ctx: TaskContext): string[] {
    return [from, this.#sender];
  }
}

test.each([
  ['at once', () => new Mails('alice')],
  ['later', async () => new Mails('alice')],
])('a flow is made by what gives it %s, with what its constructor takes', async (_when, instantiate) => {
  const run = await testFlow(Mails, {}, { instantiate });
  expect(run.expectState('Completed').result).toEqual(['alice', 'alice']);
});

test.each([
  ['nothing gives what the constructor takes', undefined, 'instantiate in batuta.config.ts'],
  ['the container throws', () => Promise.reject(new Error('no such provider')), 'no such provider'],
  ['the container gives something else', () => new Map(), 'instantiate returned object instead of a Mails'],
])('where %s the run fails with one sentence', async (_when, instantiate, words) => {
  const run = await testFlow(Mails, {}, instantiate ? { instantiate } : {});
  expect(run.expectState('Failed').error).toMatchObject({ code: 'INSTANTIATE_FAILED', message: expect.stringContaining(words) });
});
