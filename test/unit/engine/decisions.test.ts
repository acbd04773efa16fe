import { describe, expect, test } from 'vitest';
import { type Duration, Flow, type FlowContext, Task } from 'batuta';
import { fakeClock, testFlow } from 'batuta/testing';
import { z } from 'zod';
import { ownEngine, ownEngines } from '../../support/own-engine.ts';

const price = z.object({ euros: z.coerce.number().max(100), day: z.date().optional() });

@Flow()
class Approves {
  async run(_: unknown, ctx: FlowContext): Promise<unknown> {
    return await ctx.waitFor('approve', { title: 'Publish the report?', timeout: '2 days' });
  }
}

describe('a flow that waits for a decision', () => {
  test('goes on with what was decided', async () => {
    const run = await testFlow(Approves, {}, { decisions: { approve: { approved: true, comment: 'fine' } } });
    expect(run.result).toEqual({ approved: true, comment: 'fine' });
    expect(run.inspection.taskRuns).toMatchObject([{ name: 'inbox:approve', state: { name: 'Completed' } }]);
  });

  test('fails when nobody decides in time, or goes on with the answer that it names for that', async () => {
    const clock = fakeClock();
    const late = await testFlow(Approves, {}, { clock });
    late.expectState('Failed').expectTask('inbox:approve', 'TimedOut');
    expect(late.error).toMatchObject({ code: 'WAIT_TIMED_OUT', message: 'Nobody has decided within 2 d 00 h: Publish the report?.' });
    expect(clock.elapsedMs).toBeGreaterThanOrEqual(2 * 86_400_000);
    @Flow()
    class Otherwise {
      async run(_: unknown, ctx: FlowContext): Promise<boolean> {
        return (await ctx.waitFor('approve', { title: 'Go on?', timeout: '1h', onTimeout: { approved: false } })).approved;
      }
    }
    expect((await testFlow(Otherwise)).result).toBe(false);
  });

  test('is given what its schema makes of the answer, and asks again where that refuses it', async () => {
    @Flow()
    class Prices {
      async run(_: unknown, ctx: FlowContext): Promise<number> {
        const { euros } = await ctx.waitFor('price', {
          title: 'What does it cost?',
          schema: price.refine(({ euros: it }) => it !== 13, 'no thirteen'),
        });
        return euros + 1;
      }
    }
    const { client } = await ownEngine({ flows: [Prices] });
    const handle = await client.submit(Prices);
    const item = await untilAsked(client);
    expect(item).toMatchObject({
      title: 'What does it cost?',
      flow: 'prices',
      schema: { type: 'object', properties: { euros: { maximum: 100 } } },
    });
    await expect(client.inbox.decide(item.id, { euros: 101 })).rejects.toMatchObject({
      code: 'DECISION_INVALID',
      details: { issues: [{ path: 'euros' }] },
    });
    // The form cannot know this; the flow does.
    await client.inbox.decide(item.id, { euros: 13 });
    await expect.poll(async () => (await client.inbox.get(item.id)).problem).toBe('no thirteen');
    expect(await client.inbox.decide(handle.id, { euros: 12 })).toMatchObject({
      status: 'decided',
      decidedBy: 'local',
      decidedVia: 'client',
      data: { json: { euros: 12 } },
    });
    expect(await handle.result()).toBe(13);
    await expect(client.inbox.decide(item.id, { euros: 1 })).rejects.toMatchObject({
      code: 'DECISION_REFUSED',
      message: expect.stringContaining('decided already, by local at '),
    });
    // A test has nobody to ask again.
    expect((await testFlow(Prices, {}, { decisions: { price: { euros: 13 } } })).error).toMatchObject({
      code: 'DECISION_INVALID',
      message: "The flow refuses what the test decides for 'price': no thirteen",
    });
  });

  test('waits for several of one name one after the other, and each has its own answer', async () => {
    @Flow()
    class Twice {
      async run(_: unknown, ctx: FlowContext): Promise<unknown[]> {
        return [(await ctx.waitFor('ok', { title: 'First?' })).comment, (await ctx.waitFor('ok', { title: 'Second?' })).comment];
      }
    }
    const run = await testFlow(
      Twice,
      {},
      {
        decisions: {
          ok: [
            { approved: true, comment: 'a' },
            { approved: true, comment: 'b' },
          ],
        },
      },
    );
    expect(run.result).toEqual(['a', 'b']);
  });

  test('tells people once: over a crash the links it gives them are the same', async () => {
    const sent: string[] = [];
    @Flow()
    class Mails {
      async run(_: unknown, ctx: FlowContext): Promise<boolean> {
        const notify = ({ link, url }: { link: (value: unknown) => string; url: string }) =>
          this.mail(`${url} ${link({ approved: true })}`);
        return (await ctx.waitFor('approve', { title: 'Go?', notify })).approved;
      }
      @Task() async mail(text: string): Promise<void> {
        sent.push(text);
      }
    }
    const addresses = { pageOf: (id: string) => `page/${id}`, linkTo: (link: object) => `link/${JSON.stringify(link)}` };
    const [first, second] = await ownEngines(2, { flows: [Mails], decisionAddresses: addresses });
    if (!first || !second) throw new Error('There are no engines.');
    const handle = await first.client.submit(Mails);
    const item = await untilAsked(first.client);
    await expect.poll(() => sent.length).toBe(1);
    await first.engine.handBack(0);
    const again = await second.client.runs.resume(handle.id);
    await second.client.inbox.decide(item.id, { approved: true });
    expect(await again.result()).toBe(true);
    expect(sent).toEqual([
      `page/${item.id} link/${JSON.stringify({ itemId: item.id, value: '{"json":{"approved":true}}', for: null, expiresAt: item.createdAt + 7 * 86_400_000 })}`,
    ]);
  });

  test('is not suspended while it tells people', async () => {
    const steps: string[] = [];
    @Flow()
    class Both {
      async run(_: unknown, ctx: FlowContext): Promise<unknown> {
        const notify = async (): Promise<void> => {
          steps.push('begun');
          await new Promise((resolve) => setTimeout(resolve, 600));
          await this.mail();
        };
        return await Promise.all([ctx.waitFor('a', { title: 'A?' }), ctx.waitFor('b', { title: 'B?', notify })]);
      }
      @Task() async mail(): Promise<void> {
        steps.push('told');
      }
    }
    const { client } = await ownEngine({ flows: [Both], settings: { suspendOverMs: 100 } });
    const handle = await client.submit(Both);
    expect((await handle.done()).state.name).toBe('Suspended');
    expect(steps).toEqual(['begun', 'told']);
  });

  test('can be decided, in its new time, when its run was cancelled and is tried again', async () => {
    const timeouts = ['1 day', '2 days'];
    @Flow()
    class Again {
      async run(_: unknown, ctx: FlowContext): Promise<boolean> {
        return (await ctx.waitFor('approve', { title: 'Go?', timeout: timeouts.shift() as Duration })).approved;
      }
    }
    const { client } = await ownEngine({ flows: [Again] });
    const handle = await client.submit(Again);
    const item = await untilAsked(client);
    await client.runs.cancel(handle.id);
    await handle.done();
    const again = await client.runs.retry(handle.id);
    const dayMs = 86_400_000;
    await expect.poll(async () => (await client.inbox.get(item.id)).dueAt).toBeGreaterThan((item.dueAt ?? 0) + dayMs / 2);
    const anew = await client.inbox.get(item.id);
    expect([anew.status, (anew.dueAt ?? 0) - anew.createdAt]).toEqual(['open', 2 * dayMs]);
    await client.inbox.decide(item.id, { approved: true });
    expect(await again.result()).toBe(true);
  });

  test.each([
    [{ title: '' }, 'title must be one line'],
    [{ title: 'a\nb' }, 'title must be one line'],
    [{ schema: z.object({}) }, 'title must be one line'],
    [{ title: 'a', schema: z.string() }, 'schema must be that of an object'],
  ])('is refused with the options %j', async (options, message) => {
    @Flow()
    class Wrong {
      async run(_: unknown, ctx: FlowContext): Promise<unknown> {
        return await ctx.waitFor('x', options as { title: string });
      }
    }
    expect((await testFlow(Wrong)).error).toMatchObject({ code: 'OPTION_INVALID', message: expect.stringContaining(message) });
  });

  test('takes no signal for a decision', async () => {
    const { client } = await ownEngine({ flows: [Approves] });
    const handle = await client.submit(Approves);
    await untilAsked(client);
    await expect(client.runs.signal(handle.id, 'inbox:approve', { approved: true })).rejects.toMatchObject({ code: 'NAME_INVALID' });
    await client.runs.signal(handle.id, 'approve', { approved: true });
    expect((await client.inbox.get(handle.id)).status).toBe('open');
    await client.runs.cancel(handle.id);
    await expect.poll(async () => (await client.inbox.list({ status: 'withdrawn' })).items.length).toBe(1);
  });
});

async function untilAsked(client: Awaited<ReturnType<typeof ownEngine>>['client']) {
  await expect.poll(async () => (await client.inbox.list()).items.length).toBe(1);
  const [item] = (await client.inbox.list()).items;
  if (!item) throw new Error('Nothing is asked.');
  return item;
}
