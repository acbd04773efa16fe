import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Ticket } from '../../../src/broker/broker.ts';
import { makeFaulty } from '../../support/faulty-broker.ts';
import { makers, newTickets, Seen } from './makers.ts';
import type { Place } from './makers.ts';

const queue = 'default';

describe.each(makers.filter(({ name }) => name !== 'local (PostgreSQL)'))('a faulty broker over $name', ({ makePlace }) => {
  let place: Place;
  beforeEach(async () => {
    place = await makePlace();
  });
  afterEach(() => place.remove());

  it('brings every ticket to whoever puts the lost ones again, in whatever order and number', async () => {
    const broker = makeFaulty(await place.open(), { seed: 20_251_122, drop: 0.3, repeat: 0.3, delay: 0.3, reorder: true });
    const seen = new Seen<Ticket>();
    broker.consume(queue, { concurrency: 4 }, async (ticket) => seen.add(ticket));
    const tickets = newTickets(200);
    const missing = (): Ticket[] => tickets.filter(({ id }) => !seen.all.some((ticket) => ticket.id === id));
    for (let rest = tickets; rest.length > 0; rest = missing()) {
      await broker.put(rest, { queue });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(new Set(seen.all.map(({ id }) => id)).size).toBe(200);
    expect(seen.all.length).toBeGreaterThan(200);
    const { dropped, repeated, delayed } = broker.faults;
    expect([dropped > 0, repeated > 0, delayed > 0]).toEqual([true, true, true]);
  });

  it('loses and repeats messages, and brings none that was not sent', async () => {
    const broker = makeFaulty(await place.open(), { seed: 7, drop: 0.5, repeat: 0.5 });
    const heard = new Seen<string>();
    await broker.subscribe('c', (message) => heard.add(message));
    for (let number = 0; number < 50; number += 1) await broker.notify('c', String(number));
    await heard.count(50 - broker.faults.dropped + broker.faults.repeated);
    expect(heard.all.length).toBe(50 - broker.faults.dropped + broker.faults.repeated);
    expect(heard.all.every((message) => /^[0-4]?\d$/.test(message))).toBe(true);
  });
});
