/** The ticket of a run may be quicker than its row. */
import { expect, test } from 'vitest';
import { rowAwaitedMs } from '../../../src/client/enqueue.ts';
import { definitionOf } from '../../../src/define/definition.ts';
import { makeRun } from '../../../src/engine/submit/make-run.ts';
import type { NewRun } from '../../../src/store/store.ts';
import { claimTicket } from '../../../worker/process-ticket.ts';
import { handClock } from '../../support/hand-clock.ts';
import { makeFlow } from '../../support/make-flow.ts';
import { ownEngine } from '../../support/own-engine.ts';
import { until } from '../../support/room.ts';

async function open() {
  const { clock, sleeps } = handClock();
  const { engine, store } = await ownEngine({ clock });
  const made = await makeRun(engine.services, definitionOf(makeFlow({ only: {} })), {}, 'SCHEDULED', {});
  /** Waits until it sleeps, and wakes it; gives for how long it would have slept. */
  const wake = async (): Promise<number> => {
    await until(() => sleeps.size > 0);
    const [sleep] = [...sleeps.values()];
    sleep?.fire();
    return sleep?.ms ?? 0;
  };
  return { engine, store, made, sleeps, wake };
}

const firstTicket = ({ id }: NewRun) => ({ kind: 'run', id, epoch: 0 }) as const;

test('a worker that has the ticket of a run before its row waits for the row, and claims it', async () => {
  const { engine, store, made, sleeps, wake } = await open();
  const claiming = claimTicket(engine, firstTicket(made));
  await wake();
  await until(() => sleeps.size > 0);
  await store.fleet.insertMany([{ run: made, idempotencyKey: null }]);
  await wake();
  expect(await claiming).toMatchObject({ id: made.id, epoch: 1 });
});

test('a ticket whose row is never written is dropped after a little while, in which it is looked for less and less often', async () => {
  const { engine, made, wake } = await open();
  const slept: number[] = [];
  let isOver = false;
  const claiming = claimTicket(engine, firstTicket(made)).finally(() => (isOver = true));
  for (let waitedMs = 0; waitedMs < rowAwaitedMs; waitedMs += slept.at(-1) ?? 0) {
    expect(isOver).toBe(false);
    slept.push(await wake());
  }
  expect(await claiming).toBeNull();
  expect(slept.slice(0, 4)).toEqual([1, 2, 4, 8]);
});

test('for a run that others have, and for a later ticket of an unknown one, nobody waits', async () => {
  const { engine, store, made, sleeps } = await open();
  await store.fleet.insertMany([{ run: made, idempotencyKey: null }]);
  expect(await claimTicket(engine, firstTicket(made))).toMatchObject({ epoch: 1 });
  // The clock stands still: whoever waited would wait for ever.
  expect(await claimTicket(engine, firstTicket(made))).toBeNull();
  expect(await claimTicket(engine, { kind: 'run', id: `${made.id.slice(0, -4)}ffff`, epoch: 2 })).toBeNull();
  expect(sleeps.size).toBe(0);
});
