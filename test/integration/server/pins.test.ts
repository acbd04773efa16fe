/** Pinned runs over HTTP: who sees to what they are pinned, who may change that, and what a deploy says of them. */
import { Flow, type FlowContext, Task } from 'batuta';
import { openHttpClient } from 'batuta/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { definitionOf } from '../../../src/define/definition.ts';
import { type Api, openApi } from '../../support/api.ts';

@Flow({ name: 'asks', version: '1', versioning: 'pin' })
class Asks {
  async run(_: unknown, ctx: FlowContext): Promise<unknown> {
    return await ctx.waitFor('go');
  }
}

@Flow({ name: 'asks', version: '2', versioning: 'pin' })
class AsksAnew {
  @Task() ask(): string {
    return 'anew';
  }
}

let api: Api;
const keys: Record<string, string> = {};
beforeAll(async () => {
  api = await openApi({ loopback: false });
  for (const [name, role] of Object.entries({ ada: 'operator', eve: 'viewer', spy: 'observer' } as const))
    keys[name] = await api.key(role, name);
});
afterAll(() => api.close());
const as = (name: string) => ({ key: keys[name] ?? '' });

/** A pinned run that waits. */
async function pinned(): Promise<string> {
  const { id } = await api.client.submit(Asks, {});
  await expect.poll(async () => (await api.client.runs.pin(id))?.version).toBe('1');
  return id;
}

const beat = (id: string, version: string): Promise<void> =>
  api.client.engine.services.store.workers.beat({
    ...{ id, name: id, version: '1', host: 'elsewhere', pid: 1, queues: ['default'], concurrency: 4, flows: { asks: version } },
    ...{ startedAt: 0, running: 0, lagMs: 0 },
  });

describe('pinned runs over HTTP', () => {
  test('say to what they are pinned, and how many workers have that, to observers too', async () => {
    const id = await pinned();
    await beat('old', '1');
    await beat('new', '2');
    for (const who of ['eve', 'spy']) {
      const { json } = await api.get(`/api/runs/${id}`, as(who));
      expect(json).toMatchObject({ run: { flowVersion: '1' }, pin: { version: '1', workers: 1, pinnedAt: expect.any(String) } });
      const found = (await api.get('/api/runs?pinned=1', as(who))).json.items;
      expect(found).toContainEqual(expect.objectContaining({ id, pinnedTo: '1' }));
      expect((await api.get('/api/runs?pinned=2', as(who))).json.items).toEqual([]);
    }
  });

  test('are unpinned by who may, on record, and only while they are pinned', async () => {
    const id = await pinned();
    expect((await api.post(`/api/runs/${id}/unpin`, {}, as('eve'))).status).toBe(403);
    expect(await api.post(`/api/runs/${id}/unpin`, {}, as('ada'))).toMatchObject({ status: 200, json: { id } });
    expect((await api.get(`/api/runs/${id}`, as('eve'))).json.pin).toBeNull();
    expect(await api.post(`/api/runs/${id}/unpin`, {}, as('ada'))).toMatchObject({
      status: 409,
      json: { error: { code: 'RUN_STATE_REFUSED' } },
    });
    expect(await api.post('/api/runs/none/unpin', {}, as('ada'))).toMatchObject({ status: 404 });
    const changes = (await api.client.audit.list()).items.filter(({ target }) => target === id);
    expect(changes).toMatchObject([{ action: 'runs.unpin', who: 'ada', details: { version: '1' } }]);
  });

  test('are the same by the client over HTTP, one by one and by filter', async () => {
    const [id, other] = [await pinned(), await pinned()];
    const client = openHttpClient({ apiUrl: await api.listen(), apiKey: keys['ada'] ?? '' });
    const local = await api.client.runs.pin(id);
    expect(await client.runs.pin(id)).toEqual(local);
    expect((await client.runs.inspect(id)).pin).toEqual(local);
    expect(await client.runs.unpin(id)).toMatchObject({ id, flow: 'asks' });
    expect(await client.runs.pin(id)).toBeNull();
    const ids = async (): Promise<string[]> => (await client.figures.runs({ pinned: 'any' })).items.map((run) => run.id);
    const before = await ids();
    expect(before).toContain(other);
    expect(before).not.toContain(id);
    const filter = { flow: 'asks', pinned: '1' };
    expect(await client.runs.unpinMany({ filter, dryRun: true })).toEqual({ matched: before.length, changed: before.length, refused: [] });
    expect(await ids()).toEqual(before);
    expect(await client.runs.unpinMany({ filter: { flow: 'asks' } })).toEqual({
      matched: before.length,
      changed: before.length,
      refused: [],
    });
    expect(await ids()).toEqual([]);
    expect(await client.runs.unpinMany({ ids: [id] })).toMatchObject({ changed: 0, refused: [{ id }] });
  });

  test('stand in what a deploy of another version says, by state; a deploy that changes nothing says nothing', async () => {
    const id = await pinned();
    const free = await pinned();
    await api.client.runs.unpin(free);
    const deploy = (flow: typeof Asks | typeof AsksAnew) => api.client.deployments.deploy([{ flow: definitionOf(flow), name: 'daily' }]);
    const touched = (await deploy(AsksAnew))[0]?.touched;
    expect(Object.keys(touched?.pinned ?? {})).toEqual(['Running']);
    expect(touched?.pinned.Running).toBeGreaterThan(0);
    expect(touched?.continuing.Running).toBeGreaterThan(0);
    expect((await deploy(AsksAnew))[0]).toMatchObject({ outcome: 'unchanged', touched: null });
    expect((await deploy(Asks))[0]).toMatchObject({ outcome: 'changed', touched: null });
    await api.client.runs.cancel(id);
    expect((await api.client.runs.inspect(id)).pin).toMatchObject({ version: '1' });
  });
});
