/** Tickets, over all brokers: put, brought once they are due, taken out. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import type { Broker, Ticket } from '../../../src/broker/broker.ts';
import { consume, gate, idsOf, makers, newTickets, queue, Seen } from './makers.ts';
import type { Place } from './makers.ts';

describe.each(makers)('$name', ({ makePlace, many }) => {
  let place: Place;
  let broker: Broker;
  beforeEach(async () => {
    place = await makePlace();
    broker = await place.open();
  });
  afterEach(() => place.remove());

  it('brings a ticket as it was put, and nothing else', async () => {
    const seen = new Seen<Ticket>();
    consume(broker, seen);
    const ticket: Ticket = { kind: 'task', id: 'a.b_c-1', epoch: 7 };
    await broker.put({ ...ticket, priority: 3, dueAt: null }, { queue });
    expect(await seen.count(1)).toEqual([ticket]);
  });

  it('brings tickets that were put before anybody consumed', async () => {
    const tickets = newTickets(3);
    await broker.put(tickets, { queue });
    expect(await broker.stats(queue)).toEqual({ waiting: 3, delayed: 0, taken: 0 });
    const seen = new Seen<Ticket>();
    consume(broker, seen, 1);
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
    consume(broker, seen, 1);
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
    const consumer = consume(broker, seen);
    await broker.put(ticket, { queue });
    await seen.count(1);
    await consumer.close();
    consume(broker, seen);
    await broker.put(ticket, { queue });
    await seen.count(2);
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
    consume(broker, seen, 100);
    await broker.put(newTickets(many), { queue });
    await seen.count(many);
    expect(new Set(idsOf(seen.all)).size).toBe(many);
    expect(seen.all).toHaveLength(many);
  });
});
