/** Very many runs in one body. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, openApi } from '../../support/api.ts';

describe('very many runs in one body', () => {
  let api: Api;
  beforeAll(async () => {
    api = await openApi();
  });
  afterAll(() => api.close());

  test('others are answered while very many runs of one body are looked over and made, and a fault in the last of them makes none', async () => {
    const runs = Array.from({ length: 20_000 }, (_, at) => ({ tags: ['sliced'], params: { name: `n${at}` } }));
    let turns = 0;
    let isDone = false;
    const others = (async () => {
      while (!isDone) {
        await new Promise((resolve) => setImmediate(resolve));
        turns++;
      }
    })();
    const faulty = await api.post('/api/runs/many', { flow: 'hello', runs: [...runs, { tags: 5 }] });
    expect(turns).toBeGreaterThan(20);
    expect(faulty.status).toBe(400);
    expect(faulty.text).toContain('20000');
    expect((await api.get('/api/runs?tag=sliced')).json.items).toEqual([]);
    turns = 0;
    const made = await api.post('/api/runs/many', { flow: 'hello', runs });
    isDone = true;
    await others;
    expect(made.json.ids).toHaveLength(20_000);
    expect(turns).toBeGreaterThan(100);
  });
});
