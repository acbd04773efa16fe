/** How a reader of live events leaves, whatever comes meanwhile. */
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import type { Api } from '../../../src/client/http/api.ts';
import { runEventsOverHttp } from '../../../src/client/http/run-events.ts';
import { gate } from '../../support/make-flow.ts';

const eventText = (seq: number): string => `event: run\nid: ${seq}\ndata: ${JSON.stringify({ id: 'a', seq })}\n\n`;

/** An API whose one stream is this. */
function apiOf(bytes: () => AsyncGenerator<string>): Api {
  const api = {
    clock: { ...systemClock, sleep: async (_ms: number, signal?: AbortSignal) => signal?.throwIfAborted() },
    closed: new AbortController().signal,
    openStream: async () =>
      (async function* () {
        for await (const text of bytes()) yield Buffer.from(text);
      })(),
  };
  return api as unknown as Api;
}

test.each(['by leaving the loop', 'by the signal'])('%s, while an event is on its way, it waits for nothing', async (how) => {
  const [left, stop] = [gate(), new AbortController()];
  const api = apiOf(async function* () {
    yield eventText(1);
    await left.opened;
    yield eventText(2);
    yield eventText(3);
  });
  for await (const event of runEventsOverHttp(api, { signal: stop.signal })) {
    expect(event).toMatchObject({ kind: 'run', seq: 1 });
    setImmediate(() => left.open());
    if (how === 'by leaving the loop') break;
    stop.abort();
  }
});
