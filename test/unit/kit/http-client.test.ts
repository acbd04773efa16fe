import { Flow, Task, type TaskContext } from 'batuta';
import { httpClient, type HttpClientOptions, type HttpClient } from 'batuta/resources';
import { testFlow } from 'batuta/testing';
import { describe, expect, it } from 'vitest';
import { ownEngine } from '../../support/own-engine.ts';
import { FakeClock } from '../../../src/testing/fake-clock.ts';
import { HostGate } from '../../../src/kit/resources/http-limits.ts';
import { retryWaitMs } from '../../../src/kit/resources/http-retry.ts';
import { json, ownApiServer, reset, silence } from '../../support/api-server.ts';

const { signal } = new AbortController();
let names = 0;

/** What the work gives with a client in a task. */
async function withClient<T>(options: HttpClientOptions, work: (http: HttpClient, ctx: TaskContext) => Promise<T>): Promise<T> {
  const api = httpClient(`api-${++names}`, options);
  let given: { readonly value: T } | undefined;
  @Flow({ name: `uses-api-${names}` })
  class UsesApi {
    @Task({ persist: false })
    async ask(ctx: TaskContext): Promise<void> {
      given = { value: await work(await ctx.use(api), ctx) };
    }
  }
  const { client } = await ownEngine();
  await (await client.submit(UsesApi)).result().catch((error: Error) => {
    throw error.cause;
  });
  if (!given) throw new Error('The task did not run.');
  return given.value;
}

describe('an HTTP client', () => {
  it('sends JSON and gives JSON, with the run in its headers', async () => {
    const server = await ownApiServer(json(200, { ok: true }));
    const { given, runId, taskRunId } = await withClient(
      { baseUrl: server.url, headers: { authorization: 'Bearer x' } },
      async (http, ctx) => ({
        given: await http.post('orders', { n: 1 }, { query: { day: 'a b', none: undefined } }),
        runId: ctx.run.id,
        taskRunId: ctx.task.id,
      }),
    );
    expect(given).toEqual({ ok: true });
    const [request] = server.requests;
    expect([request?.method, request?.url]).toEqual(['POST', '/orders?day=a+b']);
    expect(request?.headers).toMatchObject({
      ...{ 'x-run-id': runId, 'x-task-id': taskRunId, authorization: 'Bearer x', 'content-type': 'application/json' },
    });
  });

  it('tries again after a reset, a silence and an error that passes', async () => {
    const server = await ownApiServer(reset, silence, json(503, {}), json(200, { at: 4 }));
    const given = await withClient({ baseUrl: server.url, timeout: '300ms', retryDelay: '1ms' }, (http) => http.get('x'));
    expect([given, server.requests.length]).toEqual([{ at: 4 }, 4]);
  });

  it('waits as Retry-After asks, not as long as it would by itself', async () => {
    const server = await ownApiServer(json(429, {}, { 'retry-after': '1' }), json(200, 1));
    const given = await withClient({ baseUrl: server.url, concurrency: 1, retryDelay: '1 hour' }, (http) =>
      Promise.all([http.get('a'), http.get('b')]),
    );
    expect([given, server.requests.length]).toEqual([[1, 1], 3]);
  });

  it('does not wait for longer than it may', async () => {
    const server = await ownApiServer(json(429, {}, { 'retry-after': '3600' }));
    await expect(withClient({ baseUrl: server.url }, (http) => http.get('a?key=secret'))).rejects.toMatchObject({
      ...{ code: 'HTTP_FAILED', message: expect.not.stringContaining('secret') as string, details: { status: 429, attempts: 1 } },
    });
    expect(server.requests).toHaveLength(1);
  });

  it('repeats a POST only where the other side can know it again', async () => {
    const server = await ownApiServer(reset, reset, json(200, 2));
    await expect(withClient({ baseUrl: server.url, retryDelay: '1ms' }, (http) => http.post('a', {}))).rejects.toMatchObject({
      ...{ code: 'HTTP_FAILED', details: { attempts: 1, status: null } },
    });
    const headers = { 'idempotency-key': 'k' };
    expect(await withClient({ baseUrl: server.url, retryDelay: '1ms' }, (http) => http.post('a', {}, { headers }))).toBe(2);
  });

  it('holds to its limits per host', async () => {
    const server = await ownApiServer((_, response) => void setTimeout(() => response.end('1'), 20));
    const rate = { limit: 5, per: '50ms' } as const;
    await withClient({ baseUrl: server.url, concurrency: 2, rate }, (http) => Promise.all(Array.from({ length: 11 }, () => http.get('a'))));
    expect([server.most, server.requests.length]).toEqual([2, 11]);
  });

  it('ends a request with its task', async () => {
    const server = await ownApiServer(silence);
    const api = httpClient('endless', { baseUrl: server.url });
    @Flow({ name: 'waits-for-api' })
    class WaitsForApi {
      @Task()
      async ask(ctx: TaskContext): Promise<unknown> {
        return (await ctx.use(api)).get('never');
      }
    }
    const { client } = await ownEngine();
    const handle = await client.submit(WaitsForApi);
    await expect.poll(() => server.requests.length).toBe(1);
    const closed = new Promise((resolve) => server.requests[0]?.socket.once('close', resolve));
    await client.runs.cancel(handle.id);
    await expect(handle.result()).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
    await closed;
    expect(server.requests).toHaveLength(1);
  });

  it('gives a body as it comes, and leaves no connection open when its scope ends', async () => {
    const server = await ownApiServer((_, response) => {
      response.write('first');
    });
    const api = httpClient('streams', { baseUrl: server.url, scope: 'task' });
    @Flow({ name: 'streams-api' })
    class StreamsApi {
      @Task()
      async ask(ctx: TaskContext): Promise<string> {
        const { body } = await (await ctx.use(api)).fetch('a', { stream: true });
        const { value } = (await body?.getReader().read()) ?? {};
        return new TextDecoder().decode(value);
      }
    }
    const run = await testFlow(StreamsApi);
    expect(run.result).toBe('first');
    await expect.poll(() => server.connections()).toBe(0);
  });

  it('gives answers of any status where that is wanted, and says which one was not', async () => {
    const server = await ownApiServer(json(404, { why: 'gone' }));
    expect(await withClient({ baseUrl: server.url }, async (http) => (await http.fetch('a', { anyStatus: true })).json())).toEqual({
      why: 'gone',
    });
    await expect(withClient({ baseUrl: server.url }, (http) => http.get('a'))).rejects.toMatchObject({
      message: expect.stringMatching(/^GET http:\/\/127.*\/a: answered with 404\.$/) as string,
    });
  });

  it.each([
    [{ baseUrl: 'nowhere' }, 'OPTION_INVALID'],
    [{ rate: { limit: 0, per: '1s' } }, 'OPTION_INVALID'],
    [{ timeout: 'soon' }, 'DURATION_INVALID'],
    [{ concurrency: 1.5 }, 'OPTION_INVALID'],
  ])('refuses %j where it is declared', (options, code) => {
    expect(() => httpClient('refused', options as never)).toThrow(expect.objectContaining({ code }) as Error);
  });
});

describe('the waits of an HTTP client', () => {
  const waits = { delayMs: 100, maxDelayMs: 60_000 };
  it.each([
    ['seconds', '7', 7_000],
    ['a date', new Date(9_000).toUTCString(), 8_000],
    ['a date of the past', new Date(0).toUTCString(), 0],
    ['more than is waited', '61', null],
  ])('follow %s in Retry-After', (_, header, ms) => {
    expect(retryWaitMs(waits, header, 1, 1_000, () => 0)).toBe(ms);
  });

  it('double from attempt to attempt, half of each by chance', () => {
    expect([1, 2, 3].map((attempt) => retryWaitMs(waits, null, attempt, 0, () => 0))).toEqual([50, 100, 200]);
    expect(retryWaitMs(waits, 'soon', 20, 0, () => 1)).toBe(60_000);
  });

  it('let as many requests begin in a time as they may, also after the host has asked for a pause', async () => {
    const clock = new FakeClock();
    const gate = new HostGate({ concurrency: 100, rate: { limit: 2, perMs: 1_000 } }, clock);
    const begun: number[] = [];
    const from = clock.monotonic();
    const enter = async (): Promise<void> => {
      await gate.enter(signal);
      begun.push(clock.monotonic() - from);
    };
    for (let n = 0; n < 5; n++) await enter();
    gate.closeFor(5_000);
    await enter();
    expect(begun).toEqual([0, 0, 1_000, 1_000, 2_000, 7_000]);
  });
});
