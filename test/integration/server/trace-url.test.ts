/** Where people look at the trace of a run: told by the API where a setting names the place. */
import { expect, onTestFinished, test } from 'vitest';
import { makeFlow } from '../../support/make-flow.ts';
import { openApi } from '../../support/api.ts';

const given = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

test.each([
  [null, null],
  ['https://tempo.example/trace/{traceId}?x=1', 'https://tempo.example/trace/4bf92f3577b34da6a3ce929d0e0e4736?x=1'],
])('with the setting %s a run has its trace, and the address %s', async (traceUrl, url) => {
  const api = await openApi(traceUrl === null ? {} : { env: { BATUTA_TRACE_URL: traceUrl } });
  onTestFinished(() => api.close());
  const handle = await api.client.submit(makeFlow({ one: {} }), {}, { traceparent: given });
  await handle.done();
  const answer = await api.get(`/api/runs/${handle.id}`);
  expect(answer.json.trace).toEqual({ id: '4bf92f3577b34da6a3ce929d0e0e4736', url });
});
