/** A fleet that works through trouble, and what must be true of it afterwards, whatever the trouble was. */
import { expect } from 'vitest';
import { taskQueueOf } from '../../src/model/queue.ts';
import { openScene, persist, type Scene, submitThroughout } from './chaos.ts';
import { doneAgain, ends } from './fleet-record.ts';
import type { Trouble } from './troubles.ts';

/** Makes all these troubles at the same time for a fleet under load; fails when anything is lost, left behind or done twice. */
export async function survive(...troubles: readonly Trouble[]): Promise<void> {
  const scene = await openScene();
  try {
    const submitted = submitThroughout(scene);
    await expect.poll(() => scene.fleet.readLedger().length, { timeout: 20_000 }).toBeGreaterThan(10);
    const [ids] = await Promise.all([submitted, ...troubles.map((trouble) => trouble.make(scene))]);
    await expectSound(scene, ids);
  } finally {
    await scene.close();
  }
}

/** Waits until all runs have ended, looks at everything that could be wrong, and ends the workers. */
async function expectSound({ fleet, workers, scheduler, done, freezes }: Scene, ids: readonly string[]): Promise<void> {
  const { store } = fleet.client.engine.services;
  expect(new Set(ids).size).toBe(ids.length);
  const ended = await persist(() => ends(fleet, ids));
  expect(ended.filter(({ state }) => state.name !== 'Completed').map(({ id, state, error }) => [id, state, error])).toEqual([]);
  const children = (await Promise.all(ids.map((id) => store.runs.children(id)))).flat();
  expect(children.filter(({ state }) => state.name !== 'Completed').map(({ id, state, error }) => [id, state, error])).toEqual([]);
  expect(await doneAgain(fleet, [...ids, ...children.map(({ id }) => id)], freezes)).toEqual([]);
  expect(await fleet.client.runs.list({ states: ['Scheduled', 'Pending', 'Running', 'Resuming', 'Suspended'] })).toMatchObject({
    items: [],
  });
  expect([await store.fleet.owners(), await store.spread.owners()]).toEqual([[], []]);
  const broker = await fleet.client.broker();
  for (const queue of ['default', taskQueueOf('default')])
    await expect.poll(() => broker.stats(queue), { timeout: 30_000 }).toEqual({ waiting: 0, delayed: 0, taken: 0 });
  const starts = fleet.readLedger().filter(({ what }) => what === 'start').length;
  const recoveries = ended.reduce((sum, run) => sum + run.recoveries, 0);
  process.stdout.write(
    `${[...done].map(([what, times]) => `${what} ${times}`).join(', ')}: ${ids.length} runs, ${starts} executions, ${recoveries} recoveries\n`,
  );
  const living = [...workers, scheduler];
  expect(await Promise.all(living.map((member) => member.end('SIGTERM')))).toEqual(living.map(() => 0));
  const pids = new Set(workers.map(({ pid }) => pid));
  expect((await store.workers.list()).filter(({ pid }) => pids.has(pid))).toEqual([]);
}
