/** A broker as a whole, over all of them: what it refuses, how it is, and its end. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isBatutaError } from '../../../src/base/errors.ts';
import type { Broker, Ticket } from '../../../src/broker/broker.ts';
import { consume, makers, newTickets, queue, Seen } from './makers.ts';
import type { Place } from './makers.ts';

describe.each(makers)('$name', ({ makePlace }) => {
  let place: Place;
  let broker: Broker;
  beforeEach(async () => {
    place = await makePlace();
    broker = await place.open();
  });
  afterEach(() => place.remove());

  it('refuses what it cannot carry, with the code of what is wrong', async () => {
    const refused: Record<string, () => Promise<unknown>> = {
      'NAME_INVALID: a queue without a name': () => broker.put(newTickets(1), { queue: '' }),
      'NAME_INVALID: a queue with a colon': () => broker.stats('a:b'),
      'NAME_INVALID: a channel with a space': () => broker.notify('a b', ''),
      'OPTION_INVALID: a ticket with a space': () => broker.put({ kind: 'run', id: 'a b', epoch: 0 }, { queue }),
      'OPTION_INVALID: a message that is data': () => broker.notify('a', 'x'.repeat(8_001)),
      'OPTION_INVALID: no queue at all': async () => broker.consume([], { concurrency: 1 }, async () => undefined),
      'OPTION_INVALID: no concurrency': async () => broker.consume(queue, { concurrency: 0 }, async () => undefined),
    };
    for (const [what, call] of Object.entries(refused)) {
      const error: unknown = await call().catch((thrown: unknown) => thrown);
      expect(isBatutaError(error) ? error.code : error, what).toBe(what.slice(0, what.indexOf(':')));
    }
    expect(await broker.stats(queue)).toEqual({ waiting: 0, delayed: 0, taken: 0 });
  });

  it('is well, and says so; closed, it refuses with one clear error', async () => {
    expect(await broker.health()).toEqual({ ok: true, latencyMs: expect.any(Number), problem: null });
    consume(broker, new Seen<Ticket>());
    await broker.close();
    await broker.close();
    expect(await broker.health()).toEqual({ ok: false, latencyMs: null, problem: expect.stringContaining('closed') });
    await expect(broker.put(newTickets(1), { queue })).rejects.toSatisfy((error) => isBatutaError(error, 'BROKER_UNAVAILABLE'));
    expect(() => broker.consume(queue, { concurrency: 1 }, async () => undefined)).toThrow('closed');
  });
});
