/** `@On('crashed')` of runs whose workers were lost: called by a worker that never had them. */
import { Flow, type HookContext, On, Task } from 'batuta';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { reclaimLoop } from '../../../src/upkeep/reclaim.ts';
import { reissueLoop } from '../../../src/upkeep/reissue.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { joinServices, type Service } from '../../../src/base/service.ts';
import type { Broker } from '../../../src/broker/broker.ts';
import { openBroker } from '../../../src/broker/open.ts';
import { definitionOf } from '../../../src/define/definition.ts';
import { makeRun } from '../../../src/engine/submit/make-run.ts';
import { processTicket, type TicketParts } from '../../../worker/process-ticket.ts';
import { type OpenEngine, openEngine } from '../../support/open-engine.ts';

const seen: { readonly who: object; readonly context: HookContext }[] = [];

@Flow({ name: 'fragile' })
class Fragile {
  @Task()
  work(): void {}

  @On('crashed')
  tell(context: HookContext): void {
    seen.push({ who: this, context });
  }

  @On('failed')
  neverCalled(): void {
    throw new Error('It did not fail.');
  }
}

let open: OpenEngine;
let broker: Broker;
let parts: TicketParts;
let loops: Service;
beforeEach(async () => {
  seen.length = 0;
  open = await openEngine();
  broker = await openBroker({ url: null, store: open.store });
  parts = { engine: open.engine, broker, log: pino({ level: 'silent' }), flows: new Map([['fragile', definitionOf(Fragile)]]) };
  loops = joinServices('loops', [
    reclaimLoop(parts, { intervalMs: 20, maxRecoveries: 0 }),
    reissueLoop(parts, { intervalMs: 20, lostAfterMs: 50 }),
  ]);
});
afterEach(async () => {
  await loops.stop();
  await broker.close();
  await open.client.close();
});

/** A run whose owner is lost, and with it the run. */
async function lose(): Promise<string> {
  const { engine, store } = open;
  const run = await makeRun(engine.services, definitionOf(Fragile), {}, 'SCHEDULED', {});
  await store.fleet.insertMany([{ run, idempotencyKey: null }]);
  await store.fleet.claimMany([run.id], { ...engine.services.owner, id: 'lost', host: 'elsewhere' }, 0);
  return run.id;
}

test('are called once, by one worker, with the state that names the lost ones', async () => {
  for (let worker = 0; worker < 2; worker++) broker.consume('default', { concurrency: 4 }, (ticket) => processTicket(parts, ticket));
  await loops.start();
  const id = await lose();
  await expect.poll(() => seen.length).toBe(1);
  expect(seen[0]?.who).toBeInstanceOf(Fragile);
  expect(seen[0]?.context).toMatchObject({ run: { id }, state: { type: 'CRASHED' }, error: null });
  expect(seen[0]?.context.state.message).toContain('lost');
  // Tickets that come late or twice find nothing.
  for (let times = 0; times < 3; times++) await processTicket(parts, { kind: 'run', id, epoch: 2 });
  expect(seen).toHaveLength(1);
});

test('are called although the broker loses the ticket, and the first worker that comes by does not know the flow', async () => {
  let tickets = 0;
  broker.consume('default', { concurrency: 4 }, async (ticket) => {
    tickets += 1;
    if (tickets > 1) await processTicket(tickets === 2 ? { ...parts, flows: new Map() } : parts, ticket);
  });
  await loops.start();
  await lose();
  while (seen.length === 0) await systemClock.sleep(10);
  expect(tickets).toBeGreaterThanOrEqual(3);
});

test('what they throw changes nothing, and they are not called again', async () => {
  const definition = definitionOf(Fragile);
  const id = await lose();
  await open.store.fleet.reclaim({ limit: 1, maxRecoveries: 0, goneOwners: [] });
  const create = (): object => {
    throw new Error('This class cannot be made.');
  };
  const flows = new Map([['fragile', { ...definition, create }]]);
  await processTicket({ ...parts, flows }, { kind: 'run', id, epoch: 2 });
  await processTicket(parts, { kind: 'run', id, epoch: 2 });
  expect(seen).toEqual([]);
  expect(await open.store.runs.get(id)).toMatchObject({ state: { type: 'CRASHED', name: 'Crashed' } });
});
