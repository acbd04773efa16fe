/** Runs over HTTP. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, openApi } from '../../support/api.ts';

describe('runs over HTTP', () => {
  let api: Api;
  beforeAll(async () => {
    api = await openApi();
  });
  afterAll(() => api.close());

  test('are submitted, listed, looked at, cancelled and deleted', async () => {
    const made = await api.post('/api/runs', { flow: 'hello', params: { name: 'Ada' }, name: 'first', tags: ['a'], priority: 3 });
    expect(made).toMatchObject({
      status: 201,
      json: { flow: 'hello', name: 'first', priority: 3, durationMs: null, state: { type: 'SCHEDULED' } },
    });
    expect(made.json.createdAt).toMatch(/^\d{4}-.*Z$/);
    expect(made.json).not.toHaveProperty('params');
    const { id } = made.json;
    const list = await api.get('/api/runs?state=scheduled&state=Failed&flow=hello&tag=a&limit=10');
    expect(list.json).toMatchObject({ items: [{ id }], next: null });
    expect((await api.get('/api/runs?state=completed')).json.items).toEqual([]);
    const one = await api.get(`/api/runs/${id}`);
    expect(one.json).toMatchObject({
      run: { id },
      params: { json: { name: 'Ada' } },
      result: null,
      children: [],
      counts: [],
      flow: { name: 'hello' },
    });
    expect((await api.post(`/api/runs/${id}/cancel`, { message: 'no more' })).json).toMatchObject({ state: { name: 'Cancelled' } });
    const transitions = await api.get(`/api/runs/${id}/transitions`);
    expect(transitions.json.items.at(-1)).toMatchObject({ type: 'CANCELLED', message: 'no more' });
    expect((await api.post(`/api/runs/${id}/cancel`)).status).toBe(409);
    expect((await api.ask('DELETE', `/api/runs/${id}`)).status).toBe(204);
    expect((await api.get(`/api/runs/${id}`)).json).toMatchObject({ error: { code: 'RUN_NOT_FOUND' } });
  });
});
