/** Secrets, variables and connections over both makers: what is stored, who can read it, and moving it to another key. */
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { Keyring } from '../../../src/base/keyring.ts';
import { LocalConnections } from '../../../src/client/local-connections.ts';
import { LocalSecrets, LocalVariables } from '../../../src/client/local-secrets.ts';
import { NamedValueReader } from '../../../src/secrets/read-values.ts';
import type { Store } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';

const newKey = (): string => randomBytes(32).toString('hex');
const ringOf = (current: string | null, old: string | null = null) => Keyring.of('BATUTA_SECRET_KEY', current, old);

describe.each(makers)('secrets on $name', (maker) => {
  let here: Place;
  let store: Store;
  const first = newKey();
  const second = newKey();
  const partsOf = (key: string | null, old: string | null = null) => ({ store, clock: systemClock, keyring: () => ringOf(key, old) });
  const readerOf = (key: string | null, old: string | null = null) =>
    new NamedValueReader({ ...partsOf(key, old), resolvers: async () => ({ vault: async (path: string) => `from the vault: ${path}` }) });
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  test('a value that is set is read by code with the key, and stands nowhere in what is listed', async () => {
    const secrets = new LocalSecrets(partsOf(first));
    const entry = await secrets.set('stripe', { value: 'sk_live_8d8f7a', description: 'payments' });
    expect(entry).toMatchObject({
      name: 'stripe',
      kind: 'stored',
      reference: null,
      keyId: ringOf(first)?.currentId,
      description: 'payments',
    });
    expect(JSON.stringify([await secrets.list(), await secrets.get('stripe'), await store.secrets.list()])).not.toContain('sk_live');
    expect(await readerOf(first).secret('stripe')).toBe('sk_live_8d8f7a');
    await secrets.set('stripe', { value: 'sk_live_second' });
    expect(await secrets.get('stripe')).toMatchObject({ description: 'payments', createdAt: entry.createdAt });
    expect(await readerOf(first).secret('stripe')).toBe('sk_live_second');
    await secrets.delete('stripe');
    await expect(secrets.delete('stripe')).rejects.toMatchObject({ code: 'SECRET_NOT_FOUND' });
  });

  test('one that is not there is told with the name that is meant; without a key, or with another, that is said', async () => {
    const secrets = new LocalSecrets(partsOf(first));
    await secrets.set('stripe-key', { value: 'sk_live_8d8f7a' });
    await expect(readerOf(first).secret('stripe-kye')).rejects.toThrow("There is no secret 'stripe-kye'. Did you mean 'stripe-key'?");
    await expect(readerOf(null).secret('stripe-key')).rejects.toMatchObject({ code: 'SECRET_KEY_MISSING' });
    await expect(readerOf(second).secret('stripe-key')).rejects.toMatchObject({ code: 'SECRET_KEY_WRONG' });
    await expect(new LocalSecrets(partsOf(null)).set('x', { value: 'abcdef' })).rejects.toMatchObject({ code: 'SECRET_KEY_MISSING' });
  });

  test('a value that was changed in the database, or copied to another name, is not opened', async () => {
    const secrets = new LocalSecrets(partsOf(first));
    await secrets.set('low', { value: 'low-value' });
    await secrets.set('high', { value: 'high-value' });
    const [high, low] = await store.secrets.list();
    if (!high || !low || !('sealed' in high.value)) throw new Error('Both are stored.');
    await store.secrets.put({ ...low, value: high.value });
    await expect(readerOf(first).secret('low')).rejects.toMatchObject({ code: 'SECRET_UNREADABLE' });
    const sealed = `${high.value.sealed.slice(0, -3)}${high.value.sealed.endsWith('AAA') ? 'BBB' : 'AAA'}`;
    await store.secrets.put({ ...high, value: { sealed } });
    await expect(readerOf(first).secret('high')).rejects.toMatchObject({ code: 'SECRET_UNREADABLE' });
  });

  test('names and values that cannot be are refused', async () => {
    const secrets = new LocalSecrets(partsOf(first));
    for (const name of ['', '1st', 'a/b', 'x'.repeat(101), 'ü'])
      await expect(secrets.set(name, { value: 'abcdef' })).rejects.toMatchObject({ code: 'NAME_INVALID' });
    await expect(secrets.set('big', { value: 'x'.repeat(64 * 1024 + 1) })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(secrets.set('none', { value: '' })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    for (const reference of ['env', 'env:', 'env:A B', 'nothing'])
      await expect(secrets.set('ref', { reference })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    expect(await secrets.list()).toEqual([]);
  });

  test('references are read where they lead, each time, without a key', async () => {
    const secrets = new LocalSecrets(partsOf(null));
    await secrets.set('stripe', { reference: 'vault:kv/stripe' });
    expect(await readerOf(null).secret('stripe')).toBe('from the vault: kv/stripe');
    await secrets.set('home', { reference: 'env:BATUTA_TEST_NO_SUCH' });
    await expect(readerOf(null).secret('home')).rejects.toMatchObject({ code: 'SECRET_UNREADABLE' });
    await secrets.set('aws', { reference: 'valt:kv/stripe' });
    await expect(readerOf(null).secret('aws')).rejects.toThrow("Did you mean 'vault'?");
    await secrets.set('lost', { reference: 'file:/no/such/file' });
    await expect(readerOf(null).secret('lost')).rejects.toThrow('that file does not exist');
  });

  test('a rotation that ends half-way leaves every secret readable with both keys, and is ended by another', async () => {
    const secrets = new LocalSecrets(partsOf(first));
    const names = Array.from({ length: 20 }, (_, at) => `s${String(at).padStart(2, '0')}`);
    for (const name of names) await secrets.set(name, { value: `value of ${name}` });
    await new LocalConnections(partsOf(first)).set('db', {
      kind: 'postgres',
      fields: { host: 'h', database: 'd', user: 'u', password: 'pass-of-db' },
    });
    let left = 7;
    const dying = {
      ...store,
      secrets: {
        ...store.secrets,
        replace: async (...rows: Parameters<typeof store.secrets.replace>) => {
          if (left-- === 0) throw new Error('The process is killed.');
          return store.secrets.replace(...rows);
        },
      },
    };
    const rotating = new LocalSecrets({ ...partsOf(second, first), store: dying });
    await expect(rotating.rotate()).rejects.toThrow('The process is killed.');
    const keys = new Set((await secrets.list()).map(({ keyId }) => keyId));
    expect(keys.size).toBe(2);
    for (const name of names) expect(await readerOf(second, first).secret(name)).toBe(`value of ${name}`);
    await expect(Promise.all(names.map((name) => readerOf(second).secret(name)))).rejects.toMatchObject({ code: 'SECRET_KEY_WRONG' });

    const report = await new LocalSecrets(partsOf(second, first)).rotate();
    expect(report).toMatchObject({ moved: 14, current: 7, failed: [] });
    for (const name of names) expect(await readerOf(second).secret(name)).toBe(`value of ${name}`);
    expect((await readerOf(second).connection('db')).fields['password']).toBe('pass-of-db');
    expect(await new LocalSecrets(partsOf(second)).rotate()).toMatchObject({ moved: 0, current: 21 });
    await expect(new LocalSecrets(partsOf(null)).rotate()).rejects.toMatchObject({ code: 'SECRET_KEY_MISSING' });
  });

  test('a rotation does not overwrite what someone sets meanwhile, and names what it cannot read', async () => {
    const secrets = new LocalSecrets(partsOf(first));
    await secrets.set('a', { value: 'before' });
    await new LocalSecrets(partsOf(newKey())).set('lost', { value: 'of a key that is gone' });
    const racing = {
      ...store,
      secrets: {
        ...store.secrets,
        replace: async (...rows: Parameters<typeof store.secrets.replace>) => {
          await new LocalSecrets(partsOf(second)).set('a', { value: 'meanwhile' });
          return store.secrets.replace(...rows);
        },
      },
    };
    const report = await new LocalSecrets({ ...partsOf(second, first), store: racing }).rotate();
    expect(report.failed).toEqual([{ what: "secret 'lost'", why: expect.stringContaining('BATUTA_SECRET_KEY_OLD') }]);
    expect(await readerOf(second).secret('a')).toBe('meanwhile');
  });

  test('variables are any JSON, their callers get copies, and bad ones are refused', async () => {
    const variables = new LocalVariables(partsOf(null));
    const value = { at: 5, createdAt: 'text', list: [1, null, 'ü'] };
    await variables.set('settings', { value });
    expect((await variables.get('settings')).value).toEqual(value);
    expect(await variables.list()).toHaveLength(1);
    for (const odd of [undefined, 1n, () => 1])
      await expect(variables.set('odd', { value: odd })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(variables.set('big', { value: 'x'.repeat(256 * 1024) })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(variables.get('setings')).rejects.toThrow("Did you mean 'settings'?");
    await variables.delete('settings');
    await expect(variables.delete('settings')).rejects.toMatchObject({ code: 'VARIABLE_NOT_FOUND' });
  });

  test('a connection keeps its secret fields sealed, takes changes field by field, and says what does not fit', async () => {
    const connections = new LocalConnections(partsOf(first));
    await connections.set('warehouse', { kind: 'postgres', fields: { host: 'db', database: 'shop', user: 'etl', password: 'p@ss/word' } });
    expect(await connections.get('warehouse')).toMatchObject({ fields: { host: 'db', port: 5432 }, secrets: { password: null } });
    expect(JSON.stringify([await connections.list(), await store.connections.list()])).not.toContain('p@ss');
    expect((await readerOf(first).connection('warehouse')).fields).toEqual({
      host: 'db',
      port: 5432,
      database: 'shop',
      user: 'etl',
      password: 'p@ss/word',
    });
    await connections.set('warehouse', { fields: { host: 'db2', database: 'shop', user: 'etl' } });
    expect((await readerOf(first).connection('warehouse')).fields).toMatchObject({ host: 'db2', password: 'p@ss/word' });
    const bad = [
      { fields: { host: 'db', database: 'shop', user: 'etl', prot: 1 } },
      { fields: { host: 'db' } },
      { kind: 'oracle', fields: {} },
    ];
    for (const wish of bad) await expect(connections.set('warehouse', wish)).rejects.toMatchObject({ code: 'CONNECTION_INVALID' });
    await expect(connections.set('new', { fields: {} })).rejects.toMatchObject({ code: 'CONNECTION_INVALID' });
    await expect(connections.set('warehouse', { fields: { host: 'db', database: 'shop', user: 'etl', por: 1 } })).rejects.toThrow(
      "Did you mean 'port'?",
    );
    await expect(readerOf(first).connection('warehose')).rejects.toThrow("Did you mean 'warehouse'?");
  });
});
