/** Rates that are listed, and those that are left behind, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { makeId } from '../../../src/base/id.ts';
import { FleetReader } from '../../../src/monitor/fleet-figures.ts';
import type { Connection } from '../../../src/store/connection.ts';
import { rateAdvance } from '../../../src/store/limits/rate-advance.ts';
import { openPostgres } from '../../../src/store/postgres/connection.ts';
import { openSqlite } from '../../../src/store/sqlite/connection.ts';
import type { Store } from '../../../src/store/store.ts';
import { makers, type Place } from './makers.ts';

const hour = 3_600_000;

describe.each(makers)('rates as they stand on $name', (maker) => {
  let here: Place;
  let store: Store;
  let connection: Connection;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
    connection =
      maker.name === 'sqlite'
        ? await openSqlite(here.url.slice('sqlite:'.length), { clock: systemClock, busyTimeoutMs: 60_000 })
        : await openPostgres(here.url, { reconnectTimeoutMs: 15_000, connections: 3 });
  });
  afterEach(async () => {
    await connection.close();
    await here.remove();
  });

  const setRate = (limit: number, perMs: number, name = 'tag:api') => store.rates.setTagRate(name, { limit, perMs, key: null });
  const begin = (name: string, base = name) =>
    store.rates.ask([{ holder: makeId(), start: makeId(), runId: makeId(), task: 'send', names: [{ name, base }], priority: 0 }], {
      withinMs: 2_000,
      aheadMs: 0,
    });

  /** A window that was over long ago. */
  async function leaveWindow(): Promise<void> {
    await setRate(1, 100);
    await begin('tag:api');
    await connection.query('update rate_windows set touched_at = touched_at - 120000');
  }
  const left = async (): Promise<unknown[]> => [
    ...(await connection.query('select name from rate_windows')),
    ...(await connection.query('select name from rate_starts')),
  ];

  test('what nobody uses any more is cleared away', async () => {
    await leaveWindow();
    expect(await left()).toHaveLength(2);
    await store.rates.advance();
    await store.rates.advance();
    expect(await left()).toEqual([]);
  });

  test('what nobody uses any more is looked for with the first pass of a store, then once in a while', async () => {
    const [seldom, often] = [rateAdvance(connection, hour), rateAdvance(connection, 0)];
    await leaveWindow();
    await seldom();
    expect(await left()).toEqual([]);
    await leaveWindow();
    await seldom();
    expect(await left()).toHaveLength(2);
    await often();
    expect(await left()).toEqual([]);
    await leaveWindow();
    await often();
    expect(await left()).toEqual([]);
  });

  test('lists each rate under what declares it, and each value of its key', async () => {
    await store.rates.setTagRate('tag:api', { limit: 2, perMs: hour, key: '{customer}' });
    await setRate(3, hour, 'tag:a:b');
    await begin('tag:api:acme', 'tag:api');
    await begin('tag:a%3Ab', 'tag:a:b');
    expect(await store.rates.views()).toMatchObject([
      { name: 'tag:a:b', base: 'tag:a:b', key: null, limit: 3, used: 1 },
      { name: 'tag:api', base: 'tag:api', key: '{customer}', limit: 2, used: 0 },
      { name: 'tag:api:acme', base: 'tag:api', key: null, limit: 2, used: 1 },
    ]);
  });

  test('a rate that is called as one value of the key of another is counted apart from it', async () => {
    await store.rates.setTagRate('tag:a', { limit: 2, perMs: hour, key: '{customer}' });
    await setRate(3, hour, 'tag:a:b');
    await begin('tag:a:b', 'tag:a');
    await begin('tag:a%3Ab', 'tag:a:b');
    await begin('tag:a%3Ab', 'tag:a:b');
    expect((await store.rates.views()).map(({ name }) => name)).toEqual(['tag:a', 'tag:a:b', 'tag:a:b']);
    const figures = await new FleetReader({ store, clock: systemClock, leaseMs: 60_000 }).read();
    expect(Object.fromEntries(figures.rates.map(({ name, limit, used }) => [name, [used, limit]]))).toEqual({
      'tag:a': [0, 2],
      'tag:a:b': [1, 2],
      'tag:a%3Ab': [2, 3],
    });
  });
});
