/** The fleet as plain processes, started by the commands that a container would run. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Fleet, makeFleet } from '../support/fleet.ts';

describe.each(['sqlite', 'postgres and redis', 'postgres alone'] as const)('a fleet on %s', (on) => {
  let fleet: Fleet;
  beforeEach(async () => {
    fleet = await makeFleet({ on });
  });
  afterEach(() => fleet.stop());

  /** Resolves once the task of the run has begun. */
  async function begun(run: string, task: string, times = 1): Promise<void> {
    for await (const { taskRuns } of fleet.client.runs.watch(run)) {
      if (taskRuns.some(({ name, attempt, state }) => name === task && attempt >= times && state.type === 'RUNNING')) return;
    }
  }

  test('two workers and a scheduler complete fifty runs, both taking part', async () => {
    const [first, second, scheduler] = await Promise.all([
      fleet.start('worker', '--name', 'one', '--concurrency', '4'),
      fleet.start('worker', '--name', 'two', '--concurrency', '4'),
      fleet.start('scheduler'),
    ]);
    const listed = async (): Promise<unknown[]> => {
      const workers = JSON.parse((await fleet.run('worker', 'ls', '--json')).out) as { name: string; alive: boolean }[];
      return workers.map(({ name, alive }) => [name, alive]);
    };
    // The greeting says that it works; its first sign of life comes with it, not before it.
    await expect.poll(listed).toEqual([
      ['one', true],
      ['two', true],
    ]);
    const ids = await fleet.client.enqueueMany(
      'ledger-run',
      Array.from({ length: 50 }, () => ({ params: fleet.params({ ms: 20 }) })),
    );
    for (const id of ids)
      for await (const { run } of fleet.client.runs.watch(id)) if (run.endedAt !== null) expect(run.state.name).toBe('Completed');
    const { transitions } = fleet.client.engine.services.store;
    const owners = await Promise.all(ids.map(async (id) => (await transitions.ofRun(id, null)).at(-1)?.owner));
    expect(new Set(owners).size).toBe(2);
    expect(fleet.readLedger().filter(({ task, what }) => task === 'sum' && what === 'start')).toHaveLength(50);
    expect(await Promise.all([first, second, scheduler].map((member) => member.end('SIGTERM')))).toEqual([0, 0, 0]);
    expect(await fleet.client.engine.services.store.workers.list()).toEqual([]);
  });

  test('on SIGTERM a worker hands back what it cannot finish, and another continues from what is recorded', async () => {
    const leaving = await fleet.start('worker', '--name', 'leaving', '--grace', '1s');
    const handle = await fleet.client.enqueue('gated-run', fleet.params());
    await begun(handle.id, 'gated');
    await fleet.start('worker', '--name', 'staying');
    expect(await leaving.end('SIGTERM')).toBe(0);
    fleet.openGate();
    expect(await handle.result()).toBe('first and gated');
    const inspection = await fleet.client.runs.inspect(handle.id);
    expect(inspection.run).toMatchObject({ epoch: 2, recoveries: 0 });
    expect(inspection.transitions.map(({ name }) => name)).toContain('Resuming');
    expect(fleet.readLedger().filter(({ task }) => task === 'first')).toHaveLength(1);
  });

  test('a run that ends within the grace ends where it is', async () => {
    const leaving = await fleet.start('worker', '--name', 'leaving', '--grace', '4s');
    const handle = await fleet.client.enqueue('gated-run', fleet.params());
    await begun(handle.id, 'gated');
    const left = leaving.end('SIGTERM');
    await sleep(2_500);
    fleet.openGate();
    expect(await left).toBe(0);
    expect((await fleet.client.runs.get(handle.id)).state.name).toBe('Completed');
  });

  test('a run that waits for a signal holds no place, survives every worker, and goes on when the signal comes', async () => {
    const first = await fleet.start('worker', '--name', 'first');
    const handle = await fleet.client.enqueue('asked-run', fleet.params());
    for await (const { run } of fleet.client.runs.watch(handle.id)) if (run.state.name === 'Suspended' && run.owner === null) break;
    await first.end('SIGKILL');
    await fleet.start('worker', '--name', 'second');
    const mistyped = await fleet.run('runs', 'signal', handle.id, 'anwser');
    expect([mistyped.status, mistyped.err]).toEqual([
      0,
      "It waits for 'answer' now; 'anwser' is kept until it waits for that. Did you mean 'answer'?\n",
    ]);
    const sent = await fleet.run('runs', 'signal', handle.id, 'answer', '--data', '"Yes."', '--json');
    expect([sent.status, JSON.parse(sent.out)]).toEqual([0, { runId: handle.id, signal: 'answer', number: 1 }]);
    expect(await handle.result()).toBe('Shall we? Yes.');
    expect(fleet.readLedger().filter(({ task }) => task === 'ask')).toHaveLength(1);
  });

  test('a cancel from any process reaches the worker that executes the run', async () => {
    await fleet.start('worker');
    const handle = await fleet.client.enqueue('gated-run', fleet.params());
    await begun(handle.id, 'gated');
    const cancel = await fleet.run('runs', 'cancel', handle.id, '--message', 'no longer wanted', '--json');
    expect(cancel.status).toBe(0);
    const run = await handle.done();
    expect(run.state).toEqual({ type: 'CANCELLED', name: 'Cancelled', message: 'no longer wanted' });
  });

  test('a run is submitted by command, once for one key, and watched to its end', async () => {
    const { ledger, gate } = fleet;
    const params = [
      '--params',
      JSON.stringify({ ledger, gate, items: 2, ms: 1 }),
      '--idempotency-key',
      'march',
      '--queue',
      'slow',
      '--priority',
      '7',
    ];
    const submitted = await fleet.run('runs', 'submit', 'ledger-run', ...params, '--json');
    expect(submitted).toMatchObject({ status: 0 });
    const { id, state } = JSON.parse(submitted.out) as { id: string; state: { name: string } };
    expect(state.name).toBe('Scheduled');
    const again = await fleet.run('runs', 'submit', 'ledger-run', ...params);
    expect(again.out).toBe(`${id}\n`);
    expect(await fleet.client.runs.get(id)).toMatchObject({ queue: 'slow', priority: 7, epoch: 0 });
    await fleet.start('worker', '--queue', 'slow');
    const watched = await fleet.run('runs', 'submit', 'ledger-run', ...params, '--watch', '--json');
    expect(JSON.parse(watched.out)).toMatchObject({ id, state: { name: 'Completed' }, result: 2 });
    expect(await fleet.client.runs.list()).toMatchObject({ items: [{ id }] });
  });

  test('a run whose flow the worker does not know says so, and waits for one that does', async () => {
    const [id = ''] = (
      await fleet.client.engine.services.store.fleet.insertMany([
        { run: { ...(await elsewhere(fleet)), flow: 'known-elsewhere' }, idempotencyKey: null },
      ])
    ).map((placed) => placed.id);
    await fleet.start('worker');
    await (await fleet.client.broker()).put({ kind: 'run', id, epoch: 0 }, { queue: 'default' });
    const message = async (): Promise<string | null> => (await fleet.client.runs.get(id)).state.message;
    await expect.poll(message, { timeout: 10_000 }).toContain('a worker that knows the flow known-elsewhere');
    expect(await fleet.client.runs.get(id)).toMatchObject({ state: { type: 'SCHEDULED' }, recoveries: 0 });
  });
});

async function elsewhere(fleet: Fleet): Promise<Parameters<Fleet['client']['engine']['services']['store']['runs']['insert']>[0]> {
  const later = await fleet.client.enqueue('gated-run', fleet.params(), { startAt: 4_000_000_000_000 });
  const run = await later.get();
  return { ...run, id: fleet.client.engine.services.makeId(), dueAt: null };
}

test('a worker on PostgreSQL without Redis says what to set', async () => {
  const fleet = await makeFleet({ on: 'postgres and redis', env: { BATUTA_REDIS_URL: '' } });
  try {
    const { status, err } = await fleet.run('worker');
    expect(status).toBe(2);
    expect(err).toMatch(/^error CONFIG_INVALID: .*set BATUTA_REDIS_URL/m);
  } finally {
    await fleet.stop();
  }
});

test('a run that waits when the only worker was killed is told at once that none lives, long before its lease is over', async () => {
  const fleet = await makeFleet({ on: 'sqlite', leaseMs: 120_000 });
  try {
    const only = await fleet.start('worker', '--name', 'only');
    await only.end('SIGKILL');
    const { id } = await fleet.client.enqueue('ledger-run', fleet.params());
    expect((await fleet.run('runs', 'inspect', id)).out).toContain('No worker lives. Start one: npx batuta worker');
    expect(await fleet.client.runs.why(id)).toMatchObject({ kind: 'no-worker' });
    const listed = JSON.parse((await fleet.run('worker', 'ls', '--json')).out) as object[];
    expect(listed).toMatchObject([{ name: 'only', state: 'gone', alive: false }]);
    const { attention, queues } = await fleet.client.figures.overview();
    expect(queues).toMatchObject([{ name: 'default', waiting: 1, workers: 0 }]);
    expect(attention).toMatchObject([
      { kind: 'lost', name: 'only', message: expect.stringContaining('ended without signing off; it had 0 runs') },
    ]);
  } finally {
    await fleet.stop();
  }
});
