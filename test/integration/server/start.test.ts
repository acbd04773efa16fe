/** Where a server may listen without a key. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig } from '../../../src/base/config.ts';
import { openLog } from '../../../src/base/log.ts';
import { isReachedFromHereAlone } from '../../../src/base/loopback.ts';
import { startServer } from '../../../src/server/start.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'batuta-start-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function start(env: Readonly<Record<string, string>>) {
  const { config } = await loadConfig({ env: { BATUTA_DATABASE_URL: `sqlite:${join(folder, 'batuta.db')}`, BATUTA_PORT: '0', ...env } });
  return await startServer({ config, log: await openLog({ level: 'silent', format: 'json' }), cwd: folder });
}

test.each(['0.0.0.0', '::', '::ffff:0.0.0.0', '0', '00.00.00.00'])('%s is refused without a key', async (host) => {
  await expect(start({ BATUTA_HOST: host })).rejects.toMatchObject({ code: 'CONFIG_INVALID', details: { setting: 'host' } });
});

test('behind a proxy a key is needed wherever the server listens', async () => {
  const proxied = { BATUTA_TRUST_PROXY: 'true' };
  await expect(start(proxied)).rejects.toMatchObject({ code: 'CONFIG_INVALID', details: { setting: 'trustProxy' } });
  const served = await start({ ...proxied, BATUTA_ADMIN_KEY: randomBytes(32).toString('hex') });
  try {
    expect((await fetch(`${served.url}/api/runs`)).status).toBe(401);
  } finally {
    await served.stop(1_000);
  }
});

test('a name is this computer only when all its addresses are', async () => {
  const among = (...addresses: string[]) => isReachedFromHereAlone('some.localhost', async () => addresses.map((address) => ({ address })));
  expect(await among('127.0.0.1', '::1')).toBe(true);
  expect(await among('127.0.0.1', '10.0.0.1')).toBe(false);
  expect(await among()).toBe(false);
  expect(await isReachedFromHereAlone('x.localhost', () => Promise.reject(new Error('none')))).toBe(false);
  for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])
    expect(await isReachedFromHereAlone(host), host).toBe(true);
  for (const host of ['', '0.0.0.0', '::', '::ffff:10.0.0.1', 'fe80::1', '10.0.0.1'])
    expect(await isReachedFromHereAlone(host), host).toBe(false);
});
