import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { isBatutaError } from '../../../src/base/errors.ts';
import type { Broker, Ticket } from '../../../src/broker/broker.ts';
import { gate, makers, newTickets, Seen } from './makers.ts';
import type { Place } from './makers.ts';

const queue = 'default';
const idsOf = (tickets: readonly Ticket[]): string[] => tickets.map(({ id }) => id);

describe.each(makers)('$name', ({ makePlace, shared, many }) => {
  let place: Place;
  let broker: Broker;
  let errors: unknown[];

  beforeEach(async () => {
    place = await makePlace();
    errors = [];
    broker = await place.open({ onError: (error) => errors.push(error) });
  });
  afterEach(() => place.remove());

  const consume = (seen: Seen<Ticket>, concurrency = 5, from: Broker = broker) =>
    from.consume(queue, { concurrency }, async (ticket) => seen.add(ticket));

  it('brings a ticket as it was put, and nothing else', async () => {
    const seen = new Seen<Ticket>();
    consume(seen);
    const ticket: Ticket = { kind: 'task', id: 'a.b_c-1', epoch: 7 };
    await broker.put({ ...ticket, priority: 3, dueAt: null }, { queue });
    expect(await seen.count(1)).toEqual([ticket]);
  });

  it('brings tickets that were put before anybody consumed', async () => {
    const tickets = newTickets(3);
    await broker.put(tickets, { queue });
    expect(await broker.stats(queue)).toEqual({ waiting: 3, delayed: 0, taken: 0 });
    const seen = new Seen<Ticket>();
    consume(seen, 1);
    expect(idsOf(await seen.count(3))).toEqual(idsOf(tickets));
  });

  it('keeps queues apart', async () => {
    const [here, there] = [new Seen<Ticket>(), new Seen<Ticket>()];
    const [ours, theirs] = [newTickets(2), newTickets(2)];
    broker.consume('ours', { concurrency: 1 }, async (ticket) => here.add(ticket));
    broker.consume('theirs', { concurrency: 1 }, async (ticket) => there.add(ticket));
    await broker.put(ours, { queue: 'ours' });
    await broker.put(theirs, { queue: 'theirs' });
    expect(idsOf(await here.count(2))).toEqual(idsOf(ours));
    expect(idsOf(await there.count(2))).toEqual(idsOf(theirs));
  });

  it('serves higher priorities first, equal ones in the order of putting', async () => {
    const [low, mid, top, other] = newTickets(4) as [Ticket, Ticket, Ticket, Ticket];
    await broker.put(
      [
        { ...low, priority: -100 },
        { ...mid, priority: 0 },
        { ...top, priority: 100 },
        { ...other, priority: 0 },
      ],
      { queue },
    );
    const seen = new Seen<Ticket>();
    consume(seen, 1);
    expect(idsOf(await seen.count(4))).toEqual(idsOf([top, mid, other, low]));
  });

  it('never brings a ticket before it is due, and brings it then', async () => {
    const seen = new Seen<{ readonly early: number }>();
    const dues = new Map<string, number>();
    broker.consume(queue, { concurrency: 5 }, async ({ id }) => seen.add({ early: (dues.get(id) ?? 0) - systemClock.now() }));
    const now = systemClock.now();
    const tickets = newTickets(20).map((ticket, index) => ({ ...ticket, dueAt: now + 50 + 15 * index }));
    for (const { id, dueAt } of tickets) dues.set(id, dueAt);
    await broker.put(tickets.toReversed(), { queue });
    const late = newTickets(1).map((ticket) => ({ ...ticket, dueAt: now + 3_600_000 }));
    await broker.put(late, { queue });
    const all = await seen.count(20);
    expect(all.filter(({ early }) => early > 0)).toEqual([]);
    expect(await broker.stats(queue)).toMatchObject({ waiting: 0, delayed: 1 });
  });

  it('takes a ticket that is put again for the one it has', async () => {
    const [ticket] = newTickets(1) as [Ticket];
    await broker.put(ticket, { queue });
    await broker.put([ticket, ticket], { queue });
    expect(await broker.stats(queue)).toEqual({ waiting: 1, delayed: 0, taken: 0 });
    const seen = new Seen<Ticket>();
    const hold = gate();
    broker.consume(queue, { concurrency: 5 }, async (taken) => {
      seen.add(taken);
      await hold.opened;
    });
    await seen.count(1);
    await broker.put(ticket, { queue });
    expect(await broker.stats(queue)).toEqual({ waiting: 0, delayed: 0, taken: 1 });
    await broker.put({ ...ticket, epoch: 1 }, { queue });
    expect((await seen.count(2)).map(({ epoch }) => epoch)).toEqual([0, 1]);
    hold.open();
  });

  it('brings a ticket again that is put after its handler has ended', async () => {
    const [ticket] = newTickets(1) as [Ticket];
    const seen = new Seen<Ticket>();
    const consumer = consume(seen);
    await broker.put(ticket, { queue });
    await seen.count(1);
    await consumer.close();
    consume(seen);
    await broker.put(ticket, { queue });
    await seen.count(2);
  });

  it('never works on more tickets at once than it was told, over all its queues', async () => {
    const seen = new Seen<Ticket>();
    const full = gate();
    let [now, most] = [0, 0];
    const consumer = broker.consume(['a', 'b', 'c'], { concurrency: 3 }, async (ticket) => {
      now += 1;
      most = Math.max(most, now);
      if (now === 3) full.open();
      await full.opened;
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      seen.add(ticket);
    });
    for (const name of ['a', 'b', 'c']) await broker.put(newTickets(40), { queue: name });
    await seen.count(120);
    expect(most).toBe(3);
    expect(consumer.running).toBeLessThanOrEqual(3);
  });

  it('serves the queue named first when a place becomes free', async () => {
    const seen = new Seen<string>();
    const hold = gate();
    broker.consume(['urgent', 'bulk'], { concurrency: 1 }, async (_ticket, delivery) => {
      seen.add(delivery.queue);
      if (seen.all.length === 1) await hold.opened;
    });
    await broker.put(newTickets(1), { queue: 'bulk' });
    await seen.count(1);
    await broker.put(newTickets(3), { queue: 'bulk' });
    await broker.put(newTickets(3), { queue: 'urgent' });
    hold.open();
    const order = await seen.count(7);
    expect(order.slice(-1)).toEqual(['bulk']);
    // How many of the other queue come between depends on when the wake-up arrives.
    expect(order.slice(0, 5).filter((name) => name === 'urgent').length).toBeGreaterThanOrEqual(2);
  });

  it('goes on after a handler that throws, and says so', async () => {
    const seen = new Seen<Ticket>();
    broker.consume(queue, { concurrency: 2 }, async (ticket) => {
      seen.add(ticket);
      if (seen.all.length % 2 === 1) throw new Error('handler fell over');
    });
    await broker.put(newTickets(10), { queue });
    await seen.count(10);
    await broker.close();
    expect(errors.map(String)).toEqual(Array.from({ length: 5 }, () => 'Error: handler fell over'));
    expect(new Set(idsOf(seen.all)).size).toBe(10);
  });

  it('takes nothing new once quiet, and leaves what waits to others', async () => {
    const seen = new Seen<Ticket>();
    const hold = gate();
    const consumer = broker.consume(queue, { concurrency: 2 }, async (ticket) => {
      seen.add(ticket);
      await hold.opened;
    });
    await broker.put(newTickets(2), { queue });
    await seen.count(2);
    await consumer.quiet();
    await consumer.quiet();
    const more = newTickets(3);
    await broker.put(more, { queue });
    hold.open();
    expect(await consumer.close()).toEqual([]);
    expect(seen.all).toHaveLength(2);
    const others = new Seen<Ticket>();
    consume(others);
    expect(new Set(idsOf(await others.count(3)))).toEqual(new Set(idsOf(more)));
  });

  it('waits on close for handlers at work, and gives back what takes longer than the deadline', async () => {
    const seen = new Seen<Ticket>();
    const [hold, never] = [gate(), gate()];
    const [short, long] = newTickets(2) as [Ticket, Ticket];
    const consumer = broker.consume(queue, { concurrency: 2 }, async (ticket) => {
      seen.add(ticket);
      await (ticket.id === short.id ? hold : never).opened;
    });
    await broker.put([short, long], { queue });
    await seen.count(2);
    const closing = consumer.close({ deadlineMs: 100 });
    hold.open();
    expect(await closing).toEqual([long]);
    expect(await consumer.close()).toEqual([long]);
    const others = new Seen<Ticket>();
    consume(others);
    expect(await others.count(1)).toEqual([long]);
    never.open();
  });

  it('takes a waiting ticket out, and no other', async () => {
    const [waiting, delayed, taken] = newTickets(3) as [Ticket, Ticket, Ticket];
    const seen = new Seen<Ticket>();
    const hold = gate();
    const consumer = broker.consume(queue, { concurrency: 1 }, async (ticket) => {
      seen.add(ticket);
      await hold.opened;
    });
    await broker.put(taken, { queue });
    await seen.count(1);
    await broker.put(waiting, { queue });
    await broker.put(delayed, { queue, dueAt: systemClock.now() + 60_000 });
    expect(await broker.remove(waiting, { queue })).toBe(true);
    expect(await broker.remove(delayed, { queue })).toBe(true);
    expect(await broker.remove(waiting, { queue })).toBe(false);
    expect(await broker.remove(taken, { queue })).toBe(false);
    hold.open();
    await consumer.close();
    expect(idsOf(seen.all)).toEqual([taken.id]);
    expect(await broker.stats(queue)).toEqual({ waiting: 0, delayed: 0, taken: 0 });
  });

  it('puts 10,000 tickets in one call', async () => {
    const tickets = newTickets(10_000);
    await broker.put(tickets, { queue });
    expect(await broker.stats(queue)).toMatchObject({ waiting: 10_000 });
    expect(await broker.remove(tickets[9_999] as Ticket, { queue })).toBe(true);
  });

  it(`brings ${many} tickets, each once`, async () => {
    const seen = new Seen<Ticket>();
    consume(seen, 100);
    await broker.put(newTickets(many), { queue });
    await seen.count(many);
    expect(new Set(idsOf(seen.all)).size).toBe(many);
    expect(seen.all).toHaveLength(many);
  });

  it('tells messages to all who listen to the channel, until they stop', async () => {
    const other = shared ? await place.open() : broker;
    const [here, there, elsewhere] = [new Seen<string>(), new Seen<string>(), new Seen<string>()];
    const stop = await broker.subscribe('run:1', (message) => here.add(message));
    await other.subscribe('run:1', (message) => there.add(message));
    await other.subscribe('run:2', (message) => elsewhere.add(message));
    await broker.notify('run:1', 'first');
    await Promise.all([here.count(1), there.count(1)]);
    stop();
    stop();
    await broker.notify('run:1', 'second');
    await broker.notify('run:2', 'last');
    expect(await there.count(2)).toEqual(['first', 'second']);
    expect(await elsewhere.count(1)).toEqual(['last']);
    expect(here.all).toEqual(['first']);
  });

  it('goes on after a listener that throws', async () => {
    const seen = new Seen<string>();
    await broker.subscribe('c', () => {
      throw new Error('listener fell over');
    });
    await broker.subscribe('c', (message) => seen.add(message));
    await broker.notify('c', 'still here');
    expect(await seen.count(1)).toEqual(['still here']);
    expect(errors.map(String)).toEqual(['Error: listener fell over']);
  });

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
    consume(new Seen<Ticket>());
    await broker.close();
    await broker.close();
    expect(await broker.health()).toEqual({ ok: false, latencyMs: null, problem: expect.stringContaining('closed') });
    await expect(broker.put(newTickets(1), { queue })).rejects.toSatisfy((error) => isBatutaError(error, 'BROKER_UNAVAILABLE'));
    expect(() => broker.consume(queue, { concurrency: 1 }, async () => undefined)).toThrow('closed');
  });
});

describe.each(makers.filter(({ shared }) => shared))('$name, several brokers', ({ makePlace }) => {
  let place: Place;
  beforeEach(async () => {
    place = await makePlace();
  });
  afterEach(() => place.remove());

  it('shares the work between two consumers of one queue', async () => {
    const [broker, other] = [await place.open(), await place.open()];
    const hold = gate();
    const seen = new Seen<{ readonly id: string; readonly by: string }>();
    const handlerOf = (by: string) => async (ticket: Ticket) => {
      seen.add({ id: ticket.id, by });
      await hold.opened;
    };
    broker.consume(queue, { concurrency: 2 }, handlerOf('here'));
    other.consume(queue, { concurrency: 2 }, handlerOf('there'));
    const tickets = newTickets(10);
    await broker.put(tickets, { queue });
    expect((await seen.count(4)).map(({ by }) => by).sort()).toEqual(['here', 'here', 'there', 'there']);
    hold.open();
    expect(new Set((await seen.count(10)).map(({ id }) => id))).toEqual(new Set(idsOf(tickets)));
  });
});
