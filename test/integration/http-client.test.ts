/** What is not a run, over HTTP beside the store: the same questions, the same answers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import type { LocalClient } from '../../src/client/local-client.ts';
import type { TagRate } from '../../src/model/rate.ts';
import { openHttpClient } from '../../src/client/http/open.ts';
import { openTwoClients, refusalOf, type TwoClients } from '../support/two-clients.ts';

let clients: TwoClients;
let local: LocalClient;
let http: Client;
beforeAll(async () => {
  clients = await openTwoClients();
  ({ local, http } = clients);
});
afterAll(() => clients.close());

describe('the rest over HTTP', () => {
  it('flows, artifacts and figures', async () => {
    await clients.ended('typed', { at: new Date(0) });
    expect(await http.flows.list()).toEqual(await local.flows.list());
    expect(await http.flows.get('typed')).toEqual(await local.flows.get('typed'));
    expect(await http.artifacts.list({ kind: 'markdown' })).toEqual(await local.artifacts.list({ kind: 'markdown' }));
    for (const ask of [
      (client: Client) => client.figures.runs({ flow: 'typed' }),
      (client: Client) => client.figures.flow('typed'),
      (client: Client) => client.figures.taskWorkers('typed'),
      (client: Client) => client.figures.flows(),
      (client: Client) => client.figures.days({ flow: 'typed' }),
      (client: Client) => client.figures.facets(),
      (client: Client) => client.figures.queues().then((queues) => queues.map(({ name, workers }) => [name, workers])),
      (client: Client) => client.figures.workers().then((workers) => workers.map(({ id, name, flows: known }) => ({ id, name, known }))),
      (client: Client) => client.figures.histogram({}, { fromAt: 1_700_000_000_000, untilAt: Date.now(), buckets: 3 }),
      (client: Client) => client.figures.overview().then(({ runs, completed, failed }) => ({ runs, completed, failed })),
    ])
      expect(await ask(http)).toEqual(await ask(local));
  });

  it('values that JSON would leave out or change are refused, with their place', async () => {
    class Point {
      x = 1;
    }
    for (const client of [local, http]) {
      await client.variables.set('plain', { value: { a: [1, null, 'x'], b: undefined } });
      expect((await client.variables.get('plain')).value).toEqual({ a: [1, null, 'x'] });
      for (const [value, path] of [
        [{ rows: [1].concat(new Array<number>(1), 3) }, 'rows[1]'],
        [{ n: 2n }, 'n'],
        [{ sizes: new Map() }, 'sizes'],
        [{ at: new Point() }, 'at'],
        [[Number.NaN], '[0]'],
      ] as const) {
        const refused = { code: 'OPTION_INVALID', details: { path } };
        await expect(client.variables.set('odd', { value })).rejects.toMatchObject(refused);
        await expect(client.connections.set('odd', { kind: 'generic', fields: { value } })).rejects.toMatchObject({
          code: 'OPTION_INVALID',
        });
        const send = { run: 'any', params: { value } };
        await expect(client.alerts.setRule('odd', { on: 'failed', send })).rejects.toMatchObject({
          code: expect.stringMatching(/_INVALID$/),
        });
        await expect(client.enqueue('asks', { value: new Point() })).rejects.toThrow(/^value in the parameters/);
      }
    }
  });

  it('deployments: deployed, listed, paused, run, deleted', async () => {
    const spec = {
      flow: 'typed',
      name: 'typed-daily',
      params: { at: new Date(0) },
      schedules: [{ slug: 'daily', cron: '0 4 * * *', jitter: '1m' as const }],
    };
    const dry = await http.deployments.deploy([spec], { dryRun: true });
    expect([dry[0]?.outcome, (await local.deployments.list()).items]).toEqual(['created', []]);
    const [report] = await http.deployments.deploy([spec, { flow: 'small', name: 'small-one' }], { origin: 'config' });
    expect([report?.outcome, report?.deployment]).toEqual(['created', await local.deployments.get('typed-daily')]);
    expect((await http.deployments.deploy([spec], { origin: 'config' }))[0]?.outcome).toBe('unchanged');
    expect(await http.deployments.list({ search: 'dail' })).toEqual(await local.deployments.list({ search: 'dail' }));
    expect(await http.deployments.versions('typed-daily')).toEqual(await local.deployments.versions('typed-daily'));
    expect(await http.deployments.upcoming({ limit: 3 })).toEqual(await local.deployments.upcoming({ limit: 3 }));
    expect((await http.deployments.pause('typed-daily')).pausedAt).not.toBeNull();
    expect((await http.deployments.resume('typed-daily')).pausedAt).toBeNull();
    expect((await http.deployments.pause('typed-daily', 'daily')).schedules[0]?.pausedAt).not.toBeNull();
    const handle = await http.deployments.run('typed-daily', { at: new Date(1) }, { name: 'by hand' });
    expect(await handle.result()).toEqual({ at: new Date(1), sizes: null });
    expect((await handle.get()).deployment).toBe('typed-daily');
    const [gone] = (
      await http.deployments.deploy([{ flow: 'typed', name: 'typed-daily', params: { at: new Date(0) } }], {
        origin: 'config',
        prune: true,
      })
    ).filter(({ outcome }) => outcome === 'deleted');
    expect(gone?.deployment.name).toBe('small-one');
    await http.deployments.delete('typed-daily');
    expect(await refusalOf(http.deployments.get('typed-daily'))).toEqual(await refusalOf(local.deployments.get('typed-daily')));
  });

  it('limits and backfills, and why a run waits', async () => {
    expect(await http.limits.set('tag:db', 2)).toEqual((await local.limits.list())[0]);
    expect(await http.limits.list()).toEqual(await local.limits.list());
    await http.limits.delete('tag:db');
    expect(await refusalOf(http.limits.delete('tag:db'))).toEqual(await refusalOf(local.limits.delete('tag:db')));
    await local.limits.set('tag:db', 2);
    const rate = await http.limits.setRate('tag:db', { limit: 100, per: '1m', key: '{customer}' });
    expect(rate).toMatchObject({ slots: 100, rate: { perMs: 60_000, key: '{customer}', nextAt: null }, held: 0, changeable: true });
    expect(await http.limits.list()).toEqual(await local.limits.list());
    await http.limits.delete('tag:db', 'rate');
    expect(await http.limits.list()).toMatchObject([{ name: 'tag:db', slots: 2 }]);
    expect(await refusalOf(http.limits.delete('tag:db', 'rate'))).toEqual(await refusalOf(local.limits.delete('tag:db', 'rate')));
    await http.limits.setRate('tag:db', { limit: 1, per: 500 });
    await http.limits.delete('tag:db');
    expect(await http.limits.list()).toEqual([]);
    const wrongRates: readonly TagRate[] = [
      { limit: 5, per: '1ms' },
      { limit: 5, per: 'often' as '1s' },
    ];
    for (const wrong of wrongRates)
      expect(await refusalOf(http.limits.setRate('tag:db', wrong))).toEqual(await refusalOf(local.limits.setRate('tag:db', wrong)));
    expect(await refusalOf(http.limits.setRate('flow:x', { limit: 1, per: '1s' }))).toEqual(
      await refusalOf(local.limits.setRate('flow:x', { limit: 1, per: '1s' })),
    );
    const waits = await http.enqueue('small', {}, { queue: 'nobody-serves' });
    expect(await http.runs.why(waits.id)).toEqual(await local.runs.why(waits.id));
    expect((await http.runs.why(waits.id))?.kind).toBe('no-worker');
    await http.deployments.deploy([
      { flow: 'small', name: 'filled', queue: 'nobody-serves', schedules: [{ slug: 'daily', cron: '@daily' }] },
    ]);
    const spec = { deployment: 'filled', fromAt: Date.UTC(2026, 0, 1), untilAt: Date.UTC(2026, 0, 4) };
    expect(await http.backfills.preview(spec)).toEqual(await local.backfills.preview(spec));
    const started = await http.backfills.start(spec);
    expect([started.total, started.fromAt]).toEqual([3, spec.fromAt]);
    expect((await http.backfills.list({ deployment: 'filled' })).items.map(({ id }) => id)).toEqual([started.id]);
    await http.backfills.cancel(started.id);
    expect(await http.backfills.get(started.id)).toEqual(await local.backfills.get(started.id));
    expect(await refusalOf(http.backfills.get('nothing'))).toEqual(await refusalOf(local.backfills.get('nothing')));
  });

  it('keys: made, shown, refused by role, revoked; and who did what', async () => {
    const admin = await http.keys.create({ name: 'boss', role: 'admin' });
    expect(await refusalOf(http.runs.list())).toMatchObject(['UNAUTHENTICATED', expect.stringContaining('BATUTA_API_KEY')]);
    const boss = openHttpClient({ apiUrl: clients.url, apiKey: admin.key });
    const { key } = await boss.keys.create({ name: 'looker', role: 'viewer', expiresAt: Date.now() + 60_000 });
    const looker = openHttpClient({ apiUrl: clients.url, apiKey: key });
    expect((await looker.runs.list({ limit: 1 })).items).toHaveLength(1);
    expect(await refusalOf(looker.enqueue('small'))).toMatchObject(['FORBIDDEN', expect.stringContaining('BATUTA_API_KEY')]);
    expect((await boss.keys.list()).map(({ name }) => name)).toEqual((await local.keys.list()).map(({ name }) => name));
    const watching = looker.runs.watch((await boss.enqueue('asks')).id)[Symbol.asyncIterator]();
    await watching.next();
    const [viewer] = (await boss.keys.list()).filter(({ name }) => name === 'looker');
    await boss.keys.revoke(viewer?.id ?? '');
    expect(await refusalOf(looker.runs.list())).toMatchObject(['UNAUTHENTICATED', expect.stringContaining('revoked or expired')]);
    const { items } = await boss.audit.list({ limit: 3 });
    expect(items).toEqual((await local.audit.list({ limit: 3 })).items);
    expect(items.map(({ action }) => action)).toContain('keys.revoke');
    await looker.close();
    await boss.keys.revoke(admin.entry.id);
    await boss.close();
    expect(await refusalOf(watching.next())).toMatchObject([expect.stringMatching(/SHUTDOWN|UNAUTHENTICATED/), expect.any(String)]);
  });
});
