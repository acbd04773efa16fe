/** The picture of a run over HTTP. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startRun, taskRun, transitionOf } from '../../contract/store/rows.ts';
import { type Api, openApi } from '../../support/api.ts';

describe('the graph of a run over HTTP', () => {
  let api: Api;
  beforeAll(async () => {
    api = await openApi();
  });
  afterAll(() => api.close());

  test('of ten thousand items stays under 64 kB', async () => {
    const { store } = api.client.engine.services;
    const claim = await startRun(store, { flow: 'hello' });
    const rows = Array.from({ length: 10_000 }, (_, index) => taskRun(claim.runId, `greet[${index}]`, { name: 'greet', index }));
    await Promise.all([taskRun(claim.runId, 'list'), ...rows].map((row) => store.recorder.addTaskRun(claim, row, transitionOf(row))));
    const answer = await api.get(`/api/runs/${claim.runId}/graph`);
    expect(answer.json).toMatchObject({
      items: [
        { name: 'list', total: 1, single: { id: expect.any(String) } },
        { name: 'greet', total: 10_000, counts: { Running: 10_000 }, startedAt: expect.stringMatching(/Z$/), single: null },
      ],
    });
    expect(answer.text.length).toBeLessThan(64 * 1024);
    expect((await api.get('/api/runs/0199aaaa/graph')).json).toMatchObject({ error: { code: 'RUN_NOT_FOUND' } });
  });
});
