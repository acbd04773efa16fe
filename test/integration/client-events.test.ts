/** Changes of all runs as they happen, asked of the store and of a server alike. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ClientEvent } from '../../src/client/run-events.ts';
import { openTwoClients, refusalOf, type TwoClients } from '../support/two-clients.ts';

let clients: TwoClients;
beforeAll(async () => {
  clients = await openTwoClients();
});
afterAll(() => clients.close());

/** Gathers events until one fits, then leaves the loop. */
async function until(events: AsyncIterable<ClientEvent>, fits: (event: ClientEvent) => boolean): Promise<readonly ClientEvent[]> {
  const seen: ClientEvent[] = [];
  for await (const event of events) {
    seen.push(event);
    if (fits(event)) break;
  }
  return seen;
}

const endOf =
  (id: string) =>
  (event: ClientEvent): boolean =>
    event.kind === 'run' && event.id === id && event.state.name === 'Completed';

const shown = (events: readonly ClientEvent[]): readonly string[] =>
  events.map((event) => (event.kind === 'run' ? `${event.flow} ${event.state.name}` : `gap ${event.reason}`));

describe.each(['local', 'http'] as const)('events of the %s client', (which) => {
  test('are the changes of the runs of a flow, in order, each once', async () => {
    const client = clients[which];
    const before = await clients.local.enqueue('small');
    await before.done();
    const from = await until(client.events({ after: 0 }), endOf(before.id));
    const after = from.at(-1)?.kind === 'run' ? (from.at(-1) as { seq: number }).seq : 0;
    const other = await clients.local.enqueue('fails');
    await other.done();
    const handle = await clients.local.enqueue('small');
    const events = await until(client.events({ flow: 'small', after }), endOf(handle.id));
    expect(shown(events).filter((event) => event !== 'small Pending')).toEqual(['small Scheduled', 'small Running', 'small Completed']);
    expect(events.every((event) => event.kind === 'run' && event.id === handle.id)).toBe(true);
    const numbers = events.flatMap((event) => (event.kind === 'run' ? [event.seq] : []));
    expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
  });

  test('begin with what happens from now on, and a reader that takes its time misses nothing', async () => {
    const client = clients[which];
    const events = client.events({ flow: 'small' })[Symbol.asyncIterator]();
    const first = events.next();
    const ids = new Set<string>();
    // The reader is placed once it is first asked; runs before that moment are not its own.
    let seen: IteratorResult<ClientEvent> | null = null;
    void first.then((result) => (seen = result));
    while (seen === null) {
      const handle = await clients.local.enqueue('small');
      await handle.done();
    }
    for (let runs = 0; runs < 30; runs++) ids.add((await clients.local.enqueue('small')).id);
    const ended = new Set<string>();
    while (ended.size < ids.size) {
      const { value } = await events.next();
      if (value.kind === 'run' && value.state.name === 'Completed' && ids.has(value.id)) ended.add(value.id);
    }
    await events.return?.();
    expect(ended).toEqual(ids);
  });

  test('end when the signal aborts, also while nothing happens', async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 50);
    const seen = [];
    for await (const event of clients[which].events({ flow: 'nothing-of-this-name', signal: stop.signal })) seen.push(event);
    expect(seen).toEqual([]);
  });

  test('refuse a filter that they do not have', async () => {
    const events = (options: object): Promise<unknown> => clients[which].events(options)[Symbol.asyncIterator]().next();
    expect(await refusalOf(events({ state: 'failed' }))).toEqual(['FILTER_INVALID', expect.stringContaining("no filter 'state'")]);
    expect(await refusalOf(events({ after: -1 }))).toEqual(['FILTER_INVALID', expect.stringContaining('after')]);
  });
});

test('events over HTTP go on after a server that was away, with what happened meanwhile', async () => {
  const { local, http } = clients;
  const begun = await local.enqueue('small');
  await begun.done();
  const events = http.events({ flow: 'small', after: 0 })[Symbol.asyncIterator]();
  let event = (await events.next()).value as ClientEvent;
  while (!endOf(begun.id)(event)) event = (await events.next()).value as ClientEvent;
  let id = '';
  await clients.restart(async () => {
    const handle = await local.enqueue('small');
    ({ id } = handle);
    await handle.done();
  });
  while (!endOf(id)(event)) event = (await events.next()).value as ClientEvent;
  await events.return?.();
  expect(endOf(id)(event)).toBe(true);
});
