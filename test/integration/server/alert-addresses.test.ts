/** Addresses of webhooks, which are often secrets themselves: admins see them whole, all others only their host. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { alertParts, evaluateAll } from '../../support/alerts.ts';
import { type Api, openApi } from '../../support/api.ts';
import { endRun, startRun } from '../../contract/store/rows.ts';

let api: Api;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api.close());

test('the address of a webhook is shown to admins alone', async () => {
  const { store } = api.client.engine.services;
  await api.client.alerts.setRule('failures', {
    on: 'failed',
    send: [
      { webhook: 'https://hooks.example/services/plant3d?key=plant3d' },
      { webhook: 'https://bare.example/' },
      { email: 'a@example.com' },
    ],
  });
  await endRun(store, await startRun(store, { flow: 'breaks' }), 'FAILED', Date.now());
  await evaluateAll(alertParts(store));
  const [alert] = (await api.client.alerts.list()).items;
  const asked = ['/api/alert-rules', '/api/alert-rules/failures', '/api/alert-rules/failures/firings', `/api/alerts/${alert?.id}`];
  const [admin, operator, viewer] = [await api.key('admin'), await api.key('operator'), await api.key('viewer')];
  for (const url of asked) {
    expect((await api.get(url, { key: admin })).text, url).toContain('https://hooks.example/services/plant3d?key=plant3d');
    for (const key of [operator, viewer]) {
      const { status, text } = await api.get(url, { key });
      expect([status, text], url).toEqual([200, expect.stringContaining('https://hooks.example/***')]);
      expect(text, url).not.toContain('plant3d');
      expect(text, url).toContain('https://bare.example/');
    }
  }
  for (const change of ['pause', 'resume', 'test']) {
    const { status, text } = await api.post(`/api/alert-rules/failures/${change}`, {}, { key: operator });
    expect([status, text.includes('plant3d')], change).toEqual([200, false]);
  }
  expect((await api.client.alerts.rule('failures')).rule.actions[0]).toMatchObject({
    url: 'https://hooks.example/services/plant3d?key=plant3d',
  });
});
