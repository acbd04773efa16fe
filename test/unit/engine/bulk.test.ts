/** What is asked of many runs at once, and a retry by the workers. */
import { Flow, Task } from 'batuta';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { NewRun } from '../../../src/store/store.ts';
import { stateOf } from '../../../src/model/state.ts';
import { definitionOf } from '../../../src/define/definition.ts';
import { newRun } from '../../contract/store/rows.ts';
import { type OpenEngine, openEngine } from '../../support/open-engine.ts';

let failing = true;

@Flow()
class Ledger {
  @Task()
  async read(): Promise<number> {
    return 1;
  }

  @Task({ needs: ['read'] })
  async book(value: number): Promise<number> {
    if (failing) throw new Error('The ledger is closed.');
    return value + 1;
  }

  @Task({ needs: ['book'] })
  async report(value: number): Promise<number> {
    return value;
  }
}

let here: OpenEngine;
beforeEach(async () => {
  failing = true;
  here = await openEngine({ flows: [Ledger] });
});
afterEach(() => here.client.close());

const at = Date.now() - 60_000;

async function add(changes: Partial<NewRun>): Promise<string> {
  const run = newRun({ flow: 'a', createdAt: at, ...changes });
  await here.store.runs.insert(run);
  return run.id;
}

test('runs that fit a filter are cancelled, those that have ended are left alone', async () => {
  for (let index = 0; index < 12; index += 1) await add({ state: stateOf('SCHEDULED'), tags: ['old'] });
  const other = await add({ state: stateOf('SCHEDULED') });
  await add({ state: stateOf('COMPLETED'), tags: ['old'] });
  const { runs } = here.client;
  expect(await runs.cancelMany({ filter: { tag: 'old' }, dryRun: true })).toEqual({ matched: 12, changed: 12, refused: [] });
  expect((await runs.list({ states: ['CANCELLED'] })).items).toEqual([]);
  expect(await runs.cancelMany({ filter: { tag: 'old' }, message: 'Enough.' })).toEqual({ matched: 12, changed: 12, refused: [] });
  const cancelled = await runs.list({ states: ['CANCELLED'] });
  expect(cancelled.items).toHaveLength(12);
  expect(new Set(cancelled.items.map(({ state }) => state.message))).toEqual(new Set(['Enough.']));
  expect((await runs.get(other)).state.type).toBe('SCHEDULED');
  expect(await runs.cancelMany({ filter: { tag: 'old' } })).toEqual({ matched: 0, changed: 0, refused: [] });
});

test('runs that were named are each refused with the reason', async () => {
  const { runs } = here.client;
  const [done, waiting] = [await add({ state: stateOf('COMPLETED') }), await add({ state: stateOf('SCHEDULED') })];
  const report = await runs.deleteMany({ ids: [done, waiting, 'nonesuch', done] });
  expect(report).toMatchObject({ matched: 2, changed: 1 });
  expect(report.refused.map(({ id }) => id).sort()).toEqual([waiting, 'nonesuch'].sort());
  expect(report.refused.find(({ id }) => id === waiting)?.message).toMatch(/Scheduled: it has not ended/);
  await expect(runs.get(done)).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
  await expect(runs.deleteMany({})).rejects.toMatchObject({ code: 'FILTER_INVALID' });
  await expect(runs.deleteMany({ ids: [], filter: {} })).rejects.toMatchObject({ code: 'FILTER_INVALID' });
});

test('a filter with many pages is worked through to its end', async () => {
  await here.store.fleet.insertMany(
    Array.from({ length: 1_203 }, () => ({
      run: newRun({ flow: 'many', createdAt: at, state: stateOf('SCHEDULED') }),
      idempotencyKey: null,
    })),
  );
  expect(await here.client.runs.cancelMany({ filter: { flow: 'many' } })).toMatchObject({ matched: 1_203, changed: 1_203 });
  expect(await here.client.runs.deleteMany({ filter: { flow: 'many' } })).toMatchObject({ matched: 1_203, changed: 1_203 });
  expect((await here.client.runs.list({ flow: 'many' })).items).toEqual([]);
});

test('a run that failed waits for the workers again, from a chosen task on', async () => {
  const { client, store } = here;
  const handle = await client.submit(Ledger);
  await handle.done();
  expect((await client.runs.taskCounts(handle.id)).map(({ name, state, count }) => `${name} ${state} ${count}`)).toEqual([
    'read Completed 1',
    'book Failed 1',
    'report UpstreamFailed 1',
  ]);
  await expect(client.runs.requeue(handle.id, { from: 'bok' })).rejects.toMatchObject({ code: 'USAGE', message: /book/ });
  const again = await client.runs.requeue(handle.id, { from: 'book' });
  expect(again).toMatchObject({ attempt: 2, owner: null, state: { type: 'SCHEDULED' } });
  expect((await store.taskRuns.ofRun(handle.id)).map(({ state }) => state.type)).toEqual(['COMPLETED', 'SCHEDULED', 'SCHEDULED']);
  await expect(client.runs.requeue(handle.id)).rejects.toMatchObject({ code: 'RUN_STATE_REFUSED' });
  failing = false;
  const claimed = await here.engine.claim(handle.id);
  expect(claimed).not.toBeNull();
  if (claimed) await (await here.engine.execute(claimed, definitionOf(Ledger))).ended;
  expect((await client.runs.get(handle.id)).state.type).toBe('COMPLETED');
});

test('task runs come in pages, by name and state', async () => {
  const { client } = here;
  const handle = await client.submit(Ledger);
  await handle.done();
  const first = await client.runs.taskRuns(handle.id, { limit: 2 });
  expect(first.items.map(({ name }) => name)).toEqual(['read', 'book']);
  const second = await client.runs.taskRuns(handle.id, { limit: 2, cursor: first.next ?? '' });
  expect(second.items.map(({ name }) => name)).toEqual(['report']);
  expect(second.next).toBeNull();
  expect((await client.runs.taskRuns(handle.id, { states: ['failed', 'UpstreamFailed'] })).items).toHaveLength(2);
  expect((await client.runs.taskRuns(handle.id, { name: 'read', states: ['FAILED'] })).items).toEqual([]);
  await expect(client.runs.taskRuns(handle.id, { states: ['nonsense'] })).rejects.toMatchObject({ code: 'FILTER_INVALID' });
  await expect(client.runs.taskRuns(handle.id, { limit: 0 })).rejects.toMatchObject({ code: 'FILTER_INVALID' });
});
