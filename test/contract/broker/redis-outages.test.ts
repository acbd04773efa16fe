import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isBatutaError } from '../../../src/base/errors.ts';
import type { Broker, Ticket } from '../../../src/broker/broker.ts';
import { startRedis } from '../../support/redis.ts';
import type { OwnRedis } from '../../support/redis.ts';
import { gate, newTickets, place as placeOf, Seen } from './makers.ts';
import type { Place } from './makers.ts';
import { startProxy } from './redis-proxy.ts';

const queue = 'default';
const memory = 'sqlite::memory:';
const isUnavailable = (error: unknown): boolean => isBatutaError(error, 'BROKER_UNAVAILABLE');

describe('a Redis that comes and goes', () => {
  let redis: OwnRedis;
  let place: Place;
  let broker: Broker;
  let errors: unknown[];
  let seen: Seen<Ticket>;

  beforeEach(async () => {
    redis = await startRedis();
    place = placeOf(redis.url, memory, () => redis.stop());
    errors = [];
    seen = new Seen();
    broker = await place.open({ onError: (error) => errors.push(error) });
  });
  afterEach(() => place.remove());

  const consume = () => broker.consume(queue, { concurrency: 4 }, async (ticket) => seen.add(ticket));
  /** As the reconciler of a store does it: puts until the broker has it. */
  const putUntilTaken = async (tickets: readonly Ticket[]): Promise<void> => {
    for (;;) {
      try {
        return await broker.put(tickets, { queue });
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  };

  /** What is sent before the listener is back is lost, so it is sent again. */
  const tellUntilHeard = async (heard: Seen<string>): Promise<void> => {
    const telling = setInterval(() => void broker.notify('c', 'back'), 20);
    await heard.count(1);
    clearInterval(telling);
  };

  it('is flushed while tickets are worked on: they end in peace, and new ones come', async () => {
    const hold = gate();
    const consumer = broker.consume(queue, { concurrency: 4 }, async (ticket) => {
      seen.add(ticket);
      await hold.opened;
    });
    await broker.put(newTickets(6), { queue });
    await seen.count(4);
    await redis.command('FLUSHALL');
    hold.open();
    const more = newTickets(3);
    await broker.put(more, { queue });
    await seen.count(7);
    expect(await consumer.close()).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('forgets its scripts and is taught them again', async () => {
    consume();
    await broker.put(newTickets(1), { queue });
    await seen.count(1);
    await redis.command('SCRIPT', 'FLUSH');
    await broker.put(newTickets(1), { queue });
    await seen.count(2);
  });

  it('is started again on the same port: the consumer goes on, and one outage is reported once', async () => {
    consume();
    await broker.put(newTickets(1), { queue });
    await seen.count(1);
    await redis.kill();
    await redis.start();
    await putUntilTaken(newTickets(2));
    await seen.count(3);
    expect(errors.filter((error) => !isUnavailable(error))).toEqual([]);
    expect(errors.length).toBeLessThanOrEqual(2);
  });

  it('is down for a while: a put is refused at once, messages are lost in silence, and then all goes on', async () => {
    const heard = new Seen<string>();
    await broker.subscribe('c', (message) => heard.add(message));
    consume();
    await redis.kill();
    await expect(broker.put(newTickets(1), { queue })).rejects.toSatisfy(isUnavailable);
    await expect(broker.put(newTickets(1), { queue: 'new-one' })).rejects.toSatisfy(isUnavailable);
    await expect(broker.stats(queue)).rejects.toSatisfy(isUnavailable);
    await broker.notify('c', 'lost');
    expect(await broker.health()).toMatchObject({ ok: false, problem: expect.stringContaining('cannot be reached') });
    // Made in the outage, it begins when that ends.
    const late = new Seen<Ticket>();
    broker.consume('late', { concurrency: 1 }, async (ticket) => late.add(ticket));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await redis.start();
    await putUntilTaken(newTickets(1));
    await seen.count(1);
    await broker.put(newTickets(1), { queue: 'late' });
    await late.count(1);
    await tellUntilHeard(heard);
    expect(heard.all).not.toContain('lost');
    expect(await broker.health()).toMatchObject({ ok: true });
  });

  it('throws everybody out: nobody need be connected by hand', async () => {
    const heard = new Seen<string>();
    await broker.subscribe('c', (message) => heard.add(message));
    consume();
    await broker.put(newTickets(1), { queue });
    await seen.count(1);
    await redis.command('CLIENT', 'KILL', 'SKIPME', 'yes');
    await putUntilTaken(newTickets(2));
    await seen.count(3);
    await tellUntilHeard(heard);
  });

  it('is gone when a handler ends, and when a consumer is closed: both end', async () => {
    const hold = gate();
    const consumer = broker.consume(queue, { concurrency: 1 }, async (ticket) => {
      seen.add(ticket);
      await hold.opened;
    });
    await broker.put(newTickets(1), { queue });
    await seen.count(1);
    await redis.kill();
    hold.open();
    expect(await consumer.close()).toEqual([]);
    await broker.close();
  });

  it('is asked by a broker that is closed in the outage: it closes', async () => {
    consume();
    await broker.subscribe('c', () => undefined);
    await redis.kill();
    await broker.close();
  });
});

describe('connections that die without a word', () => {
  it('are found by the watchdog, and the consumer is connected anew', async () => {
    const redis = await startRedis();
    const proxy = await startProxy(redis.port);
    const place = placeOf(`redis://127.0.0.1:${proxy.port}`, memory, async () => undefined);
    const direct = placeOf(redis.url, memory, () => redis.stop());
    try {
      const errors: unknown[] = [];
      const seen = new Seen<Ticket>();
      const consumer = (await place.open({ deafAfterMs: 2_000, onError: (error) => errors.push(error) })).consume(
        queue,
        { concurrency: 2 },
        async (ticket) => seen.add(ticket),
      );
      const producer = await direct.open();
      await producer.put(newTickets(1), { queue });
      await seen.count(1);
      // What is connected now is heard no more, and not told so; the connection that asks is the first and stays.
      proxy.silence(1);
      await producer.put(newTickets(1), { queue });
      await seen.count(2);
      expect(errors.map(String)).toEqual([expect.stringContaining('reconnected')]);
      expect(await consumer.close()).toEqual([]);
    } finally {
      await place.remove();
      await direct.remove();
      await proxy.stop();
    }
  });
});
