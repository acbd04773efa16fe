/** What the HTTP client does when the way to the server, or what answers there, is not as it should be. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { Api } from '../../../src/client/http/api.ts';
import { EventParser, followEvents, type ServerEvent } from '../../../src/client/http/event-stream.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void;

async function serve(answer: Answer): Promise<{ readonly url: string; readonly counted: () => number }> {
  let count = 0;
  const server = createServer((request, response) => answer(request, response, ++count));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, counted: () => count };
}

/** Waits of the client pass at once. */
const hasty = { ...systemClock, sleep: async (_ms: number, signal?: AbortSignal) => signal?.throwIfAborted() };

function open(apiUrl: string, apiKey: string | null = null, timeoutMs = 5_000): Api {
  return new Api({ apiUrl, apiKey, clock: hasty, timeoutMs });
}

function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

function refusal(code: string, message: string, details: object = {}): object {
  return { error: { code, message, details } };
}

describe('a request to the API', () => {
  it('shows the key, sends its query and gives what it is answered', async () => {
    const { url } = await serve((request, response) => json(response, 200, { url: request.url, key: request.headers.authorization }));
    const answer = await open(`${url}/below/`, 'secret').get('runs', {
      state: ['failed', 'a b'],
      flow: 'f/1',
      limit: 5,
      cursor: undefined,
    });
    expect(answer).toEqual({ url: '/below/api/runs?state=failed&state=a+b&flow=f%2F1&limit=5', key: 'Bearer secret' });
  });

  it('is sent again when the connection is lost and it may come twice', async () => {
    const { url, counted } = await serve((_request, response, count) => (count < 3 ? response.destroy() : json(response, 200, { count })));
    expect(await open(url).get('runs')).toEqual({ count: 3 });
    expect(counted()).toBe(3);
  });

  it('is not sent again when it may not come twice', async () => {
    const { url, counted } = await serve((_request, response) => response.destroy());
    await expect(open(url).post('runs', {})).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' });
    expect(counted()).toBe(1);
    await expect(open(url).post('runs', {}, { repeatable: true })).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' });
    expect(counted()).toBe(5);
  });

  it('waits when the server takes in no more for a moment', async () => {
    const { url } = await serve((_request, response, count) =>
      count === 1 ? json(response, 429, refusal('RATE_LIMITED', 'Slower.'), { 'retry-after': '1' }) : json(response, 201, { count }),
    );
    expect(await open(url).post('runs', {})).toEqual({ count: 2 });
  });

  it('an answer that does not come in time is an error that names the server', async () => {
    const { url } = await serve(() => undefined);
    await expect(open(url, null, 50).post('runs')).rejects.toMatchObject({
      code: 'SERVER_UNREACHABLE',
      message: expect.stringContaining(`${url} does not answer (no answer in time)`),
    });
  });

  it('a server that is not there is an error that says what to check', async () => {
    await expect(open('http://127.0.0.1:1').get('runs')).rejects.toMatchObject({
      code: 'SERVER_UNREACHABLE',
      message: expect.stringMatching(/127\.0\.0\.1:1 does not answer \(.*\)\. Check BATUTA_API_URL/),
    });
  });

  it('a refusal keeps its code, message and details', async () => {
    const { url } = await serve((_request, response) => json(response, 404, refusal('RUN_NOT_FOUND', 'No run has it.', { runId: 'x' })));
    await expect(open(url).get('runs/x')).rejects.toMatchObject({
      code: 'RUN_NOT_FOUND',
      message: 'No run has it.',
      details: { runId: 'x' },
      exitCode: 2,
    });
  });

  it('a refusal of the key says what to do, with a key and without one', async () => {
    const { url } = await serve((request, response) =>
      json(
        response,
        request.url === '/api/keys' ? 403 : 401,
        refusal(request.url === '/api/keys' ? 'FORBIDDEN' : 'UNAUTHENTICATED', 'No.'),
      ),
    );
    await expect(open(url).get('runs')).rejects.toThrow('No. Set BATUTA_API_KEY to a key that an admin made with npx batuta key create.');
    await expect(open(url, 'old').get('runs')).rejects.toThrow('unknown to it, revoked or expired');
    await expect(open(url, 'low').get('keys')).rejects.toThrow('Use a key of a higher role in BATUTA_API_KEY.');
  });

  it('a code of a newer server is a refusal all the same', async () => {
    const { url } = await serve((_request, response) => json(response, 409, refusal('MADE_LATER', 'Not so.')));
    await expect(open(url).post('runs')).rejects.toMatchObject({ code: 'REQUEST_INVALID', message: 'Not so.' });
  });

  it('what is not a Batuta server is told so', async () => {
    const { url } = await serve((request, response) => {
      if (request.url === '/api/moved') response.writeHead(302, { location: 'https://elsewhere.example/' }).end();
      else response.writeHead(request.url === '/api/page' ? 200 : 404, { 'content-type': 'text/html' }).end('<h1>Hello</h1>');
    });
    const api = open(url, 'secret');
    await expect(api.get('missing')).rejects.toThrow(`The server at ${url} is not a Batuta server (status 404: <h1>Hello</h1>)`);
    await expect(api.get('page')).rejects.toThrow(`The server at ${url} is not a Batuta server`);
    await expect(api.get('moved')).rejects.toThrow('redirects to https://elsewhere.example/');
  });

  it('after the client was closed it is refused, and one under way ends', async () => {
    const { url } = await serve(() => undefined);
    const api = open(url);
    const waiting = api.get('runs');
    api.close();
    api.close();
    await expect(waiting).rejects.toMatchObject({ code: 'SHUTDOWN' });
    await expect(api.get('runs')).rejects.toMatchObject({ code: 'SHUTDOWN' });
  });

  it('an address that is none is refused at once', () => {
    for (const address of ['batuta.example', 'ftp://batuta.example', 'http://user:word@batuta.example'])
      expect(() => open(address)).toThrow('BATUTA_API_URL must be a URL');
  });
});

describe('events of the server', () => {
  it('are read however the text is cut', () => {
    const text = ': hello\n\nid: 7\nevent: run\ndata: {"a":\ndata: 1}\n\ndata: plain\r\n\r\nevent: empty\n\n';
    for (let cut = 1; cut < text.length; cut++) {
      const seen: ServerEvent[] = [];
      const place = { lastId: null };
      const parser = new EventParser((event) => seen.push(event), place);
      for (let at = 0; at < text.length; at += cut) parser.push(text.slice(at, at + cut));
      expect(seen).toEqual([
        { type: 'run', data: '{"a":\n1}' },
        { type: 'message', data: 'plain' },
      ]);
      expect(place.lastId).toBe('7');
    }
  });

  it('signs of life are not handed on, but where to go on from is kept', async () => {
    const asked: (string | undefined)[] = [];
    const { url } = await serve((request, response, count) => {
      asked.push(request.headers['last-event-id'] as string | undefined);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      if (count === 1) response.write(': alive\nevent: beat\ndata: {"beatMs":15000}\n\nid: 9\n\n', () => response.destroy());
      else response.write('event: run\ndata: last\n\n');
    });
    const ended = new AbortController();
    const seen: string[] = [];
    await followEvents(open(url), 'events', {
      query: {},
      signal: ended.signal,
      onState: () => undefined,
      onEvent({ type }) {
        seen.push(type);
        ended.abort();
      },
    });
    expect([seen, asked]).toEqual([['run'], [undefined, '9']]);
  });

  it('go on after the last that came when the connection is lost', async () => {
    const asked: (string | undefined)[] = [];
    const { url } = await serve((request, response, count) => {
      asked.push(request.headers['last-event-id'] as string | undefined);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`id: ${count}\nevent: run\ndata: ${count}\n\n`, () => void (count < 3 && response.destroy()));
    });
    const api = open(url);
    const ended = new AbortController();
    const seen: string[] = [];
    const states: boolean[] = [];
    await followEvents(api, 'events', {
      query: { run: 'x' },
      signal: ended.signal,
      onState: (is) => states.push(is),
      onEvent({ data }) {
        seen.push(data);
        if (data === '3') ended.abort();
      },
    });
    expect([seen, asked]).toEqual([
      ['1', '2', '3'],
      [undefined, '1', '2'],
    ]);
    expect(states.slice(0, 3)).toEqual([true, false, true]);
  });

  it('end when the server refuses them', async () => {
    const { url, counted } = await serve((_request, response) => json(response, 401, refusal('UNAUTHENTICATED', 'No.')));
    const states: boolean[] = [];
    const { signal } = new AbortController();
    await followEvents(open(url), 'events', { query: {}, signal, onEvent: () => undefined, onState: (is) => states.push(is) });
    expect([states, counted()]).toEqual([[false], 1]);
  });

  it('end when the client is closed', async () => {
    const { url } = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': here\n\n');
    });
    const api = open(url);
    await followEvents(api, 'events', {
      query: {},
      signal: new AbortController().signal,
      onEvent: () => undefined,
      onState: (is) => void (is && api.close()),
    });
  });
});
