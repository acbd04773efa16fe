/** A Redis that is looked at when a broker is opened: refused, or warned of. */
import { Redis } from 'ioredis';
import { describe, expect, it, vi } from 'vitest';
import { isBatutaError } from '../../../src/base/errors.ts';
import type { Ticket } from '../../../src/broker/broker.ts';
import { checkRedis } from '../../../src/broker/open.ts';
import { freePort, startRedis } from '../../support/redis.ts';
import { newTickets, place as placeOf, Seen } from './makers.ts';
import { startProxy } from './redis-proxy.ts';

const queue = 'default';
const memory = 'sqlite::memory:';
const isUnavailable = (error: unknown): boolean => isBatutaError(error, 'BROKER_UNAVAILABLE');

/** Writes until it takes no more. */
async function fillRedis(url: string): Promise<void> {
  const redis = new Redis(url);
  try {
    for (let at = 0; at < 1_000; at++) await redis.set(`filler-${at}`, 'x'.repeat(20_000));
  } catch {
    // It is full.
  } finally {
    redis.disconnect();
  }
}

describe('a Redis that cannot be used', () => {
  const openAt = async (url: string): Promise<unknown> => {
    const place = placeOf(url, memory, async () => undefined);
    try {
      await place.open();
      return 'opened';
    } catch (error) {
      return error;
    } finally {
      await place.remove();
    }
  };

  it('refuses the password: one clear error, without the password', async () => {
    const redis = await startRedis(['--requirepass', 'right'], ':right@');
    try {
      const wrong = await openAt(redis.url.replace('right', 'wrong'));
      expect(wrong).toSatisfy(isUnavailable);
      expect(String(wrong)).toContain('refuses the user or password');
      expect(String(wrong)).not.toContain('wrong@');
      expect(String(await openAt(redis.url.replace(':right@', '')))).toContain('asks for a password');
      expect(await openAt(redis.url)).toBe('opened');
    } finally {
      await redis.stop();
    }
  });

  it('is not there, has no such name, or speaks no TLS: one clear error each', async () => {
    const port = await freePort();
    expect(String(await openAt(`redis://127.0.0.1:${port}`))).toMatch(
      /Redis at redis:\/\/127.0.0.1:\d+ cannot be reached \(.*ECONNREFUSED/,
    );
    expect(String(await openAt('redis://no-such-host.invalid'))).toContain('cannot be reached');
    const redis = await startRedis();
    try {
      expect(await openAt(redis.url.replace('redis:', 'rediss:'))).toSatisfy(isUnavailable);
    } finally {
      await redis.stop();
    }
  });

  it('has used nearly all its memory: told by the check', async () => {
    const redis = await startRedis(['--maxmemory', '2mb', '--maxmemory-policy', 'noeviction']);
    const roomy = await startRedis(['--maxmemory', '200mb', '--maxmemory-policy', 'noeviction']);
    try {
      await fillRedis(redis.url);
      expect((await checkRedis(redis.url)).warnings).toEqual([expect.stringMatching(/uses \d+ % of its maxmemory/)]);
      expect((await checkRedis(roomy.url)).warnings).toEqual([]);
    } finally {
      await redis.stop();
      await roomy.stop();
    }
  });

  it('throws keys away when full: said loudly at the start, and by the check', async () => {
    const redis = await startRedis(['--maxmemory-policy', 'allkeys-lru']);
    const warnings: string[] = [];
    const place = placeOf(redis.url, memory, () => redis.stop());
    try {
      await place.open({ onWarning: (sentence) => warnings.push(sentence) });
      expect(warnings).toEqual([expect.stringContaining('allkeys-lru')]);
      expect(await checkRedis(redis.url)).toMatchObject({
        evictionPolicy: 'allkeys-lru',
        warnings: [expect.stringContaining('noeviction')],
      });
    } finally {
      await place.remove();
    }
  });
});

describe('what is said of a server', () => {
  it('that throws keys away is said by our warning alone: BullMQ prints nothing beside it', async () => {
    const redis = await startRedis(['--maxmemory-policy', 'allkeys-lru']);
    const printed = (['log', 'info', 'warn', 'error'] as const).map((method) =>
      vi.spyOn(console, method).mockImplementation(() => undefined),
    );
    const warnings: string[] = [];
    const seen = new Seen<Ticket>();
    const place = placeOf(redis.url, memory, () => redis.stop());
    try {
      const broker = await place.open({ onWarning: (sentence) => warnings.push(sentence) });
      broker.consume(queue, { concurrency: 2 }, async (ticket) => seen.add(ticket));
      await broker.put(newTickets(2), { queue });
      await seen.count(2);
      expect(printed.flatMap(({ mock }) => mock.calls)).toEqual([]);
      expect(warnings).toHaveLength(1);
    } finally {
      for (const spy of printed) spy.mockRestore();
      await place.remove();
    }
  });

  it.each([
    ['4.0.0', [], /is version 4\.0\.0+; tickets need 5\.0 or newer/],
    ['6.0.0', [expect.stringMatching(/version 6\.0\.0+; 6\.2 is the oldest/)], null],
  ])('that is of version %s is warned of, or refused where tickets cannot work', async (version, expected, refusal) => {
    const redis = await startRedis();
    const proxy = await startProxy(redis.port, (bytes) =>
      Buffer.from(
        bytes.toString('latin1').replace(/redis_version:[\d.]+/, (line) => `redis_version:${version}`.padEnd(line.length, '0')),
        'latin1',
      ),
    );
    const warnings: string[] = [];
    const place = placeOf(`redis://127.0.0.1:${proxy.port}`, memory, () => redis.stop());
    try {
      const opened = await place.open({ onWarning: (sentence) => warnings.push(sentence) }).catch((error: unknown) => error);
      expect(warnings).toEqual(expected);
      expect(isUnavailable(opened)).toBe(refusal !== null);
      if (refusal !== null) expect(String(opened)).toMatch(refusal);
    } finally {
      await place.remove();
      await proxy.stop();
    }
  });
});
