/** Limits on the tasks of a tag in processes that run flows themselves. */
import { describe, expect, test } from 'vitest';
import { Flow, type FlowClass, Task } from 'batuta';
import { failing, makeFlow } from '../../support/make-flow.ts';
import { ownEngine, ownEngines } from '../../support/own-engine.ts';
import { makeRoom, type Room, until } from '../../support/room.ts';

describe('a limit on the tasks of a tag', () => {
  const staying = (place: Room, items: number, tags: readonly string[] = ['db']): FlowClass =>
    makeFlow({
      list: { does: () => Array.from({ length: items }, (_, at) => at) },
      stay: { each: 'list', tags, does: (item: number) => place.enter(String(item)) },
    });

  test('as many run at the same time as it has slots, over all runs and processes; the others say what they wait for', async () => {
    const place = makeRoom();
    const engines = await ownEngines(2);
    await engines[0]?.client.limits.set('tag:db', 3);
    const flow = staying(place, 8);
    const handles = await Promise.all(engines.map(({ client }) => client.submit(flow, {}, { name: 'busy' })));
    await until(() => place.count() === 3);
    await until(async () => (await engines[0]?.client.limits.list())?.[0]?.waiting === 13);
    const rows = await Promise.all(
      engines.map(async ({ store }, at) => {
        await store.recorder.flush();
        return store.taskRuns.ofRun(handles[at]?.id ?? '');
      }),
    );
    const waiting = rows.flat().filter(({ state }) => state.name === 'AwaitingSlot');
    expect(waiting).toHaveLength(13);
    expect(waiting.at(-1)?.state.message).toBe('Waits for the limit tag:db (3 of 3 taken, by busy).');
    for (let left = 16; left > 0; left--) await place.letOut();
    for (const handle of handles) expect((await handle.done()).state.name).toBe('Completed');
    expect(place.most()).toBe(3);
    await until(async () => (await engines[0]?.client.limits.list())?.[0]?.held === 0);
  });

  test('a task with two limited tags takes a slot of each, and two such tasks never wait for each other in a circle', async () => {
    const place = makeRoom();
    const at = await ownEngine();
    await at.client.limits.set('tag:a', 1);
    await at.client.limits.set('tag:b', 1);
    const handles = [
      await at.client.submit(staying(place, 3, ['a', 'b'])),
      await at.client.submit(staying(place, 3, ['b', 'a'])),
      await at.client.submit(staying(place, 3, ['a'])),
    ];
    for (let left = 9; left > 0; left--) await place.letOut();
    for (const handle of handles) expect((await handle.done()).state.name).toBe('Completed');
    expect(place.most()).toBe(1);
  });

  test('0 lets nothing run until it is raised; deleting it lets all go', async () => {
    const place = makeRoom();
    const at = await ownEngine();
    await at.client.limits.set('tag:db', 0);
    const handle = await at.client.submit(staying(place, 4));
    await until(async () => (await at.client.limits.list())[0]?.waiting === 4);
    expect(place.count()).toBe(0);
    await at.client.limits.set('tag:db', 1);
    await until(() => place.count() === 1);
    await at.client.limits.delete('tag:db');
    await until(() => place.count() === 4);
    for (let left = 4; left > 0; left--) await place.letOut();
    expect((await handle.done()).state.name).toBe('Completed');
  });

  test('a limit that is lowered lets those that hold a slot finish first', async () => {
    const place = makeRoom();
    const at = await ownEngine();
    await at.client.limits.set('tag:db', 3);
    const handle = await at.client.submit(staying(place, 5));
    await until(() => place.count() === 3);
    await at.client.limits.set('tag:db', 1);
    await place.letOut();
    await place.letOut();
    await until(async () => (await at.client.limits.list())[0]?.held === 1);
    expect(place.order).toHaveLength(3);
    for (let left = 3; left > 0; left--) await place.letOut();
    expect((await handle.done()).state.name).toBe('Completed');
    expect(place.order).toHaveLength(5);
  });

  test('a failed attempt gives its slot back while it waits for the next', async () => {
    const at = await ownEngine();
    await at.client.limits.set('tag:db', 1);
    const tried: string[] = [];
    const attempt = (): never => {
      tried.push('fails');
      return failing()();
    };
    const flow = makeFlow({
      fails: { tags: ['db'], retries: 1, retryDelay: 300, does: attempt },
      other: { tags: ['db'], does: () => void tried.push('other') },
    });
    await (await at.client.submit(flow)).done();
    expect(tried).toEqual(['fails', 'other', 'fails']);
  });

  test('a run that is cancelled gives back what its tasks hold and ends their waits', async () => {
    const place = makeRoom();
    const at = await ownEngine({ settings: { graceMs: 50 } });
    await at.client.limits.set('tag:db', 1);
    const handle = await at.client.submit(staying(place, 3));
    await until(async () => (await at.client.limits.list())[0]?.waiting === 2);
    await handle.cancel();
    expect((await handle.done()).state.type).toBe('CANCELLED');
    await until(async () => {
      const [limit] = await at.client.limits.list();
      return limit?.held === 0 && limit.waiting === 0;
    });
    const rows = await at.store.taskRuns.ofRun(handle.id);
    expect(new Set(rows.map(({ name, state }) => `${name} ${state.type}`))).toEqual(new Set(['list COMPLETED', 'stay CANCELLED']));
  });

  test('tasks of a code flow are held to it too', async () => {
    const place = makeRoom();
    @Flow({ name: 'coded' })
    class Coded {
      async run(): Promise<void> {
        await Promise.all(['x', 'y', 'z'].map((who) => this.stay(who)));
      }
      @Task({ tags: ['db'] })
      async stay(who: string): Promise<void> {
        await place.enter(who);
      }
    }
    const at = await ownEngine();
    await at.client.limits.set('tag:db', 1);
    const handle = await at.client.submit(Coded);
    for (let left = 3; left > 0; left--) await place.letOut();
    await handle.done();
    expect(place.most()).toBe(1);
    expect(place.order).toEqual(['x', 'y', 'z']);
  });

  test('names and numbers that are none are refused in a sentence', async () => {
    const { client } = await ownEngine();
    await expect(client.limits.set('db', 1)).rejects.toMatchObject({
      code: 'NAME_INVALID',
      message: expect.stringContaining('for example tag:db.'),
    });
    await expect(client.limits.set('tag:', 1)).rejects.toMatchObject({ code: 'NAME_INVALID' });
    await expect(client.limits.set('flow:sync', 1)).rejects.toMatchObject({
      code: 'NAME_INVALID',
      message: expect.stringContaining('declared by its flow'),
    });
    await expect(client.limits.set('tag:db', 1.5)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(client.limits.set('tag:db', -1)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await client.limits.set('tag:db', 1);
    await expect(client.limits.delete('tag:bd')).rejects.toMatchObject({
      code: 'LIMIT_NOT_FOUND',
      message: expect.stringContaining("'tag:db'"),
    });
  });
});
