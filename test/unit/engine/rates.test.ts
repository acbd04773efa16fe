/** Rates in processes that run flows themselves. */
import { describe, expect, test } from 'vitest';
import { Flow, type FlowClass, type FlowContext, On, Task, type TaskContext } from 'batuta';
import { failing, makeFlow } from '../../support/make-flow.ts';
import type { OpenEngine } from '../../support/open-engine.ts';
import { ownEngine, ownEngines } from '../../support/own-engine.ts';
import { until } from '../../support/room.ts';

/** A flow whose only task has the tag `api`, and notes that it began. */
const tagged = (order: unknown[], options = {}): FlowClass =>
  makeFlow(
    {
      call: {
        tags: ['api'],
        ...options,
        does: (ctx: TaskContext<{ who: string }>) => void order.push(ctx.params.who),
      },
    },
    { name: 'tagged' },
  );

describe('a rate of a tag', () => {
  test('a task beyond it waits and says until when; cancelling its run ends the wait at once', async () => {
    const at = await ownEngine();
    await at.client.limits.setRate('tag:api', { limit: 1, per: '1h' });
    const order: unknown[] = [];
    const flow = tagged(order);
    const first = await at.client.submit(flow, { who: 'a' });
    expect((await first.done()).state.name).toBe('Completed');
    const second = await at.client.submit(flow, { who: 'b' });
    await until(async () => (await at.store.rates.waitsOf(second.id)).length === 1);
    await until(async () => (await at.store.taskRuns.ofRun(second.id))[0]?.state.name === 'AwaitingSlot');
    const [task] = await at.store.taskRuns.ofRun(second.id);
    expect(task?.state.message).toBe('Waits for the rate tag:api (1 in 1 h 00 m).');
    expect(task?.dueAt).toBeGreaterThan(Date.now() + 3_000_000);
    const why = await at.client.runs.why(second.id);
    expect(why).toMatchObject({ kind: 'rate' });
    expect(why?.message).toMatch(/^Its tasks wait: call for the rate tag:api \(1 in 1 h 00 m\)\. The next goes on in .*, at 20/);
    await at.client.runs.cancel(second.id);
    expect((await second.done()).state.name).toBe('Cancelled');
    expect(await at.store.rates.waitsOf(second.id)).toEqual([]);
    expect(order).toEqual(['a']);
  });

  test('each attempt of a task counts', async () => {
    const at = await ownEngine();
    await at.client.limits.setRate('tag:api', { limit: 3, per: '1h' });
    const flow = makeFlow({ call: { tags: ['api'], retries: 2, retryDelay: 0, does: failing() } }, { name: 'failing' });
    expect((await (await at.client.submit(flow, {})).done()).state.name).toBe('Failed');
    await until(async () => (await at.store.rates.views())[0]?.used === 3);
  });

  test('a task that its condition skips takes nothing of it', async () => {
    const at = await ownEngine();
    await at.client.limits.setRate('tag:api', { limit: 1, per: '1h' });
    const flow = makeFlow({ call: { tags: ['api'], when: () => false } }, { name: 'skipping' });
    for (let run = 0; run < 3; run++) expect((await (await at.client.submit(flow, {})).done()).state.name).toBe('Completed');
    expect((await at.store.rates.views())[0]).toMatchObject({ used: 0 });
  });

  test('a key counts each of its values apart', async () => {
    const at = await ownEngine();
    await at.client.limits.setRate('tag:api', { limit: 1, per: '1h', key: '{who}' });
    const order: unknown[] = [];
    const flow = tagged(order);
    for (const who of ['a', 'b']) await (await at.client.submit(flow, { who })).done();
    const third = await at.client.submit(flow, { who: 'a' });
    await until(async () => (await at.store.rates.waitsOf(third.id)).length === 1);
    expect((await at.store.rates.waitsOf(third.id))[0]?.name).toBe('tag:api:a');
    expect(order).toEqual(['a', 'b']);
  });

  test('a value of a key is changed with the whole, and is no other tag', async () => {
    const at = await ownEngine();
    await at.client.limits.setRate('tag:a', { limit: 1, per: '1h', key: '{who}' });
    await at.client.limits.setRate('tag:a:b', { limit: 1, per: '1h' });
    for (const tag of ['a', 'a:b']) {
      const handle = await at.client.submit(tagged([], { tags: [tag] }), { who: 'b' });
      expect((await handle.done()).state.name).toBe('Completed');
    }
    const listed = async () =>
      (await at.client.limits.list()).map(({ name, changeable, held, rate }) => [name, changeable, held, rate?.key]);
    expect(await listed()).toEqual([
      ['tag:a', true, 0, '{who}'],
      ['tag:a:b', false, 1, null],
      ['tag:a:b', true, 1, null],
    ]);
    await at.client.limits.setRate('tag:a', { limit: 5, per: '1h', key: '{who}' });
    expect((await at.client.limits.list()).map(({ slots }) => slots)).toEqual([5, 5, 1]);
    await at.client.limits.delete('tag:a');
    expect(await listed()).toEqual([['tag:a:b', true, 1, null]]);
  });

  test('goes together with a limit of the same tag, whose slot is free while the rate is waited for', async () => {
    const at = await ownEngine();
    await at.client.limits.set('tag:api', 1);
    await at.client.limits.setRate('tag:api', { limit: 1, per: '1h' });
    const order: unknown[] = [];
    const flow = tagged(order);
    await (await at.client.submit(flow, { who: 'a' })).done();
    const second = await at.client.submit(flow, { who: 'b' });
    await until(async () => (await at.store.rates.waitsOf(second.id)).length === 1);
    await until(async () => (await at.store.limits.tagLimitViews())[0]?.held === 0);
    expect(await at.client.limits.list()).toMatchObject([
      { name: 'tag:api', slots: 1, held: 0 },
      { name: 'tag:api', slots: 1, held: 1, waiting: 1, rate: { perMs: 3_600_000 } },
    ]);
    await at.client.limits.delete('tag:api', 'rate');
    expect((await second.done()).state.name).toBe('Completed');
    expect(await at.client.limits.list()).toMatchObject([{ name: 'tag:api', held: 0 }]);
  });
});

describe('a rate of a flow', () => {
  test('runs in several processes share it, wait in them, and go on by themselves', async () => {
    const begun: number[] = [];
    const flow = makeFlow({ step: { does: () => void begun.push(Date.now()) } }, { name: 'rated', rateLimit: { limit: 2, per: 400 } });
    const engines = await ownEngines(2);
    const handles = await Promise.all(Array.from({ length: 8 }, (_, at) => (engines[at % 2] as OpenEngine).client.submit(flow, {})));
    for (const handle of handles) expect((await handle.done()).state.name).toBe('Completed');
    begun.sort((a, b) => a - b);
    const gaps = begun.slice(2).map((at, place) => at - (begun[place] ?? 0));
    expect(gaps.filter((ms) => ms < 400)).toEqual([]);
  });

  test('a run that waits says until when, and is cancelled at once', async () => {
    const at = await ownEngine();
    const flow = makeFlow({ step: {} }, { name: 'rated', rateLimit: { limit: 1, per: '1h' } });
    await (await at.client.submit(flow, {})).done();
    const handle = await at.client.submit(flow, {});
    await until(async () => (await handle.get())?.state.message === 'Waits for the rate flow:rated (1 in 1 h 00 m).');
    const run = await handle.get();
    expect(run?.state.name).toBe('Scheduled');
    expect(run?.dueAt).toBeGreaterThan(Date.now() + 3_000_000);
    expect(await at.client.runs.why(handle.id)).toMatchObject({ kind: 'rate', untilAt: run?.dueAt });
    await at.client.runs.cancel(handle.id);
    expect((await handle.done()).state.name).toBe('Cancelled');
  });

  test('each attempt of a run counts, a sub-flow like any run, and a run that only goes on does not', async () => {
    const at = await ownEngine();
    const child = makeFlow({ step: {} }, { name: 'child', rateLimit: { limit: 5, per: '1h' } });
    @Flow({ name: 'parent', retries: 1, rateLimit: { limit: 10, per: '1h', key: (params: { who: string }) => params.who } })
    class Parent {
      @Task()
      async fail(): Promise<void> {
        throw new Error('it broke');
      }
      async run(_params: { who: string }, ctx: FlowContext): Promise<void> {
        await ctx.runFlow(child, {});
        await this.fail();
      }
    }
    await (await at.client.submit(Parent, { who: 'a' })).done();
    await until(async () => (await at.store.rates.views()).find(({ name }) => name === 'flow:parent:a')?.used === 2);
    expect((await at.store.rates.views()).find(({ name }) => name === 'flow:child')?.used).toBe(1);
  });

  test('a wait for it uses up retries as it would without', async () => {
    const at = await ownEngine();
    const options = { name: 'rated', retries: 1, retryDelay: 0, rateLimit: { limit: 1, per: 600 } };
    const flow = makeFlow({ step: { does: failing() } }, options);
    const handle = await at.client.submit(flow, {});
    expect((await handle.done()).state.name).toBe('Failed');
    expect((await handle.get())?.attempt).toBe(2);
  });

  test('a key that cannot be told fails the run with its reason, once, and its hook is called', async () => {
    const at = await ownEngine();
    const failed: string[] = [];
    @Flow({ name: 'rated', retries: 3, rateLimit: { limit: 1, per: '1h', key: () => null as unknown as string } })
    class Rated {
      @Task()
      step(): void {
        failed.push('step');
      }
      @On('failed')
      tell(): void {
        failed.push('hook');
      }
    }
    const handle = await at.client.submit(Rated, {});
    await expect(handle.result()).rejects.toMatchObject({
      cause: { message: 'The function rateLimit.key must give a text, not null.' },
    });
    expect((await handle.get())?.attempt).toBe(1);
    expect(failed).toEqual(['hook']);
  });
});

describe('a rate that is none', () => {
  const declare =
    (rateLimit: unknown): (() => FlowClass) =>
    () =>
      makeFlow({ step: {} }, { name: 'bad', rateLimit: rateLimit as never });
  test.each([
    [5, 'OPTION_INVALID', "Made: rateLimit must be { limit, per, key? }, for example { limit: 100, per: '1m' }, not 5."],
    [{ limit: 0, per: '1s' }, 'OPTION_INVALID', 'Made: limit of rateLimit must be a whole number from 1 to 1000000, not 0.'],
    [{ limit: 1 }, 'OPTION_INVALID', "Made: per of rateLimit is missing; give the window, for example '1m'."],
    [{ limit: 1, per: '1ms' }, 'OPTION_INVALID', "Made: per of rateLimit must be from 100 ms to 31 d 00 h, not '1ms'."],
    [{ limit: 1, per: 'often' }, 'DURATION_INVALID', /^Made: per of rateLimit: /],
    [{ limit: 1, per: '1s', key: 3 }, 'OPTION_INVALID', /^Made: key of rateLimit must be a template .*, or a function of them, not 3\.$/],
    [{ limit: 1, per: '1s', burst: 3 }, 'OPTION_UNKNOWN', "Made: rateLimit has no option 'burst'. It takes limit, per and key."],
  ])('%j is refused in one sentence', (rateLimit, code, message) => {
    expect(declare(rateLimit)).toThrow(
      expect.objectContaining({ code, message: typeof message === 'string' ? message : expect.stringMatching(message) }),
    );
  });
});
