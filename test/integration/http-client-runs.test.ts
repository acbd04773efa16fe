/** Runs over HTTP beside those on the store: the same questions, the same answers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import type { LocalClient } from '../../src/client/local-client.ts';
import type { ListedRun, Run } from '../../src/model/run.ts';
import { submittedIn } from '../../src/model/submitted.ts';
import { openTwoClients, refusalOf, type TwoClients } from '../support/two-clients.ts';

let clients: TwoClients;
let local: LocalClient;
let http: Client;
beforeAll(async () => {
  clients = await openTwoClients();
  ({ local, http } = clients);
});
afterAll(() => clients.close());

function listed({ params: _params, result: _result, resultRef: _ref, ...run }: Run): ListedRun {
  return run;
}

describe('runs over HTTP', () => {
  it('take dates, maps and big integers, and give them back', async () => {
    const params = { at: new Date('2026-03-01T09:00:00Z'), sizes: new Map([['a', 10n]]) };
    const handle = await http.enqueue('typed', params, { name: 'named', tags: ['blue'], priority: 3 });
    expect(await handle.result()).toEqual(params);
    expect(await handle.get()).toMatchObject({ name: 'named', priority: 3, tags: expect.arrayContaining(['blue']) });
    expect(await http.runs.get(handle.id)).toEqual(await local.runs.get(handle.id));
  });

  it('continue the trace they are submitted with, in spread tasks and threads of a worker', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00';
    const handle = await http.enqueue('traced', {}, { traceparent, callerRunId: 'order-17' });
    const sent = (await handle.result()) as Record<string, string>[];
    expect(sent.map((headers) => headers['x-run-id'])).toEqual([handle.id, handle.id]);
    for (const headers of sent) expect(headers['traceparent']).toMatch(/^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-00$/);
    const { params } = await local.runs.get(handle.id);
    expect(submittedIn(params)).toEqual({ traceparent, callerRunId: 'order-17' });
    expect((await http.runs.get(handle.id)).params).toBe(params);
  });

  it('are inspected as on the store, save that the values of tasks stay there', async () => {
    const { id } = await clients.ended('typed', { at: new Date(0) });
    const near = await local.runs.inspect(id);
    const children = near.children.map((child) => listed(child as Run));
    const taskRuns = near.taskRuns.map((taskRun) => ({ ...taskRun, result: null, resultRef: null, resultBytes: null }));
    expect(await http.runs.inspect(id.slice(0, 23))).toEqual({ ...near, children, taskRuns });
    expect(near.artifacts).toHaveLength(1);
    expect(near.resources).toMatchObject([{ resource: "'pool'", closedAt: expect.any(Number) }]);
  });

  it('are listed as on the store, by filters and page by page', async () => {
    const { id } = await clients.ended('fails');
    const all = await local.runs.list({ limit: 100 });
    const first = await http.runs.list({ limit: 2 });
    const second = await http.runs.list({ limit: 2, cursor: first.next ?? '' });
    expect([...first.items, ...second.items]).toEqual(all.items.slice(0, 4).map(listed));
    expect(
      (await http.runs.list({ states: ['failed'], since: Date.now() - 60_000, parentRunId: null })).items.map((run) => run.id),
    ).toEqual([id]);
    expect(await refusalOf(http.runs.list({ limit: 0 }))).toMatchObject(['REQUEST_INVALID', expect.stringContaining('limit')]);
  });

  it('give their log, narrowed by level, place and end', async () => {
    const { id } = await clients.ended('typed', { at: new Date(0) });
    const lines = await local.runs.logs(id);
    expect(await http.runs.logs(id)).toEqual(lines);
    expect(await http.runs.logs(id, { minLevel: 40 })).toEqual(lines.filter(({ level }) => level >= 40));
    expect(await http.runs.logs(id, { tail: 1 })).toEqual(lines.slice(-1));
    expect(await http.runs.logs(id, { after: lines[0]?.seq ?? 0 })).toEqual(lines.slice(1));
  });

  it('are watched to their end, and a result of megabytes arrives', async () => {
    const handle = await http.enqueue('large');
    const states: string[] = [];
    for await (const { run, taskRuns } of http.runs.watch(handle.id)) {
      states.push(run.state.name);
      if (run.endedAt !== null) expect(taskRuns.map(({ name, state }) => [name, state.name])).toEqual([['much', 'Completed']]);
    }
    expect(states.at(-1)).toBe('Completed');
    expect(await handle.result()).toHaveLength(3_000_000);
    expect((await http.runs.inspect(handle.id)).result).toHaveLength(3_000_000);
  });

  it('are watched on through a restart of the server', async () => {
    const handle = await http.enqueue('asks');
    const watching = handle.done();
    await expect
      .poll(async () => (await local.runs.inspect(handle.id)).taskRuns.length + (await local.runs.get(handle.id)).epoch)
      .toBeGreaterThan(0);
    await clients.restart(() => local.runs.signal(handle.id, 'answer', 41));
    expect((await watching).state.name).toBe('Completed');
    expect(await handle.result()).toBe(42);
  });

  it('are cancelled, signalled, tried again and deleted', async () => {
    const asking = await http.enqueue('asks');
    await asking.cancel('not needed');
    expect((await asking.done()).state).toEqual({ type: 'CANCELLED', name: 'Cancelled', message: 'not needed' });
    const answered = await http.enqueue('asks');
    expect(await http.runs.signal(answered.id, 'answer', 1)).toBe(1);
    expect(await answered.result()).toBe(2);
    const failed = await clients.ended('fails');
    expect(await refusalOf((await http.enqueue('fails')).result())).toMatchObject(['RUN_FAILED', expect.stringContaining('ended Failed')]);
    const again = await http.runs.requeue(failed.id, { from: 'good' });
    expect(again).toMatchObject({ id: failed.id, attempt: 2 });
    for await (const { run } of http.runs.watch(failed.id)) if (run.endedAt !== null) expect(run.state.name).toBe('Failed');
    await http.runs.delete(failed.id);
    expect(await refusalOf(http.runs.get(failed.id))).toMatchObject(['RUN_NOT_FOUND', expect.any(String)]);
  });

  it('that fail name the trace they were submitted with in the error of their handle, as those on the store do', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00';
    const refused = await (await http.enqueue('fails', {}, { traceparent })).result().catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'RUN_FAILED', details: { traceId: '4bf92f3577b34da6a3ce929d0e0e4736' } });
    const plain = await (await http.enqueue('fails')).result().catch((error: unknown) => error);
    expect(plain).not.toHaveProperty('details.traceId');
  });

  it('are refused with the codes and sentences of the store', async () => {
    const { id } = await clients.ended('small');
    for (const ask of [
      (client: Client) => client.runs.get('nothing-like-it'),
      (client: Client) => client.runs.cancel(id),
      (client: Client) => client.runs.signal(id, 'answer', 1),
      (client: Client) => client.runs.signal(id, 'bad name!', 1),
      (client: Client) => client.runs.requeue(id),
      (client: Client) => client.enqueue('smal'),
      (client: Client) => client.enqueue('typed', { at: 'never' }),
      (client: Client) => client.enqueue('small', {}, { queue: 'no queue' }),
      (client: Client) => client.flows.get('smal'),
      (client: Client) => client.deployments.get('nothing'),
    ])
      expect(await refusalOf(ask(http))).toEqual(await refusalOf(ask(local)));
  });

  it('are submitted by the thousand in one request, all or none', async () => {
    const before = (await local.runs.list({ flow: 'small', limit: 1000 })).items.length;
    const wanted = Array.from({ length: 1_500 }, (_, at) => ({ queue: 'nobody', idempotencyKey: `many-${at}` }));
    const ids = await http.enqueueMany('small', wanted);
    expect(new Set(ids).size).toBe(1_500);
    expect(await http.enqueueMany('small', wanted.slice(0, 3))).toEqual(ids.slice(0, 3));
    expect(await refusalOf(http.enqueueMany('small', [{ queue: 'nobody' }, { queue: 'no queue' }]))).toMatchObject([
      'NAME_INVALID',
      expect.any(String),
    ]);
    expect((await local.runs.list({ queue: 'nobody', limit: 1000 })).items).toHaveLength(1000);
    expect(before).toBeLessThan(1_000);
    const counted = await http.runs.cancelMany({ filter: { queue: 'nobody' }, dryRun: true });
    expect(counted).toEqual({ matched: 1_500, changed: 1_500, refused: [] });
    expect(await http.runs.cancelMany({ filter: { queue: 'nobody' }, message: 'enough' })).toMatchObject({ changed: 1_500 });
    expect(await http.runs.deleteMany({ ids: ids.slice(0, 10) })).toMatchObject({ matched: 10, changed: 10 });
  });

  it('show their task runs page by page, and counted', async () => {
    const { id } = await clients.ended('many');
    const first = await http.runs.taskRuns(id, { limit: 4 });
    const rest = await http.runs.taskRuns(id, { limit: 4, cursor: first.next ?? '' });
    expect([...first.items, ...rest.items].map(({ key }) => key)).toEqual((await local.runs.inspect(id)).taskRuns.map(({ key }) => key));
    expect((await http.runs.taskRuns(id, { name: 'item', states: ['completed'] })).items).toHaveLength(5);
    expect(await http.runs.taskCounts(id)).toEqual(await local.runs.taskCounts(id));
  });
});
