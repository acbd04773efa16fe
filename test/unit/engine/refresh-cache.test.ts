/** Runs that are submitted to make their cached values anew. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Flow, type FlowContext, Task } from 'batuta';
import { testFlow } from 'batuta/testing';
import { makeFlow } from '../../support/make-flow.ts';
import { type OpenEngine, openEngine } from '../../support/open-engine.ts';

let made: string[] = [];
let here: OpenEngine;
beforeEach(async () => {
  here = await openEngine();
});
afterEach(async () => {
  made = [];
  await here.client.close();
});

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
const below = makeFlow({ quote: { cache: '1h', does: () => made.push('quote') } }, { name: 'below' });

@Flow()
class Quotes {
  @Task({ cache: '1h' }) async price(): Promise<number> {
    return made.push('price');
  }
  @Task({ cache: { scope: 'run' } }) async own(): Promise<number> {
    return made.push('own');
  }
  async run(_params: unknown, ctx: FlowContext): Promise<unknown> {
    const price = await this.price();
    await this.own();
    await this.own();
    return [price, await ctx.runFlow(below)];
  }
}

test('refreshCache makes values anew in the run and its sub-flows, for others to find, and leaves those of the run itself alone', async () => {
  const values = async (options: { readonly refreshCache?: boolean } = {}) => {
    await pause();
    return (await here.client.submit(Quotes, {}, options)).result();
  };
  expect(await values()).toEqual([1, 3]);
  expect(await values()).toEqual([1, 3]);
  expect(made).toEqual(['price', 'own', 'quote', 'own']);
  const anew = await values({ refreshCache: true });
  expect(anew).toEqual([5, 7]);
  expect(made.slice(4)).toEqual(['price', 'own', 'quote']);
  expect(await values()).toEqual(anew);
  expect(await values({ refreshCache: false })).toEqual(anew);
});

test('a retry of such a run makes anew what it has not made yet', async () => {
  let isBroken = false;
  const flow = makeFlow({
    first: { cache: '1h', does: () => made.push('first') },
    second: {
      needs: ['first'],
      cache: '1h',
      does: () => {
        if (isBroken) throw new Error('not now');
        return made.push('second');
      },
    },
  });
  await (await here.client.submit(flow)).done();
  await pause();
  isBroken = true;
  const { id } = await (await here.client.submit(flow, {}, { refreshCache: true })).done();
  isBroken = false;
  await pause();
  const again = await here.client.runs.retry(id);
  expect(await again.result()).toBe(4);
  expect(made).toEqual(['first', 'second', 'first', 'second']);
});

test('testFlow takes it as well, and anything but true or false is refused', async () => {
  const flow = makeFlow(
    { list: { does: () => [1, 1] }, item: { each: 'list', cache: '1h', does: (n: number) => made.push(String(n)) } },
    { concurrency: 1 },
  );
  expect((await testFlow(flow)).tasksOf('item').map(({ result }) => result)).toEqual([1, 1]);
  expect((await testFlow(flow, {}, { refreshCache: true })).tasksOf('item').map(({ result }) => result)).toEqual([2, 3]);
  const refused = here.client.submit(flow, {}, { refreshCache: 'yes' as never });
  await expect(refused).rejects.toMatchObject({ code: 'OPTION_INVALID' });
});
