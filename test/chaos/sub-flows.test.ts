/** Runs with sub-flows whose worker is lost: parent and child are taken by others, perhaps by different ones. */
import { afterEach, expect, test } from 'vitest';
import { doneAgain, ends } from '../support/fleet-record.ts';
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
  const takenOver = async (): Promise<number> => {
    const { run, children } = await fleet.client.runs.inspect(handle.id);
    return [run, ...children].filter(({ owner, recoveries }) => owner !== null && recoveries > 0).length;
  };
  await expect.poll(takenOver, { timeout: 10_000 }).toBe(2);
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
