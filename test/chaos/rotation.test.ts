/** A rotation of secrets whose process is killed again and again: no value is lost, and what is left is moved by the next one. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { Keyring } from '../../src/base/keyring.ts';
import { LocalConnections } from '../../src/client/local-connections.ts';
import { LocalSecrets } from '../../src/client/local-secrets.ts';
import { NamedValueReader } from '../../src/secrets/read-values.ts';
import { makers } from '../contract/store/makers.ts';
import { compileProgram, type Outcome, type Program, startProgram } from '../support/run-source.ts';
import type { RotationOrder } from './rotation-program.ts';

const keys = { old: randomBytes(32).toString('hex'), key: randomBytes(32).toString('hex') };
const ringOf = (key: string, old: string | null = null) => Keyring.of('BATUTA_SECRET_KEY', key, old);
const names = Array.from({ length: 12 }, (_, at) => `secret-${at}`);
const ports = ['db-1', 'db-2'];

let program: Program;
beforeAll(async () => {
  program = await compileProgram(`import './test/chaos/rotation-program.ts';`);
});
afterAll(() => program.remove());

describe.each(makers)('a rotation on $name', (maker) => {
  test('that is killed before and after writes loses nothing, and ends with all values under the new key', {
    timeout: 60_000,
  }, async () => {
    const place = await maker.makePlace();
    try {
      const store = await place.open();
      const parts = { store, clock: systemClock, keyring: () => ringOf(keys.old) };
      for (const name of names) await new LocalSecrets(parts).set(name, { value: `value of ${name}` });
      for (const name of ports)
        await new LocalConnections(parts).set(name, {
          kind: 'postgres',
          fields: { host: 'h', database: 'd', user: 'u', password: `password of ${name}` },
        });
      const read = async (ring: Keyring | null): Promise<string[]> => {
        const reader = new NamedValueReader({ store, clock: systemClock, keyring: () => ring, resolvers: async () => ({}) });
        const secrets = await Promise.all(names.map((name) => reader.secret(name)));
        return [...secrets, ...(await Promise.all(ports.map(async (name) => String((await reader.connection(name)).fields['password']))))];
      };
      const all = await read(ringOf(keys.old));
      const rotate = (death: RotationOrder['death']): Promise<Outcome> => {
        const order: RotationOrder = { url: place.url, key: keys.key, oldKey: keys.old, death };
        return startProgram(program, [JSON.stringify(order)]).ended;
      };

      // Each moves what it has written: 4, then 3 of the 4 it has begun, then 4, of 14 in all.
      for (const [at, when] of [
        [4, 'after'],
        [4, 'before'],
        [4, 'after'],
      ] as const) {
        const { signal, stderr } = await rotate({ at, when });
        expect(signal, stderr).toBe('SIGKILL');
        expect(await read(ringOf(keys.key, keys.old))).toEqual(all);
        await expect(read(ringOf(keys.key))).rejects.toMatchObject({ code: 'SECRET_KEY_WRONG' });
      }
      const { stdout, stderr } = await rotate(null);
      expect(JSON.parse(stdout || stderr)).toMatchObject({ moved: 3, current: 11, failed: [] });
      expect(await read(ringOf(keys.key))).toEqual(all);
      await store.close();
    } finally {
      await place.remove();
    }
  });
});
