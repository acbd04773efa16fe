/** Starts under a rate that come later than their passes allow: whatever holds them up, no window holds more of them. */
import { Flow, type FlowClass, type FlowContext, Inject, resource, Task } from 'batuta';
import { expect, test } from 'vitest';
import { openStore } from '../../../src/store/open.ts';
import type { RateStore, Store } from '../../../src/store/store.ts';
import { makeFlow } from '../../support/make-flow.ts';
import { ownEngine } from '../../support/own-engine.ts';

const limit = 4;
const perMs = 400;
/** Longer than a pass is valid, and than its place counts unconfirmed, ms. */
const holdsMs = 900;
const begun: number[] = [];
let besides = 0;

function hold(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Begins, and the first of all holds the process up. */
function begin(): void {
  begun.push(Date.now());
  if (begun.length === 1) hold(holdsMs);
}

const rate = { rateLimit: { limit, per: perMs } };
const slow = resource('slow', async () => await new Promise<number>((resolve) => setTimeout(resolve, holdsMs, 1)), { scope: 'worker' });

@Flow({ name: 'opening', ...rate })
class Opening {
  @Inject(slow) readonly slow!: number;

  @Task()
  step(): void {
    begin();
  }

  @Task()
  beside(): void {
    besides++;
  }
}

@Flow({ name: 'coding', ...rate })
class Coding {
  async run(): Promise<void> {
    begin();
  }
}

const flows: Readonly<Record<string, FlowClass>> = {
  'code of another run': makeFlow({ step: { does: begin } }, { name: 'holding', ...rate }),
  'the body of another run': Coding,
  'a resource that is opened slowly': Opening,
};

test.each(Object.keys(flows))('no window holds more starts than its rate allows, held up by %s', async (what) => {
  begun.length = 0;
  const at = await ownEngine();
  const handles = await Promise.all(Array.from({ length: 3 * limit }, () => at.client.submit(flows[what] as FlowClass, {})));
  for (const handle of handles) expect((await handle.done()).state.name).toBe('Completed');
  expect(begun).toHaveLength(3 * limit);
  begun.sort((a, b) => a - b);
  const gaps = begun.slice(limit).map((one, place) => one - (begun[place] ?? 0));
  expect(gaps.filter((ms) => ms < perMs)).toEqual([]);
});

test('nor of tasks under the rate of a tag, held up by another', async () => {
  begun.length = 0;
  const at = await ownEngine();
  await at.client.limits.setRate('tag:api', { limit, per: perMs });
  const flow = makeFlow({ step: { tags: ['api'], does: begin } }, { name: 'tagged' });
  const handles = await Promise.all(Array.from({ length: 3 * limit }, () => at.client.submit(flow, {})));
  for (const handle of handles) expect((await handle.done()).state.name).toBe('Completed');
  begun.sort((a, b) => a - b);
  const gaps = begun.slice(limit).map((one, place) => one - (begun[place] ?? 0));
  expect(gaps.filter((ms) => ms < perMs)).toEqual([]);
});

/** A full rate, once somebody has given a place back. */
async function storeFullAfter(): Promise<Store> {
  const store = await openStore({ url: 'sqlite::memory:' });
  let isFull = false;
  const waitMs = 3_600_000;
  const ask: RateStore['ask'] = (wishes, options) =>
    isFull
      ? Promise.resolve(wishes.map(() => ({ granted: false, waitMs, nextAt: Date.now() + waitMs, name: 'flow:opening', limit, perMs })))
      : store.rates.ask(wishes, options);
  const giveBack: RateStore['giveBack'] = async (starts) => {
    isFull = true;
    await store.rates.giveBack(starts);
  };
  return Object.create(store, { rates: { value: { ...store.rates, ask, giveBack } } }) as Store;
}

@Flow({ name: 'calling' })
class Calling {
  async run(_params: unknown, ctx: FlowContext): Promise<void> {
    await ctx.runFlow(Opening, {});
  }
}

test.each([
  ['a run', Opening],
  ['a sub-flow', Calling],
] as const)('%s that waits for another turn, far away, still has to begin when it goes on', async (_, flow) => {
  [begun.length, besides] = [0, 0];
  const at = await ownEngine({ store: await storeFullAfter(), flows: [Opening, Calling], settings: { suspendOverMs: 100 } });
  const handle = await at.client.submit(flow, {});
  await handle.done();
  for (let round = 0; round < 2; round++) {
    const waiting = (await at.store.runs.list({ flow: 'opening' })).items;
    expect(waiting.map(({ state }) => state.name)).toEqual(['Scheduled']);
    await (await at.client.runs.resume(handle.id)).done();
  }
  expect([begun, besides]).toEqual([[], 0]);
});

test('a run under a rate whose task is under another has begun in both: what is held up later asks no more', async () => {
  const at = await ownEngine({ store: await storeFullAfter() });
  await at.client.limits.setRate('tag:api', { limit: 5, per: '1h' });
  const wait = async (): Promise<void> => void (await new Promise((resolve) => setTimeout(resolve, holdsMs)));
  const tasks = { first: { tags: ['api'], does: wait }, second: { after: ['first'], does: () => undefined } };
  const flow = makeFlow(tasks, { name: 'both', rateLimit: { limit: 5, per: '1h' } });
  // Whoever gives a place back gets none in this store.
  expect((await (await at.client.submit(flow, {})).done()).state.name).toBe('Completed');
});
