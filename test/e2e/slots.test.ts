/** Heavy runs and spread tasks over real workers: where they go, what they keep, and what is left when a worker is killed. */
import { resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Fleet, makeFleet } from '../support/fleet.ts';
import { until } from '../support/room.ts';

const weights: Readonly<Record<string, number>> = { heavy: 3, small: 1, huge: 6, crunch: 3 };

describe.each(['sqlite', 'postgres and redis'] as const)('slots in a fleet on %s', (on) => {
  let fleet: Fleet;
  beforeEach(async () => {
    fleet = await makeFleet({ on, env: { BATUTA_FLOWS: resolve('test/e2e/limit-flows.ts') } });
  });
  afterEach(() => fleet.stop());

  const done = async (id: string): Promise<string> => {
    let name = '';
    for await (const { run } of fleet.client.runs.watch(id)) ({ name } = run.state);
    return name;
  };
  const submit = (flow: string, count: number, ms: number, items = 3) =>
    fleet.client.enqueueMany(
      flow,
      Array.from({ length: count }, () => ({ params: fleet.params({ ms, items }) })),
    );

  /** Most places that these tasks took at the same time. */
  function mostPlaces(tasks: readonly string[]): number {
    let [taken, most] = [0, 0];
    const lines = fleet.readLedger().filter(({ task }) => tasks.includes(task));
    for (const { task, what } of lines.toSorted((a, b) => a.at - b.at || a.what.localeCompare(b.what)))
      most = Math.max(most, (taken += (what === 'start' ? 1 : -1) * (weights[task] ?? 0)));
    return most;
  }

  test('heavy runs among small ones all end, and a worker never takes more than its places', async () => {
    await fleet.start('worker', '--name', 'only', '--concurrency', '4');
    const ids: string[] = [];
    for (let round = 0; round < 4; round++) {
      ids.push(...(await submit('small-run', 5, 20)));
      ids.push(...(await submit('heavy-run', 2, 20)));
    }
    expect(await Promise.all(ids.map(done))).toEqual(ids.map(() => 'Completed'));
    expect(mostPlaces(['heavy', 'small'])).toBeLessThanOrEqual(4);
  });

  test('a worker with too few places leaves heavy runs to a larger one; where none is large enough the run says so, and begins once one is', async () => {
    await fleet.start('worker', '--name', 'little', '--concurrency', '2');
    const [heavy = ''] = await submit('heavy-run', 1, 20);
    const needs = 'Needs 3 places of a worker at once; the largest running worker of queue default that knows its flow has 2.';
    await until(async () => (await fleet.client.runs.get(heavy)).state.message === needs);
    // Null for the moment in which a worker holds it to say so.
    await expect
      .poll(() => fleet.client.runs.why(heavy), { timeout: 20_000 })
      .toMatchObject({ kind: 'no-worker', message: expect.stringContaining(needs) });
    expect((await fleet.run('runs', 'inspect', heavy)).out).toContain('3 places of a worker');
    expect(JSON.parse((await fleet.run('flow', 'inspect', 'heavy-run', '--json')).out)).toMatchObject({ slots: 3 });
    await fleet.start('worker', '--name', 'large', '--concurrency', '4');
    expect(await done(heavy)).toBe('Completed');
    const more = await submit('heavy-run', 4, 20);
    expect(await Promise.all(more.map(done))).toEqual(more.map(() => 'Completed'));
    expect(mostPlaces(['heavy'])).toBe(3);
    const [crunching = ''] = await submit('crunching-run', 1, 20);
    expect(await done(crunching)).toBe('Completed');
    expect(mostPlaces(['crunch'])).toBe(3);
  });

  test('a heavy run whose worker is killed goes on at another, and those that wait behind it follow', async () => {
    const killed = await fleet.start('worker', '--name', 'killed', '--concurrency', '4');
    const [first = ''] = await submit('heavy-run', 1, 600_000);
    await until(() => fleet.readLedger().some(({ run }) => run === first));
    const [second = ''] = await submit('heavy-run', 1, 20);
    await until(async () => (await fleet.client.figures.workers()).some(({ running }) => running === 3));
    await Promise.all([fleet.start('worker', '--name', 'next', '--concurrency', '6'), fleet.start('scheduler')]);
    await killed.end('SIGKILL');
    expect(await done(second)).toBe('Completed');
    await until(() => fleet.readLedger().filter(({ run }) => run === first).length >= 2);
    await fleet.client.runs.cancel(first);
    expect(await done(first)).toBe('Cancelled');
  }, 180_000);
});
