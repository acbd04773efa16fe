/** The end of a code flow's body: tasks that wait for their next attempt, or to begin, are dropped like its other waits. */
import { describe, expect, test } from 'vitest';
import { Flow, type FlowContext, Task } from 'batuta';
import { testFlow } from 'batuta/testing';
import { gate } from '../../support/make-flow.ts';
import type { OpenEngine } from '../../support/open-engine.ts';
import { ownEngine } from '../../support/own-engine.ts';
import { until } from '../../support/room.ts';

const droppedText = 'The flow ended without it.';

let calls = 0;

/** Its body settles, on a signal, beside a task that waits for something. */
abstract class Beside {
  abstract waits(): Promise<string>;

  async run(params: { readonly fails?: boolean }, ctx: FlowContext): Promise<string> {
    void this.waits().finally(() => calls++);
    await Promise.race([this.waits(), ctx.waitFor('go')]);
    if (params.fails === true) throw new Error('it broke');
    return 'done';
  }
}

@Flow()
class Retried extends Beside {
  @Task({ retries: 3, retryDelay: '1 day' })
  async waits(): Promise<string> {
    throw new Error('not yet');
  }
}

@Flow()
class Tagged extends Beside {
  @Task({ tags: ['api'] })
  async waits(): Promise<string> {
    return 'begun';
  }
}

const making = gate();

@Flow()
class Cached extends Beside {
  @Task({ cache: { ttl: '1 hour', key: 'one' } })
  async waits(): Promise<string> {
    await making.opened;
    return 'made';
  }
}

interface Wait {
  readonly name: string;
  readonly flow: new () => Beside;
  readonly state: string;
  readonly prepare: (at: OpenEngine) => Promise<unknown>;
}
const waits: readonly Wait[] = [
  { name: 'its next attempt', flow: Retried, state: 'AwaitingRetry', prepare: async () => undefined },
  { name: 'a slot of a limit', flow: Tagged, state: 'AwaitingSlot', prepare: ({ client }) => client.limits.set('tag:api', 0) },
  {
    name: 'a rate',
    flow: Tagged,
    state: 'AwaitingSlot',
    prepare: async ({ client }) => {
      await client.limits.setRate('tag:api', { limit: 1, per: '1h' });
      await (await client.submit(OneCall, {})).done();
    },
  },
  {
    name: 'a value that another run makes',
    flow: Cached,
    state: 'Scheduled',
    prepare: async ({ client, store }) => {
      const maker = await client.submit(Cached, {});
      await until(async () => {
        await store.recorder.flush();
        return (await store.taskRuns.ofRun(maker.id)).some(({ state }) => state.name === 'Running');
      });
    },
  },
];

@Flow()
class OneCall {
  @Task({ tags: ['api'] })
  async call(): Promise<void> {
    // Uses up the rate.
  }
}

describe.each(waits)('a task that waits for $name', ({ flow, state, prepare }) => {
  test.each([false, true])('is Cancelled at once when the body has settled (it throws: %s)', async (fails) => {
    calls = 0;
    const at = await ownEngine();
    await prepare(at);
    const handle = await at.client.submit(flow, { fails });
    const rows = async () => (await at.store.taskRuns.ofRun(handle.id)).filter(({ name }) => name === 'waits');
    await until(async () => {
      await at.store.recorder.flush();
      const found = await rows();
      return found.length === 2 && found.every((row) => row.state.name === state);
    });
    await at.client.runs.signal(handle.id, 'go', 1);
    const run = await handle.done();
    expect(`${run.state.name} ${run.state.message ?? ''}`).toBe(fails ? 'Failed it broke' : 'Completed ');
    for (const row of await rows())
      expect(row).toMatchObject({ dueAt: null, state: { type: 'CANCELLED', name: 'Cancelled', message: droppedText } });
    // What the body would do next does not happen.
    expect(calls).toBe(0);
    await until(async () => (await at.client.limits.list()).every(({ waiting }) => waiting === 0));
  });
});

test.each([
  ['a body that fails drops', true, ['first']],
  ['a body that returns leaves', false, ['first', 'second']],
])('%s what waits for a place of its run', async (_, fails, executed) => {
  const begun: string[] = [];
  const { opened, open } = gate();
  @Flow({ concurrency: 1 })
  class Narrow {
    async run(): Promise<string> {
      void this.slow('first');
      void this.slow('second');
      if (fails) throw new Error('it broke');
      return 'early';
    }
    @Task()
    async slow(name: string): Promise<void> {
      begun.push(name);
      await opened;
    }
  }
  const at = await ownEngine();
  const handle = await at.client.submit(Narrow);
  const rows = async () => (await at.store.recorder.flush(), at.store.taskRuns.ofRun(handle.id));
  await until(async () => begun.length > 0 && (!fails || (await rows()).some(({ state }) => state.message === droppedText)));
  expect((await at.client.runs.get(handle.id)).state.name).toBe('Running');
  open();
  expect((await handle.done()).state.name).toBe(fails ? 'Failed' : 'Completed');
  expect(begun).toEqual(executed);
});

test('a free slot is still taken by what was called before the body settled', async () => {
  @Flow()
  class Quick {
    async run(): Promise<string> {
      void this.call();
      return 'early';
    }
    @Task({ tags: ['api'], cache: '1 hour' })
    async call(): Promise<string> {
      return 'called';
    }
  }
  const at = await ownEngine();
  await at.client.limits.set('tag:api', 1);
  const handle = await at.client.submit(Quick);
  expect(await handle.result()).toBe('early');
  expect((await at.store.taskRuns.ofRun(handle.id)).map(({ state }) => state.name)).toEqual(['Completed']);
});

test('a task under way when the body settles is tried again at once, but not after a delay', async () => {
  const { opened, open } = gate();
  const tried: string[] = [];
  const attempt = async (name: string): Promise<never> => {
    tried.push(name);
    await opened;
    throw new Error(`${name} is not ready`);
  };
  @Flow()
  class UnderWay {
    async run(): Promise<string> {
      void this.soon();
      void this.later();
      return 'early';
    }
    @Task({ retries: 1 })
    soon(): Promise<never> {
      return attempt('soon');
    }
    @Task({ retries: 1, retryDelay: '1 day' })
    later(): Promise<never> {
      return attempt('later');
    }
  }
  const at = await ownEngine();
  const handle = await at.client.submit(UnderWay);
  await until(() => tried.length === 2);
  open();
  const run = await handle.done();
  const rows = new Map((await at.store.taskRuns.ofRun(run.id)).map((row) => [row.name, row]));
  expect(tried.toSorted()).toEqual(['later', 'soon', 'soon']);
  expect(rows.get('later')).toMatchObject({
    state: { name: 'Cancelled', message: droppedText },
    error: { message: 'later is not ready' },
  });
  expect(rows.get('soon')?.state).toMatchObject({ name: 'Failed', message: 'soon is not ready' });
});

test('the next attempt of the flow waits for its own delay, and runs what was dropped', async () => {
  let attempts = 0;
  @Flow({ retries: 1, retryDelay: '1h' })
  class Again {
    async run(): Promise<readonly string[]> {
      attempts++;
      return Promise.all([this.flaky(), attempts === 1 ? this.fail() : 'fine']);
    }
    @Task({ retries: 1, retryDelay: '1 day' })
    async flaky(): Promise<string> {
      if (attempts === 1) throw new Error('not yet');
      return 'steady';
    }
    @Task()
    async fail(): Promise<never> {
      throw new Error('it broke');
    }
  }
  const run = await testFlow(Again);
  run.expectState('Completed');
  expect([run.result, run.waitedMs]).toEqual([['steady', 'fine'], 3_600_000]);
});

test('a rollback after it is tried again after its delay', async () => {
  let undone = 0;
  @Flow()
  class Undone {
    async run(): Promise<void> {
      await this.pay();
      throw new Error('it broke');
    }
    @Task({ rollback: 'refund' })
    async pay(): Promise<string> {
      return 'paid';
    }
    @Task({ retries: 1, retryDelay: '1h' })
    async refund(_paid: string): Promise<void> {
      if (++undone === 1) throw new Error('not yet');
    }
  }
  const run = await testFlow(Undone);
  expect([run.state.message, undone, run.waitedMs]).toEqual(['it broke Rolled back: 1 task was undone.', 2, 3_600_000]);
});
