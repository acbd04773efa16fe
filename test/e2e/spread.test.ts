/** Spread tasks in a fleet of real processes: fan-outs, lost workers, lost owners, cancels. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isTerminal } from '../../src/model/state.ts';
import type { Run } from '../../src/model/run.ts';
import { type Fleet, makeFleet, type Member } from '../support/fleet.ts';

interface Line {
  readonly task: string;
  readonly what: string;
  readonly pid: number;
}

describe.each(['sqlite', 'postgres and redis'] as const)('on %s', (on) => {
  let fleet: Fleet;
  beforeEach(async () => {
    fleet = await makeFleet({ on, leaseMs: 6_000, env: { BATUTA_FLOWS: resolve('test/e2e/spread-flows.ts') } });
  });
  afterEach(() => fleet.stop());

  const workers = (...sets: (readonly string[])[]): Promise<Member[]> => Promise.all(sets.map((args) => fleet.start('worker', ...args)));
  const lines = (what: string): Line[] =>
    readFileSync(fleet.ledger, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(' '))
      .map(([, task = '', kind = '', , pid]) => ({ task, what: kind, pid: Number(pid) }))
      .filter((line) => line.what === what);
  const submit = async (flow: string, changes: object): Promise<string> => (await fleet.client.enqueue(flow, fleet.params(changes))).id;
  const ended = (id: string): Promise<Run> =>
    until(
      () => runOf(id),
      ({ state }) => isTerminal(state.type),
    );
  const runOf = async (id: string): Promise<Run> => {
    const run = await fleet.client.engine.services.store.runs.get(id);
    if (!run) throw new Error(`There is no run ${id}.`);
    return run;
  };
  const executionsOf = (started: readonly Line[]): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const { task } of started) counts[task] = (counts[task] ?? 0) + 1;
    return counts;
  };

  /** Two workers of three places hold three of six items each; the run's owner is told apart. */
  async function heldBySix(): Promise<{ id: string; owner: Member; other: Member; started: Line[] }> {
    const members = await workers(['--concurrency', '3'], ['--concurrency', '3']);
    const id = await submit('spread-gate', { items: 6 });
    const started = await until(
      async () => lines('start').filter(({ task }) => task.startsWith('held')),
      ({ length }) => length === 6,
    );
    const { owner } = await runOf(id);
    const [mine, other] = members.toSorted((a) => (a.pid === owner?.pid ? -1 : 1));
    if (!mine || !other || mine.pid !== owner?.pid) throw new Error('No worker owns the run.');
    return { id, owner: mine, other, started };
  }

  test('a fan-out of 64 items runs on both workers, each item once', async () => {
    await workers(['--concurrency', '4'], ['--concurrency', '4']);
    const id = await submit('spread-fan', { items: 64, ms: 20 });
    const run = await ended(id);
    expect(run.state).toMatchObject({ type: 'COMPLETED' });
    expect(JSON.parse(run.result ?? '')).toMatchObject({ json: 64 * 63 + 64 });
    const started = lines('start').filter(({ task }) => task.startsWith('crunch'));
    expect(Object.values(executionsOf(started))).toEqual(Array.from({ length: 64 }, () => 1));
    expect(new Set(started.map(({ pid }) => pid)).size).toBe(2);
  });

  test('the tasks of a killed worker run again elsewhere, no other task does, and the run keeps its owner', async () => {
    const { id, owner, other, started } = await heldBySix();
    await other.end('SIGKILL');
    fleet.openGate();
    expect(await ended(id)).toMatchObject({ state: { type: 'COMPLETED' }, recoveries: 0, epoch: 1 });
    const lost = started.filter(({ pid }) => pid === other.pid).map(({ task }) => task);
    expect(lost).toHaveLength(3);
    const counts = executionsOf(lines('start'));
    for (const { task } of started) expect([task, counts[task]]).toEqual([task, lost.includes(task) ? 2 : 1]);
    expect(counts).toMatchObject({ list: 1, count: 1 });
    expect(lines('end').every(({ pid }) => pid === owner.pid)).toBe(true);
  });

  test('when the owner is killed the next one waits for what runs elsewhere, and nothing recorded runs again', async () => {
    const { id, owner, other, started } = await heldBySix();
    await owner.end('SIGKILL');
    await until(
      () => runOf(id),
      (run) => run.owner?.pid === other.pid,
    );
    fleet.openGate();
    expect(await ended(id)).toMatchObject({ state: { type: 'COMPLETED' }, recoveries: 1 });
    const lost = started.filter(({ pid }) => pid === owner.pid).map(({ task }) => task);
    const counts = executionsOf(lines('start'));
    for (const { task } of started) expect([task, counts[task]]).toEqual([task, lost.includes(task) ? 2 : 1]);
    expect(counts).toMatchObject({ list: 1, count: 1 });
  });

  test('a cancel reaches the tasks on every worker, and those that wait', async () => {
    await workers(['--concurrency', '2'], ['--concurrency', '2']);
    const id = await submit('spread-gate', { items: 8 });
    await until(
      async () => lines('start').filter(({ task }) => task.startsWith('held')),
      ({ length }) => length === 4,
    );
    await fleet.client.runs.cancel(id, 'Enough.');
    expect((await ended(id)).state).toMatchObject({ type: 'CANCELLED', message: 'Enough.' });
    expect(lines('stopped')).toHaveLength(4);
    const rows = await fleet.client.engine.services.store.taskRuns.ofRun(id);
    expect(rows.filter(({ name }) => name === 'held').map(({ state }) => state.type)).toEqual(Array.from({ length: 8 }, () => 'CANCELLED'));
  });
});

/** Looks every 20 ms until what is found is as it should be. The test's timeout is the bound. */
async function until<T>(look: () => Promise<T>, isRight: (found: T) => boolean): Promise<T> {
  for (;;) {
    const found = await look();
    if (isRight(found)) return found;
    await sleep(20);
  }
}
