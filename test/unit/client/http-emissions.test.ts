/** What the client makes of the events by which a server streams the values of a run. */
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import type { Api } from '../../../src/client/http/api.ts';
import { emittedOverHttp } from '../../../src/client/http/emissions.ts';
import { EventParser } from '../../../src/client/http/event-stream.ts';
import { gate } from '../../support/make-flow.ts';

const valueText = (seq: number): string =>
  `event: value\ndata: ${JSON.stringify({ seq, stream: 'n', taskRunId: null, attempt: 1, at: new Date(0).toISOString(), value: { json: seq } })}\n`;
const endText = 'event: end\ndata: {}\n\n';

/** A server that answers each request with the next of these bodies. */
function serverOf(...bodies: readonly (() => AsyncGenerator<string>)[]): { readonly api: Api; readonly asked: (string | undefined)[] } {
  const asked: (string | undefined)[] = [];
  const api = {
    clock: { ...systemClock, sleep: async () => undefined },
    closed: new AbortController().signal,
    async openStream(_path: string, _query: object, headers: Readonly<Record<string, string>>) {
      const body = bodies[asked.push(headers['last-event-id']) - 1];
      async function* bytes(): AsyncGenerator<Uint8Array> {
        for await (const text of body?.() ?? []) yield Buffer.from(text);
      }
      return bytes();
    },
  };
  return { api: api as unknown as Api, asked };
}

test('a value whose connection was cut behind it, before its id, is given once', async () => {
  const { api, asked } = serverOf(
    async function* () {
      yield `${valueText(1)}id: 1\n\n`;
      yield `${valueText(2)}\n`;
      throw new Error('cut');
    },
    async function* () {
      yield `${valueText(2)}id: 2\n\n${valueText(3)}id: 3\n\n${endText}`;
    },
  );
  const seen: unknown[] = [];
  for await (const { value } of emittedOverHttp(api, 'runs/a', 'n', {})) seen.push(value);
  expect(seen).toEqual([1, 2, 3]);
  expect(asked).toEqual([undefined, '1']);
});

test('an event that is cut off behind its id has not come', () => {
  const place = { lastId: null };
  const parser = new EventParser(() => undefined, place);
  parser.push('event: value\nid: 7\ndata: {"half":');
  expect(place.lastId).toBeNull();
  parser.push(' 1}\n\nid: 8\n\n');
  expect(place.lastId).toBe('8');
});

test('who leaves while more comes waits for nothing', async () => {
  const left = gate();
  const { api } = serverOf(async function* () {
    yield `${valueText(1)}id: 1\n\n`;
    await left.opened;
    // Was on its way when the reader left.
    yield `${valueText(2)}id: 2\n\n`;
  });
  for await (const { value } of emittedOverHttp(api, 'runs/a', 'n', {})) {
    expect(value).toBe(1);
    setImmediate(() => left.open());
    break;
  }
});
