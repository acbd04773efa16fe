/** What requests say of where they come from, and what answers say of the run they are about. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { submittedIn } from '../../../src/model/submitted.ts';
import { type Api, openApi } from '../../support/api.ts';

const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${trace}-00f067aa0ba902b7-01`;
const other = '00-11111111111111111111111111111111-00f067aa0ba902b7-00';

let api: Api;
beforeAll(async () => {
  api = await openApi();
});
afterAll(() => api.close());

const submit = (body: object, headers: Readonly<Record<string, string>> = {}) =>
  api.post('/api/runs', { flow: 'hello', ...body }, { headers });
const keptOf = async (id: string) => submittedIn((await api.client.runs.get(id)).params);
const answeredLine = () => JSON.parse(api.logged.findLast((line) => line.includes('"Answered."')) ?? '') as Record<string, unknown>;

test('a run keeps the trace and the caller of the request that submits it, and the answer and the log name them', async () => {
  const made = await submit({ params: { name: 'Ada' } }, { traceparent, 'x-run-id': 'order-17' });
  expect(made.status).toBe(201);
  expect(made.headers['x-run-id']).toBe(made.json.id);
  expect(await keptOf(made.json.id)).toEqual({ traceparent, callerRunId: 'order-17' });
  expect(answeredLine()).toMatchObject({ route: '/api/runs', aboutRunId: made.json.id, callerRunId: 'order-17', traceId: trace });
  const shown = await api.get(`/api/runs/${made.json.id}`);
  expect(shown.json).toMatchObject({ params: { json: { name: 'Ada' } }, submitted: { traceparent, callerRunId: 'order-17' } });
});

test('what the body says goes before the headers, and headers that are malformed count as absent', async () => {
  const said = await submit({ traceparent: other, callerRunId: 'mine' }, { traceparent, 'x-run-id': 'order-17' });
  expect(await keptOf(said.json.id)).toEqual({ traceparent: other, callerRunId: 'mine' });
  const odd = await submit({}, { traceparent: 'ff-no', 'x-run-id': 'x'.repeat(201) });
  expect(odd.status).toBe(201);
  expect(await keptOf(odd.json.id)).toEqual({});
  expect(answeredLine()).not.toHaveProperty('callerRunId');
  expect((await submit({ traceparent: 'ff-no' })).json).toMatchObject({ error: { code: 'OPTION_INVALID' } });
});

test('each of many runs keeps them, or what is said for it', async () => {
  const body = { flow: 'hello', runs: [{}, { traceparent: other }] };
  const { json } = await api.post('/api/runs/many', body, { headers: { traceparent } });
  expect(await Promise.all((json.ids as string[]).map(keptOf))).toEqual([{ traceparent }, { traceparent: other }]);
});

test('every answer about one run has its whole id, and none that is about no run', async () => {
  const { id } = (await submit({ name: 'known' })).json;
  const part = id.slice(0, 30);
  for (const path of ['', '/params', '/tasks', '/graph', '/transitions', '/artifacts', '/logs', '/logs/download'])
    expect((await api.get(`/api/runs/${part}${path}`)).headers['x-run-id'], path).toBe(id);
  expect((await api.get(`/api/runs/${id}/tasks/none`)).headers['x-run-id']).toBeUndefined();
  expect((await api.get('/api/runs')).headers['x-run-id']).toBeUndefined();
  expect((await api.post(`/api/runs/${part}/signal`, { name: 'go' })).headers['x-run-id']).toBe(id);
  expect((await api.post(`/api/runs/${part}/cancel`)).headers['x-run-id']).toBe(id);
  expect((await api.post(`/api/runs/${part}/retry`)).headers['x-run-id']).toBe(id);
  expect((await api.post(`/api/runs/${part}/cancel`)).headers['x-run-id']).toBe(id);
  expect((await api.ask('DELETE', `/api/runs/${part}`)).headers['x-run-id']).toBe(id);
  const gone = await api.get(`/api/runs/${id}`);
  expect([gone.status, gone.headers['x-run-id']]).toEqual([404, undefined]);
});

test('a submit that comes again with another trace is the same run, and no warning', async () => {
  const first = await submit({ idempotencyKey: 'once', params: { name: 'Ada' } }, { traceparent });
  const again = await submit({ idempotencyKey: 'once', params: { name: 'Ada' } }, { traceparent: other });
  expect(again.json.id).toBe(first.json.id);
  expect(api.logged.join('')).not.toContain('with other parameters');
  await submit({ idempotencyKey: 'once', params: { name: 'Bob' } });
  expect(api.logged.join('')).toContain('with other parameters');
});
