/** The ticket of a run may be quicker than its row. */
import { fakeClock } from 'batuta/testing';
import { expect, test } from 'vitest';
import { definitionOf } from '../../../src/define/definition.ts';
import { makeRun } from '../../../src/engine/submit/make-run.ts';
import type { NewRun } from '../../../src/store/store.ts';
import { claimTicket } from '../../../worker/process-ticket.ts';
import { makeFlow } from '../../support/make-flow.ts';
import { type OpenEngine, openEngine } from '../../support/open-engine.ts';

const clock = fakeClock();

async function open(): Promise<OpenEngine & { readonly made: NewRun }> {
  const opened = await openEngine({ clock });
  return { ...opened, made: await makeRun(opened.engine.services, definitionOf(makeFlow({ only: {} })), {}, 'SCHEDULED', {}) };
}

const firstTicket = ({ id }: NewRun) => ({ kind: 'run', id, epoch: 0 }) as const;

test('a worker that has the ticket of a run before its row waits for the row, and claims it', async () => {
  const { engine, store, client, made } = await open();
  const claiming = claimTicket(engine, firstTicket(made));
  await clock.advance(15);
  await store.fleet.insertMany([{ run: made, idempotencyKey: null }]);
  await clock.advance(100);
  expect(await claiming).toMatchObject({ id: made.id, epoch: 1 });
  await client.close();
});

test('a ticket whose row is never written is dropped after a little while', async () => {
  const { engine, client, made } = await open();
  const claiming = claimTicket(engine, firstTicket(made));
  await clock.advance(100);
  expect(await claiming).toBeNull();
  await client.close();
});

test('for a run that others have, and for a later ticket of an unknown one, nobody waits', async () => {
  const { engine, store, client, made } = await open();
  await store.fleet.insertMany([{ run: made, idempotencyKey: null }]);
  expect(await claimTicket(engine, firstTicket(made))).toMatchObject({ epoch: 1 });
  // The clock stands still: whoever waited would wait for ever.
  expect(await claimTicket(engine, firstTicket(made))).toBeNull();
  expect(await claimTicket(engine, { kind: 'run', id: `${made.id.slice(0, -4)}ffff`, epoch: 2 })).toBeNull();
  await client.close();
});
