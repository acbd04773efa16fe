/** Keys, sessions and the record of changes, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeId } from '../../../src/base/id.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { LocalAudit, LocalKeys, sessionMs } from '../../../src/client/local-access.ts';
import type { Store } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';

describe.each(makers)('keys on $name', (maker) => {
  let here: Place;
  let store: Store;
  let now: number;
  let keys: LocalKeys;
  let audit: LocalAudit;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
    now = Date.UTC(2026, 0, 1);
    const parts = { store, makeId, clock: { ...systemClock, now: () => now } };
    keys = new LocalKeys(parts);
    audit = new LocalAudit(parts);
  });
  afterEach(() => here.remove());

  test('are shown once, and kept as hashes only', async () => {
    const { key, entry } = await keys.create({ name: 'ci', role: 'operator' });
    expect(key).toMatch(/^batuta_[\w-]{43}$/);
    expect(await keys.find(key)).toMatchObject({ id: entry.id, name: 'ci', role: 'operator' });
    expect(JSON.stringify(await keys.list())).not.toContain(key);
    expect(await keys.find(`${key}x`)).toBeNull();
    expect(await keys.find('')).toBeNull();
    expect(await keys.find('x'.repeat(10_000))).toBeNull();
  });

  test('end when they expire or are revoked, and are still counted as made', async () => {
    expect(await keys.any()).toBe(false);
    const short = await keys.create({ name: 'short', role: 'viewer', expiresAt: now + 1000 });
    const gone = await keys.create({ name: 'gone', role: 'admin' });
    expect(await keys.anyUsable()).toBe(true);
    const revoked = await keys.revoke(gone.entry.id);
    now += 1000;
    expect(revoked.revokedAt).toBe(now - 1000);
    expect((await keys.revoke(gone.entry.id)).revokedAt).toBe(now - 1000);
    expect(await keys.find(short.key)).toBeNull();
    expect(await keys.find(gone.key)).toBeNull();
    expect(await keys.any()).toBe(true);
    expect(await keys.anyUsable()).toBe(false);
    await expect(keys.revoke('nobody')).rejects.toMatchObject({ code: 'KEY_NOT_FOUND' });
  });

  test('remember to the minute when they were used last', async () => {
    const { key, entry } = await keys.create({ name: 'ci', role: 'viewer' });
    const lastUsed = async () => (await keys.list()).find(({ id }) => id === entry.id)?.lastUsedAt;
    await keys.find(key);
    const first = now;
    now += 59_000;
    await keys.find(key);
    expect(await lastUsed()).toBe(first);
    now += 1_000;
    await keys.find(key);
    expect(await lastUsed()).toBe(now);
  });

  test('with a bad name, role or expiry are refused', async () => {
    for (const name of ['', 'a b', 'ä', 'x'.repeat(101), '../etc', '<b>']) {
      await expect(keys.create({ name, role: 'viewer' })).rejects.toMatchObject({ code: 'NAME_INVALID' });
    }
    await expect(keys.create({ name: 'a', role: 'root' as 'admin' })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(keys.create({ name: 'a', role: 'admin', expiresAt: now })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    expect(await keys.list()).toEqual([]);
  });

  test('open sessions that end with their time, their key or by logging out', async () => {
    const { key, entry } = await keys.create({ name: 'ada', role: 'operator' });
    expect(await keys.logIn('batuta_wrong')).toBeNull();
    const first = await keys.logIn(key);
    const second = await keys.logIn(key);
    if (!first || !second) throw new Error('Nobody is logged in.');
    expect(await keys.ofSession(first.token)).toMatchObject({ name: 'ada', role: 'operator' });
    await keys.logOut(first.token);
    expect(await keys.ofSession(first.token)).toBeNull();
    now += sessionMs - 1;
    expect(await keys.ofSession(second.token)).toMatchObject({ name: 'ada' });
    now += 1;
    expect(await keys.ofSession(second.token)).toBeNull();
    const third = await keys.logIn(key);
    await keys.revoke(entry.id);
    expect(await keys.ofSession(third?.token ?? '')).toBeNull();
    expect(await keys.ofSession('')).toBeNull();
  });

  test('from the environment are made once, and stay revoked', async () => {
    await expect(keys.bootstrap('short')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    const given = '9f2c41d7b05e8a36c1f47d92e0ab5c38';
    await keys.bootstrap(given);
    await keys.bootstrap(given);
    const [entry, ...others] = await keys.list();
    expect(others).toEqual([]);
    expect(await keys.find(given)).toMatchObject({ name: 'bootstrap', role: 'admin' });
    await keys.revoke(entry?.id ?? '');
    await keys.bootstrap(given);
    expect(await keys.find(given)).toBeNull();
  });

  test('leave a record of changes that is kept until an instant, however much of it there is', async () => {
    const entry = { keyId: null, who: 'local', action: 'runs.cancel', target: null, details: null };
    for (let at = 0; at < 2_100; at += 100)
      await Promise.all(Array.from({ length: 100 }, (_, one) => store.audit.add({ ...entry, at: at + one })));
    await store.audit.prune(2_095);
    expect((await store.audit.list({ limit: 1_000 })).items.map(({ at }) => at).toSorted((a, b) => a - b)).toEqual([
      2_095, 2_096, 2_097, 2_098, 2_099,
    ]);
  });

  test('leave a record of changes, newest first and page by page', async () => {
    for (let at = 0; at < 5; at++)
      await audit.record({
        keyId: null,
        who: 'local',
        action: 'runs.cancel',
        target: `run-${at}`,
        details: at === 4 ? { message: '<b>' } : null,
      });
    const first = await audit.list({ limit: 2 });
    expect(first.items.map(({ target }) => target)).toEqual(['run-4', 'run-3']);
    expect(first.items[0]).toMatchObject({ at: now, who: 'local', details: { message: '<b>' } });
    const second = await audit.list({ limit: 10, cursor: first.next ?? '' });
    expect(second.items.map(({ target }) => target)).toEqual(['run-2', 'run-1', 'run-0']);
    expect(second.next).toBeNull();
    await expect(audit.list({ cursor: 'rubbish' })).rejects.toMatchObject({ code: 'FILTER_INVALID' });
    await expect(audit.list({ limit: 0 })).rejects.toMatchObject({ code: 'FILTER_INVALID' });
  });
});
