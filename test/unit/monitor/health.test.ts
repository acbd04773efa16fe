import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { diskCheck } from '../../../src/monitor/health/disk-check.ts';
import { degraded, Health, type HealthCheck, healthy, ownChecks, unhealthy } from '../../../src/monitor/health/health.ts';
import { gate } from '../../support/make-flow.ts';

const well = (name: string): HealthCheck => ({ name, check: async () => healthy('well') });
const statusesOf = async (checks: readonly HealthCheck[]) =>
  (await new Health(checks, systemClock).read()).checks.map(({ status }) => status);

describe('health', () => {
  test('is as bad as the worst of its checks, which are listed in order', async () => {
    const health = new Health(
      [
        well('a'),
        { name: 'b', check: async () => unhealthy('broken', 'Mend it.') },
        { name: 'c', check: async () => degraded('slow', 'Wait.') },
      ],
      systemClock,
    );
    const { status, checks, history } = await health.read();
    expect(status).toBe('unhealthy');
    expect(checks.map(({ name, found, mend }) => [name, found, mend])).toEqual([
      ['a', 'well', null],
      ['b', 'broken', 'Mend it.'],
      ['c', 'slow', 'Wait.'],
    ]);
    expect(history).toMatchObject([{ status: 'unhealthy', check: 'b' }]);
  });

  test('makes its checks at the same time', async () => {
    const met = gate();
    const waits: HealthCheck = { name: 'waits', check: () => met.opened.then(() => healthy('met')) };
    const opens: HealthCheck = { name: 'opens', check: async () => (met.open(), healthy('opened')) };
    expect((await new Health([waits, opens], systemClock).read()).status).toBe('healthy');
  });

  test('waits for a check no longer than its time: then it is unhealthy, its signal aborts, and the others are reported', async () => {
    let aborted = false;
    const hangs: HealthCheck = {
      ...{ name: 'hangs', timeoutMs: 20, mend: 'Look.' },
      check: (signal) => new Promise(() => signal.addEventListener('abort', () => (aborted = true))),
    };
    const { status, checks } = await new Health([hangs, well('other')], systemClock).read();
    expect([status, checks[0]?.found, checks[0]?.mend, checks[1]?.status]).toEqual([
      'unhealthy',
      'It did not answer within 20 ms.',
      'Look.',
      'healthy',
    ]);
    expect(aborted).toBe(true);
  });

  test('keeps an answer for its time, however often it is asked, and makes no check twice at once', async () => {
    let now = 1_000_000;
    let made = 0;
    const health = new Health([{ name: 'one', check: async () => healthy(`made ${++made}`) }], { ...systemClock, now: () => now });
    await Promise.all([health.read(), health.read(), health.read()]);
    now += 4_999;
    expect((await health.read()).checks[0]?.found).toBe('made 1');
    now += 1;
    expect((await health.read()).checks[0]?.found).toBe('made 2');
  });

  test('remembers its changes, newest first, and nothing while it stays as it is', async () => {
    let status: 'healthy' | 'degraded' = 'healthy';
    const check: HealthCheck = { name: 'turns', keepMs: 0, check: async () => ({ status, found: status, mend: null }) };
    const health = new Health([check], systemClock);
    await health.read();
    await health.read();
    status = 'degraded';
    await health.read();
    status = 'healthy';
    const { history } = await health.read();
    expect(history.map((change) => [change.status, change.check])).toEqual([
      ['healthy', null],
      ['degraded', 'turns'],
      ['healthy', null],
    ]);
  });
});

describe('a check of a project', () => {
  test.each([
    ['nothing', () => undefined, 'healthy', 'well'],
    ['true', async () => true, 'healthy', 'well'],
    ['false', () => false, 'unhealthy', 'it says no'],
    ['a finding', () => ({ status: 'degraded' as const, found: 'slow' }), 'degraded', 'slow'],
    ['a status that is none', () => ({ status: 'fine' }) as never, 'unhealthy', 'it answered the status "fine", which is none'],
    [
      'an error',
      () => {
        throw new Error('no route to host');
      },
      'unhealthy',
      'no route to host',
    ],
  ])('that gives %s is told as what it means', async (_what, check, status, found) => {
    const { checks } = await new Health(ownChecks({ warehouse: check }), systemClock).read();
    expect(checks).toMatchObject([{ name: 'warehouse', status, found }]);
  });
});

describe('the disk', () => {
  const gib = 1024 ** 3;
  const at = async (freeBytes: number, totalBytes: number) => {
    const check = diskCheck({ databaseUrl: 'sqlite:/data/batuta.db', results: '/data/results' }, async () => ({ freeBytes, totalBytes }));
    return check === null ? [] : await statusesOf([check]);
  };

  test('is healthy with room, degraded with little, unhealthy with none', async () => {
    expect(await at(50 * gib, 100 * gib)).toEqual(['healthy']);
    expect(await at(1 * gib, 5 * gib)).toEqual(['healthy']);
    expect(await at(1 * gib, 100 * gib)).toEqual(['degraded']);
    expect(await at(gib / 20, 100 * gib)).toEqual(['unhealthy']);
  });

  test('is looked at where this machine keeps something, also before its folder is made', async () => {
    expect(diskCheck({ databaseUrl: 'postgres://db/batuta', results: 'store' })).toBeNull();
    const check = diskCheck({ databaseUrl: 'sqlite:/tmp/there/is/no/such/folder/batuta.db', results: 'store' });
    expect((await check?.check(new AbortController().signal))?.found).toContain('free at /tmp/there/is/no/such/folder');
  });
});
