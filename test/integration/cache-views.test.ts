/** The cache and rollbacks over HTTP beside the store: the same questions, the same answers. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Flow, Task } from 'batuta';
import { openTwoClients, refusalOf, type TwoClients } from '../support/two-clients.ts';

@Flow({ name: 'quotes' })
class Quotes {
  @Task()
  async symbols(): Promise<string[]> {
    return ['ABC', 'XYZ', 'ABC'];
  }
  @Task({ each: 'symbols', cache: '1 hour' })
  async quote(symbol: string): Promise<{ symbol: string; at: Date }> {
    return { symbol, at: new Date(0) };
  }
  @Task({ cache: '1 hour' })
  async large(): Promise<string> {
    return 'x'.repeat(300 * 1024);
  }
}

@Flow({ name: 'undoes' })
class Undoes {
  @Task({ rollback: 'undo' })
  async act(): Promise<string> {
    return 'x';
  }
  @Task({ needs: ['act'] })
  async fail(): Promise<void> {
    throw new Error('no');
  }
  undo(): void {
    throw new Error('never');
  }
}

let clients: TwoClients;
let runId = '';
beforeAll(async () => {
  clients = await openTwoClients();
  const handle = await clients.local.submit(Quotes);
  await handle.done();
  runId = handle.id;
  await clients.local.engine.services.cache.close();
});
afterAll(() => clients.close());

test('entries are listed, found and shown alike, with the figures of the whole cache', async () => {
  const { local, http } = clients;
  for (const filter of [{}, { flow: 'quotes', task: 'quote' }, { key: 'xyz' }, { expired: true }, { expired: false, limit: 1 }])
    expect(await http.cache.list(filter)).toEqual(await local.cache.list(filter));
  const { items, totals } = await http.cache.list({ key: '"ABC"' });
  expect(items).toMatchObject([{ flow: 'quotes', task: 'quote', hits: 1, misses: 1, waits: expect.any(Number), runId, scopeRunId: null }]);
  expect(totals).toMatchObject({ entries: 3, hits: 1, misses: 3 });
  const id = items[0]?.id ?? '';
  expect(await http.cache.get(id.slice(0, 8))).toEqual(await local.cache.get(id));
  expect((await http.cache.get(id)).result?.json).toEqual({ symbol: 'ABC', at: '1970-01-01T00:00:00.000Z' });
  const [large] = (await http.cache.list({ task: 'large' })).items;
  expect(await http.cache.get(large?.id ?? '')).toMatchObject({ result: null, isLarge: true });
});

test('an entry that is not there and a filter that does not exist are refused alike', async () => {
  const { local, http } = clients;
  for (const client of [local, http]) {
    expect((await refusalOf(client.cache.get('ffff')))[0]).toBe('CACHE_ENTRY_NOT_FOUND');
    expect((await refusalOf(client.cache.list({ name: 'x' } as object)))[0]).toBe('FILTER_INVALID');
    expect((await refusalOf(client.cache.clear({ name: 'x' } as object)))[0]).toBe('FILTER_INVALID');
  }
});

test('what is cleared over HTTP is made again', async () => {
  const { local, http } = clients;
  expect(await http.cache.clear({ flow: 'quotes', key: 'ABC' })).toEqual({ entries: 1 });
  const handle = await local.submit(Quotes);
  await handle.done();
  const states = (await local.engine.services.store.taskRuns.ofRun(handle.id)).map(({ key, state }) => `${key} ${state.name}`);
  expect(states.filter((line) => line.startsWith('quote')).sort()).toEqual(expect.arrayContaining(['quote[1] Cached']));
  expect(states.filter((line) => line.endsWith('Completed'))).toHaveLength(2);
  const { taskRuns } = await http.runs.inspect(handle.id);
  expect(taskRuns.find(({ key }) => key === 'quote[1]')?.cachedFrom).toMatchObject({ runId });
  expect(await http.cache.clear({})).toEqual({ entries: 3 });
  expect((await local.cache.list()).items).toEqual([]);
});

test('what could not be undone stands with the run', async () => {
  const { local, http } = clients;
  const handle = await local.submit(Undoes);
  await handle.done();
  const { rollback } = await http.runs.inspect(handle.id);
  expect(rollback).toMatchObject({ stage: 'incomplete', undone: 0, remaining: [{ task: 'act', undo: 'undo', message: 'never' }] });
  expect((await local.runs.inspect(handle.id)).rollback).toEqual(rollback);
  expect(await http.runs.rollback(runId)).toBeNull();
});
