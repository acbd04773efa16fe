/** The loops of a fleet whose broker is away. */
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { reclaimLoop } from '../../../scheduler/loops/reclaim.ts';
import { openBroker } from '../../../src/broker/open.ts';
import { definitionOf } from '../../../src/define/definition.ts';
import { makeRun } from '../../../src/engine/make-run.ts';
import { makeFlow } from '../../support/make-flow.ts';
import { openEngine } from '../../support/open-engine.ts';

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
