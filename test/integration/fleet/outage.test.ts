/** The loops of a fleet whose broker is away. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { reclaimLoop } from '../../../src/upkeep/reclaim.ts';
import { loadConfig } from '../../../src/base/config.ts';
import { openLog } from '../../../src/base/log.ts';
import { openBroker } from '../../../src/broker/open.ts';
import { openLocalClient } from '../../../src/client/open-local-client.ts';
import { definitionOf } from '../../../src/define/definition.ts';
import { makeRun } from '../../../src/engine/submit/make-run.ts';
import { makeFlow } from '../../support/make-flow.ts';
import { openEngine } from '../../support/open-engine.ts';
import { freePort } from '../../support/redis.ts';

test('runs of a lost worker are freed at once while the broker is away, however many', async () => {
  const { client, engine, store } = await openEngine();
  const definition = definitionOf(makeFlow({ only: {} }));
  const runs = await Promise.all(Array.from({ length: 450 }, () => makeRun(engine.services, definition, {}, 'SCHEDULED', {})));
  await store.fleet.insertMany(runs.map((run) => ({ run, idempotencyKey: null })));
  const claimed = await store.fleet.claimMany(
    runs.map(({ id }) => id),
    { ...engine.services.owner, id: 'gone', host: 'elsewhere' },
    0,
  );
  expect(claimed.size).toBe(450);
  const broker = await openBroker({ url: null, store });
  await broker.close();
  const loop = reclaimLoop({ engine, broker, log: pino({ level: 'silent' }) }, { intervalMs: 3_600_000, maxRecoveries: 3 });
  await loop.start();
  await expect.poll(() => store.fleet.owners()).toEqual([]);
  await loop.stop();
  expect(await store.fleet.dueUnticketed({ ticketedBeforeMs: -1, limit: 1_000 })).toHaveLength(450);
  await client.close();
});

test('what is submitted by a process that finds the broker away is accepted, and told to be late', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'batuta-outage-'));
  const warnings: string[] = [];
  const { config } = await loadConfig({
    env: { BATUTA_DATABASE_URL: `sqlite:${join(folder, 'batuta.db')}`, BATUTA_REDIS_URL: `redis://127.0.0.1:${await freePort()}` },
  });
  const log = await openLog({ level: 'warn', format: 'json', write: (text) => void warnings.push(text) });
  const client = await openLocalClient({ config, log });
  const ids = await client.enqueueMany(makeFlow({ only: {} }), [{}, {}]);
  expect((await client.engine.services.store.fleet.dueUnticketed({ ticketedBeforeMs: -1, limit: 10 })).map(({ id }) => id)).toEqual(ids);
  expect(warnings.filter((line) => line.includes('The runs are accepted, but no worker could be woken'))).toHaveLength(1);
  await client.close();
  rmSync(folder, { recursive: true, force: true });
});
