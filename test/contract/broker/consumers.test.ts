/** Consumers of tickets, over all brokers: how many at a time, in which order, and how they end. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Broker, Delivery, Ticket } from '../../../src/broker/broker.ts';
import { consume, gate, idsOf, makers, newTickets, queue, Seen } from './makers.ts';
import type { Place } from './makers.ts';
import { until } from '../../support/room.ts';

describe.each(makers)('$name', ({ makePlace }) => {
  let place: Place;
  let broker: Broker;
  let errors: unknown[];
  beforeEach(async () => {
    place = await makePlace();
    errors = [];
    broker = await place.open({ onError: (error) => errors.push(error) });
  });
  afterEach(() => place.remove());

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

  it('takes a queue that comes later before those it was made with, within the same places, and only once', async () => {
    const seen = new Seen<string>();
    const hold = gate();
    let [now, most] = [0, 0];
    const consumer = broker.consume(['bulk'], { concurrency: 1 }, async (_ticket, delivery) => {
      most = Math.max(most, (now += 1));
      seen.add(delivery.queue);
      if (seen.all.length === 1) await hold.opened;
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
    });
    expect(() => consumer.serveFirst('no name')).toThrow(/is not a valid name for a queue/);
    await broker.put(newTickets(1), { queue: 'bulk' });
    await seen.count(1);
    consumer.serveFirst('own');
    consumer.serveFirst('own');
    await broker.put(newTickets(4), { queue: 'bulk' });
    await broker.put(newTickets(4), { queue: 'own' });
    hold.open();
    const order = await seen.count(9);
    expect(most).toBe(1);
    expect(order.slice(-1)).toEqual(['bulk']);
    // How many of the other queue come between depends on when the wake-up arrives.
    expect(order.slice(0, 7).filter((name) => name === 'own').length).toBeGreaterThanOrEqual(3);
    await consumer.quiet();
    consumer.serveFirst('late');
    await broker.put(newTickets(1), { queue: 'late' });
    expect(await consumer.close()).toEqual([]);
    expect(await broker.stats('late')).toEqual({ waiting: 1, delayed: 0, taken: 0 });
  });

  it('keeps places for a ticket that needs several, which is not overtaken, and has them back however its handler ends', async () => {
    const begun = new Seen<string>();
    const gates = [gate(), gate(), gate()];
    let used = 0;
    let heavy: string | null = null;
    const consumer = broker.consume(queue, { concurrency: 3 }, async ({ id }, { places }) => {
      const at = begun.all.length;
      if (heavy === null || id !== heavy) {
        begun.add(id);
        await gates[Math.min(at, 2)]?.opened;
        return;
      }
      expect(await places.widen(3)).toBe(true);
      begun.add(id);
      used = consumer.placesUsed;
      throw new Error('it fell over');
    });
    const [one, two, three, ...late] = newTickets(8) as [Ticket, Ticket, Ticket, ...Ticket[]];
    heavy = three.id;
    await broker.put([one, two], { queue });
    await begun.count(2);
    await broker.put(three, { queue });
    await until(() => consumer.running === 3 && consumer.placesUsed === 2);
    await broker.put(late, { queue });
    gates[2]?.open();
    gates[0]?.open();
    await until(() => consumer.placesUsed === 1);
    expect(begun.all).toHaveLength(2);
    gates[1]?.open();
    const order = await begun.count(8);
    expect(order[2]).toBe(three.id);
    expect(used).toBe(3);
    await until(() => consumer.placesUsed === 0);
    expect(errors.map(String)).toEqual(['Error: it fell over']);
  });

  it('gives a ticket back that its handler wants to be given back, to this taker or another', async () => {
    const seen = new Seen<string>();
    const handler = async ({ id }: Ticket, { giveBack }: Delivery): Promise<void> => {
      seen.add(id);
      if (seen.all.filter((one) => one === id).length < 3) giveBack();
    };
    broker.consume(queue, { concurrency: 2 }, handler);
    const tickets = newTickets(5);
    await broker.put(tickets, { queue });
    const taken = await seen.count(15);
    for (const { id } of tickets) expect(taken.filter((one) => one === id)).toHaveLength(3);
    await until(async () => {
      const { waiting, taken: held } = await broker.stats(queue);
      return waiting + held === 0;
    });
    expect(errors).toEqual([]);
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
    consume(broker, others);
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
    consume(broker, others);
    expect(await others.count(1)).toEqual([long]);
    never.open();
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
