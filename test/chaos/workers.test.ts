/**
 * Workers that are killed and frozen while a fleet works.
 *
 * The ledger tells what was really executed. A task counts as executed again when it started after its completion had been recorded.
 * `CHAOS_SEED` repeats the order of a run of this test; it is printed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { isLong as long, seed } from '../support/chaos.ts';
import { doneAgain, ends } from '../support/fleet-record.ts';
import { freeze } from '../support/freeze.ts';
import { seededRandom } from '../support/faulty-broker.ts';
import { type Fleet, makeFleet, type Member } from '../support/fleet.ts';

const random = seededRandom(seed);

let fleet: Fleet;
afterEach(() => fleet.stop());

test.each(['sqlite', 'postgres and redis'] as const)(
  'workers killed at random on %s: every run completes, nothing recorded is executed again',
  async (on) => {
    process.stdout.write(`seed ${seed}\n`);
    const runs = long ? 500 : 110;
    const kills = long ? 60 : 4;
    fleet = await makeFleet({ on, leaseMs: 2_000, env: { BATUTA_MAX_RECOVERIES: '1000' } });
    const workers: Member[] = await Promise.all([1, 2, 3].map((n) => fleet.start('worker', '--name', `w${n}`, '--concurrency', '8')));
    await fleet.start('scheduler');
    const ids = await fleet.client.enqueueMany(
      'ledger-run',
      Array.from({ length: runs }, () => ({ params: fleet.params({ items: 8, ms: 120 }) })),
    );
    for (let kill = 0; kill < kills; kill++) {
      await sleep(500 + random() * 500);
      const at = Math.floor(random() * workers.length);
      await workers[at]?.end('SIGKILL');
      workers[at] = await fleet.start('worker', '--name', `w${at}-${kill}`, '--concurrency', '8');
    }
    const ended = await ends(fleet, ids);
    expect(ended.filter(({ state }) => state.name !== 'Completed').map(({ id, state }) => [id, state])).toEqual([]);
    expect(ended.filter(({ epoch }) => epoch > 1).length).toBeGreaterThan(0);
    expect(await doneAgain(fleet, ids)).toEqual([]);
    expect(await fleet.client.runs.list({ states: ['Running', 'Scheduled', 'Pending'] })).toMatchObject({ items: [] });
  },
  long ? 600_000 : undefined,
);

test.each(['sqlite', 'postgres and redis'] as const)(
  'a worker frozen on %s for longer than its lease writes nothing once it wakes up',
  async (on) => {
    fleet = await makeFleet({ on, leaseMs: 2_000 });
    const { store } = fleet.client.engine.services;
    const frozen = await fleet.start('worker', '--name', 'frozen', '--concurrency', '2', '--queue', 'default', '--queue', 'after');
    const ids = await fleet.client.enqueueMany(
      'ledger-run',
      [1, 2].map(() => ({ params: fleet.params({ items: 30, ms: 50 }) })),
    );
    // In the middle of both.
    await expect.poll(() => fleet.readLedger().filter(({ what }) => what === 'end').length).toBeGreaterThan(10);
    await freeze(frozen.process, fleet.databaseUrl);
    await fleet.start('worker', '--name', 'heir');
    const ended = await ends(fleet, ids);
    // Taken over once each; lost together, which counts against neither.
    expect(ended.map(({ state, epoch, recoveries }) => [state.name, epoch, recoveries])).toEqual([
      ['Completed', 3, 0],
      ['Completed', 3, 0],
    ]);
    const read = (): Promise<unknown> =>
      Promise.all(ids.map(async (id) => [await store.runs.get(id), await store.taskRuns.ofRun(id), await store.transitions.ofRun(id)]));
    const before = await read();
    frozen.process.kill('SIGCONT');
    // Once it has executed another run, it has done whatever it would do about those it lost.
    const after = await fleet.client.enqueue('ledger-run', fleet.params(), { queue: 'after' });
    expect((await after.done()).state.name).toBe('Completed');
    expect(await read()).toEqual(before);
    expect(await doneAgain(fleet, ids)).toEqual([]);
    expect(await frozen.end('SIGTERM')).toBe(0);
  },
);
