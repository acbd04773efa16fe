/** Runs with sub-flows whose worker is lost: parent and child are taken by others, perhaps by different ones. */
import { afterEach, expect, test } from 'vitest';
import { doneAgain, ends } from '../support/fleet-record.ts';
import { openStore } from '../../src/store/open.ts';
import { type Fleet, makeFleet } from '../support/fleet.ts';

let fleet: Fleet;
afterEach(() => fleet.stop());

test('a worker dies in the middle of sub-flows: they go on once each, and their parents with their values', async () => {
  fleet = await makeFleet({ on: 'sqlite' });
  const dying = await fleet.start('worker', '--name', 'dying');
  const ids = await fleet.client.enqueueMany(
    'parent-run',
    Array.from({ length: 6 }, () => ({ params: fleet.params({ items: 4, ms: 100 }) })),
  );
  await expect.poll(() => fleet.readLedger().filter(({ what }) => what === 'end').length).toBeGreaterThan(3);
  await dying.end('SIGKILL');
  await Promise.all([fleet.start('worker', '--concurrency', '4'), fleet.start('worker', '--concurrency', '4')]);
  const parents = await ends(fleet, ids);
  const inspections = await Promise.all(parents.map(({ id }) => fleet.client.runs.inspect(id)));
  const sums = 12 + 20;
  expect(inspections.map(({ run, result, children }) => [run.state.name, result, children.length])).toEqual(
    Array.from({ length: 6 }, () => ['Completed', sums, 2]),
  );
  const children = inspections.flatMap((inspection) => inspection.children);
  expect(children.map(({ state }) => state.name)).toEqual(Array.from({ length: 12 }, () => 'Completed'));
  expect(
    await doneAgain(
      fleet,
      children.map(({ id }) => id),
    ),
  ).toEqual([]);
});

test('the cancel of a run reaches its sub-flow after both were taken over, whoever has them', async () => {
  fleet = await makeFleet({ on: 'sqlite' });
  const dying = await fleet.start('worker', '--name', 'dying');
  const handle = await fleet.client.enqueue('parent-run', fleet.params({ items: 1_000, ms: 50 }));
  await expect.poll(() => fleet.readLedger().length).toBeGreaterThan(3);
  await dying.end('SIGKILL');
  await Promise.all([fleet.start('worker', '--concurrency', '1'), fleet.start('worker', '--concurrency', '1')]);
  await expect.poll(() => takenOver(handle.id), { timeout: 10_000 }).toBe(2);
  await handle.cancel();
  const [run] = await ends(fleet, [handle.id]);
  expect(run?.state.name).toBe('Cancelled');
  const { children } = await fleet.client.runs.inspect(handle.id);
  const ended = await ends(
    fleet,
    children.map(({ id }) => id),
  );
  expect(ended.map(({ state }) => state.name)).toEqual(['Cancelled']);
});

test('a sub-flow is cancelled whose caller was ended by a process that died right after', async () => {
  fleet = await makeFleet({ on: 'sqlite' });
  const dying = await fleet.start('worker', '--name', 'dying');
  const handle = await fleet.client.enqueue('parent-run', fleet.params({ items: 100_000, ms: 50 }));
  await expect.poll(() => fleet.readLedger().length).toBeGreaterThan(3);
  await dying.end('SIGKILL');
  const workers = [await fleet.start('worker', '--concurrency', '1'), await fleet.start('worker', '--concurrency', '1')];
  await expect.poll(() => takenOver(handle.id), { timeout: 10_000 }).toBe(2);
  const { run } = await fleet.client.runs.inspect(handle.id);
  await workers.find(({ pid }) => pid === run.owner?.pid)?.end('SIGKILL');
  const store = await openStore({ url: fleet.databaseUrl });
  try {
    expect(await store.runs.requestCancel(handle.id, Date.now(), 'enough', () => true)).toBe('CANCELLED');
  } finally {
    await store.close();
  }
  const { children } = await fleet.client.runs.inspect(handle.id);
  expect(children.map(({ state }) => state.name)).toEqual(['Running']);
  const ended = await ends(
    fleet,
    children.map(({ id }) => id),
  );
  expect(ended.map(({ state }) => state)).toMatchObject([{ name: 'Cancelled', message: 'The run that called it has ended.' }]);
});

/** How many of a run and its sub-flows others execute than those that began them. */
async function takenOver(id: string): Promise<number> {
  const { run, children } = await fleet.client.runs.inspect(id);
  return [run, ...children].filter(({ owner, recoveries }) => owner !== null && recoveries > 0).length;
}
