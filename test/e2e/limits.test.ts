/** Limits over real processes: never more than they allow, in turn, and free again whatever is killed. */
import { resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Fleet, makeFleet } from '../support/fleet.ts';

describe.each(['sqlite', 'postgres and redis'] as const)('limits in a fleet on %s', (on) => {
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

  /** Most lines of these tasks that were between start and end at the same time. */
  function mostAtOnce(): number {
    let [inside, most] = [0, 0];
    const lines = fleet.readLedger().toSorted((a, b) => a.at - b.at || a.what.localeCompare(b.what));
    for (const { what } of lines) most = Math.max(most, (inside += what === 'start' ? 1 : -1));
    return most;
  }

  async function waitsFor(id: string, name: string): Promise<void> {
    for await (const { run } of fleet.client.runs.watch(id)) if (run.state.name === name) return;
  }

  test('of forty runs never more than two go on at the same time on two workers, in the order of coming', async () => {
    await fleet.start('worker', '--name', 'one', '--concurrency', '8');
    await fleet.start('worker', '--name', 'two', '--concurrency', '8');
    const ids = await fleet.client.enqueueMany(
      'limited-run',
      Array.from({ length: 40 }, () => ({ params: fleet.params({ ms: 20 }) })),
    );
    expect(await Promise.all(ids.map(done))).toEqual(ids.map(() => 'Completed'));
    expect(mostAtOnce()).toBe(2);
    const order = fleet.readLedger().flatMap(({ run, what }) => (what === 'start' ? [run] : []));
    expect(order).toHaveLength(40);
  });

  test('slots of a worker that is killed go to those that wait, and its runs go on later', async () => {
    const killed = await fleet.start('worker', '--name', 'killed');
    const held = await fleet.client.enqueueMany(
      'limited-run',
      Array.from({ length: 2 }, () => ({ params: fleet.params({ ms: 600_000 }) })),
    );
    for (const id of held) await waitsFor(id, 'Running');
    const waiting = await fleet.client.enqueue('limited-run', fleet.params({ ms: 1 }));
    await waitsFor(waiting.id, 'AwaitingSlot');
    expect(await fleet.client.runs.why(waiting.id)).toMatchObject({ kind: 'limit', holders: expect.arrayContaining([...held]) });
    const inspected = JSON.parse((await fleet.run('runs', 'inspect', waiting.id, '--json')).out) as { why: { message: string } };
    expect(inspected.why.message).toContain('Waits for the limit flow:limited-run (2 of 2 taken, by ');
    expect((await fleet.run('runs', 'inspect', waiting.id)).out).toContain('Waits for the limit flow:limited-run (2 of 2 taken, by ');
    await Promise.all([fleet.start('worker', '--name', 'next'), fleet.start('scheduler')]);
    await killed.end('SIGKILL');
    expect(await done(waiting.id)).toBe('Completed');
    for (const id of held) await fleet.client.runs.cancel(id);
  });

  test('a key that a function gives parts the runs; a run waits in its process where it is started by hand', async () => {
    await fleet.start('worker', '--concurrency', '8');
    const of = (customer: string) => ({ params: { ...fleet.params(), customer } });
    const [a, again, b] = await fleet.client.enqueueMany('keyed-run', [of('a'), of('a'), of('b')]);
    await Promise.all([waitsFor(a ?? '', 'Running'), waitsFor(b ?? '', 'Running'), waitsFor(again ?? '', 'AwaitingSlot')]);
    const here = fleet.run('run', 'keyed-run', '--params', JSON.stringify({ ...fleet.params(), customer: 'b' }), '--json');
    const isWaiting = async (): Promise<boolean> => (await fleet.client.runs.list({ states: ['AwaitingSlot'] })).items.length === 2;
    while (!(await isWaiting())) await new Promise((resolve) => setTimeout(resolve, 20));
    const listed = JSON.parse((await fleet.run('limit', 'ls', '--json')).out) as { name: string; held: number; waiting: number }[];
    expect(listed).toMatchObject([
      { name: 'flow:keyed-run:a', held: 1, waiting: 1 },
      { name: 'flow:keyed-run:b', held: 1, waiting: 1 },
      { name: 'flow:limited-run', slots: 2, held: 0, waiting: 0 },
    ]);
    fleet.openGate();
    for (const id of [a, again, b]) expect(await done(id ?? '')).toBe('Completed');
    const { status, out } = await here;
    expect([status, (JSON.parse(out) as { state: { name: string } }).state.name]).toEqual([0, 'Completed']);
  });

  test('a limit on a tag holds for tasks of all runs in all processes, spread ones included, and through a kill', async () => {
    expect(await fleet.run('limit', 'set', 'tag:db', '3')).toMatchObject({ status: 0, out: 'The limit tag:db is 3 now.\n' });
    const doomed = await fleet.start('worker', '--name', 'doomed', '--concurrency', '6');
    await Promise.all([fleet.start('worker', '--name', 'staying', '--concurrency', '6'), fleet.start('scheduler')]);
    const ids = await fleet.client.enqueueMany(
      'tagged-run',
      Array.from({ length: 3 }, () => ({ params: fleet.params({ items: 6, ms: 30 }) })),
    );
    while (fleet.readLedger().length < 10) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(mostAtOnce()).toBeLessThanOrEqual(3);
    await doomed.end('SIGKILL');
    expect(await Promise.all(ids.map(done))).toEqual(ids.map(() => 'Completed'));
    const limits = JSON.parse((await fleet.run('limit', 'ls', '--json')).out) as { name: string; held: number; waiting: number }[];
    expect(limits.at(-1)).toMatchObject({ name: 'tag:db', held: 0, waiting: 0 });
    expect(await fleet.run('limit', 'delete', 'tag:db')).toMatchObject({ status: 0, out: 'The limit tag:db is gone.\n' });
  });
});

describe('batuta limit', () => {
  let fleet: Fleet;
  beforeEach(async () => {
    fleet = await makeFleet({ on: 'sqlite' });
  });
  afterEach(() => fleet.stop());

  test('what is wrong is said in one line, and nothing is changed', async () => {
    const refused = async (...args: string[]) => {
      const { status, out, err } = await fleet.run('limit', ...args);
      expect([status, out]).toEqual([2, '']);
      return err;
    };
    expect(await refused('set', 'db', '3')).toMatch(/NAME_INVALID.*for example tag:db/);
    expect(await refused('set', 'flow:sync', '3')).toMatch(/NAME_INVALID.*declared by its flow/);
    expect(await refused('set', 'tag:db', 'many')).toMatch(/whole number from 0/);
    expect(await refused('delete', 'tag:db')).toMatch(/LIMIT_NOT_FOUND/);
    expect(await refused('raise', 'tag:db')).toMatch(/unknown command 'raise'/);
    const none = await fleet.run('limit', 'ls');
    expect(none).toMatchObject({ status: 0, out: '', err: expect.stringContaining('No limits.') });
    expect((await fleet.run('limit', 'ls', '--json')).out.trim()).toBe('[]');
  });
});
