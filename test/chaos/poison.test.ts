/** One run ends or blocks the process that executes it, again and again; the others do nothing wrong. */
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { Run } from '../../src/model/run.ts';
import { isLong, leaseMs } from '../support/chaos.ts';
import { type Fleet, makeFleet, type Member } from '../support/fleet.ts';

/** What is done, the state it leads to, and what its message says. */
const failing = [
  ['process.exit', 'Failed', /process\.exit\(1\)/],
  ['a floating rejection', 'Failed', /did not await was rejected: x/],
  ['a throw in a timer', 'Failed', /in a callback.*: x/],
  ['a throw in a microtask', 'Failed', /in a callback.*: x/],
  ['process.abort', 'Failed', /process\.abort/],
] as const;
const crashing = [
  ['a loop that never ends', 'Crashed', /task work of the flow poison-run held the event loop at .*poison-flows\.ts:\d+/],
  ['out of memory', 'Crashed', /ran out of memory|held the event loop/],
  ['SIGKILL from outside', 'Crashed', /it was ended by SIGKILL/],
  ['a throw outside of all runs', 'Crashed', /an error that nobody caught: Error: x/],
] as const;
const spreading = [
  ['a loop that never ends', 'Failed', /task work of the flow spread-poison-run held the event loop/],
  ['SIGKILL from outside', 'Failed', /it was ended by SIGKILL/],
] as const;

const short = { failing: failing.slice(1, 2), crashing: [crashing[0], crashing[2]], spreading: spreading.slice(0, 1) };
const tried = isLong ? { failing, crashing, spreading } : short;
const waitMs = isLong ? 20_000 : 6_000;
const places = (isLong ? (['sqlite', 'postgres and redis'] as const) : (['sqlite'] as const)).flatMap((on) =>
  (isLong ? [1, 3] : [2]).map((workers) => ({ on, workers })),
);

describe.each(places)('$workers workers that are restarted when they end, on $on', ({ on, workers }) => {
  let fleet: Fleet;
  let isOver = false;
  let keepers: Promise<void>[] = [];
  afterEach(async () => {
    isOver = true;
    await fleet.stop();
    await Promise.all(keepers);
  });

  async function open(): Promise<void> {
    const env = { BATUTA_FLOWS: resolve('test/chaos/poison-flows.ts'), NODE_OPTIONS: '--max-old-space-size=160' };
    fleet = await makeFleet({ on, leaseMs, env });
    isOver = false;
    await fleet.start('scheduler');
    const first = await Promise.all(Array.from({ length: workers }, () => fleet.start('worker')));
    keepers = first.map((member) => keep(member));
  }

  /** Starts the worker again whenever it has ended. */
  async function keep(first: Member): Promise<void> {
    let member: Member | null = first;
    while (!isOver) {
      if (member === null) await sleep(200);
      else await member.exited;
      member = isOver ? null : await fleet.start('worker').catch(() => null);
    }
  }

  async function ended(id: string): Promise<Run> {
    let last: Run | null = null;
    for await (const { run } of fleet.client.runs.watch(id)) last = run;
    if (last === null) throw new Error('Nothing was seen of it.');
    return last;
  }

  async function contaminate(flow: string, how: string): Promise<Run> {
    await open();
    const handles = await fleet.client.enqueueMany(
      'waiting-run',
      Array.from({ length: 4 }, () => ({ params: { ms: waitMs } })),
    );
    const guilty = await fleet.client.enqueue(flow, { how });
    const bystanders = await Promise.all(handles.map(ended));
    expect(bystanders.map(({ state, recoveries }) => [state.name, recoveries])).toEqual(bystanders.map(() => ['Completed', 0]));
    return await ended(guilty.id);
  }

  test.each([...tried.failing, ...tried.crashing])(
    'of five runs the one that does %s is %s and says why, the four others complete',
    { timeout: 240_000 },
    async (how, name, message) => {
      const { state } = await contaminate('poison-run', how);
      expect(state).toMatchObject({ name, message: expect.stringMatching(message) as string });
    },
  );

  test.each(tried.spreading)(
    'a spread task that does %s is charged itself: its run is %s, all others complete',
    { timeout: 240_000 },
    async (how, name, message) => {
      const { id, state } = await contaminate('spread-poison-run', how);
      const [task] = await fleet.client.engine.services.store.taskRuns.ofRun(id);
      expect([state.name, task?.state]).toMatchObject([name, { name: 'Crashed', message: expect.stringMatching(message) as string }]);
    },
  );
});
