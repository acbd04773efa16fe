import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Flow, type FlowContext, Task, type TaskContext } from '../../../src/index.ts';
import { BatutaError } from '../../../src/base/errors.ts';
import { openStore } from '../../../src/store/open.ts';
import type { Claim } from '../../../src/store/store.ts';
import { type OpenEngine, openEngine } from '../../support/open-engine.ts';

const executed: string[] = [];

@Flow()
class Patient {
  async run(_params: unknown, ctx: FlowContext): Promise<string> {
    await this.step('before');
    await ctx.sleep(700);
    return this.step('after');
  }

  @Task()
  async step(name: string): Promise<string> {
    executed.push(name);
    return name;
  }
}

@Flow()
class Asking {
  async run(_params: unknown, ctx: FlowContext): Promise<unknown> {
    return ctx.waitFor('answer');
  }
}

@Flow()
class AskingBelow {
  async run(_params: unknown, ctx: FlowContext): Promise<unknown> {
    return { answered: await ctx.runFlow(Asking) };
  }
}

@Flow()
class Busy {
  async run(_params: unknown, ctx: FlowContext): Promise<string> {
    const [, worked] = await Promise.all([ctx.sleep('1h').catch(() => undefined), this.work(ctx)]);
    return worked;
  }

  @Task()
  async work(ctx: TaskContext): Promise<string> {
    executed.push('work');
    await new Promise((resolve) => setTimeout(resolve, 600));
    return ctx.signal.aborted ? 'aborted' : 'worked';
  }
}

@Flow()
class SlowRetry {
  @Task({ retries: 1, retryDelay: 700 })
  async flaky(ctx: TaskContext): Promise<number> {
    if (ctx.task.attempt === 1) throw new Error('once');
    return ctx.task.attempt;
  }
}

@Flow()
class Choice {
  async run(_params: unknown, ctx: FlowContext): Promise<string> {
    const way = await Promise.race([ctx.waitFor('approve').then(() => 'approved'), ctx.waitFor('reject').then(() => 'rejected')]);
    return this.note(way);
  }

  @Task()
  async note(way: string): Promise<string> {
    return way;
  }
}

const flows = [Patient, Asking, AskingBelow, Busy, SlowRetry, Choice];

describe('a run that only waits', () => {
  let folder: string;
  let open: OpenEngine[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'batuta-suspend-'));
    open = [];
    executed.length = 0;
  });
  afterEach(async () => {
    for (const { client } of open) await client.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function engine(): Promise<OpenEngine> {
    const opened = await openEngine({ url: `sqlite:${join(folder, 'batuta.db')}`, settings: { suspendOverMs: 100 }, flows });
    open.push(opened);
    return opened;
  }

  test('is suspended without an owner, and another process waits the rest of its sleep', async () => {
    const first = await engine();
    const handle = await first.client.submit(Patient);
    const suspended = await handle.done();
    expect(suspended).toMatchObject({ state: { type: 'PAUSED', name: 'Suspended', message: 'Sleeping for 700 ms.' }, owner: null });
    await first.client.close();

    const second = await engine();
    const resumed = await (await second.client.runs.resume(handle.id)).done();
    // What is left is too short to be worth another suspension, or is suspended once more: it is due at the same instant.
    const ended = resumed.endedAt === null ? await (await second.client.runs.resume(handle.id)).done() : resumed;
    expect(ended.state.name).toBe(ended.endedAt === null ? 'Suspended' : 'Completed');
    const { taskRuns } = await second.client.runs.inspect(handle.id);
    expect(taskRuns.find(({ name }) => name === 'ctx.sleep')?.attempt).toBe(1);
    expect(executed.filter((name) => name === 'before')).toHaveLength(1);
  });

  test('goes on when a signal comes, and finds one that came while nobody held it', async () => {
    const first = await engine();
    const handle = await first.client.submit(Asking);
    expect((await handle.done()).state).toMatchObject({ name: 'Suspended', message: "Waiting for the signal 'answer'." });
    expect(await first.client.runs.signal(handle.id, 'answer', { yes: true })).toBe(1);
    expect((await first.client.runs.get(handle.id)).state.name).toBe('Resuming');
    const second = await engine();
    expect(await (await second.client.runs.resume(handle.id)).result()).toEqual({ yes: true });
    await expect(second.client.runs.signal(handle.id, 'answer')).rejects.toMatchObject({ code: 'RUN_STATE_REFUSED' });
  });

  test('for one of two signals ends when that comes, and the wait for the other is Cancelled', async () => {
    const { client } = await engine();
    const handle = await client.submit(Choice);
    expect((await handle.done()).state.name).toBe('Suspended');
    await client.runs.signal(handle.id, 'reject');
    const second = await engine();
    expect(await (await second.client.runs.resume(handle.id)).result()).toBe('rejected');
    const { taskRuns } = await second.client.runs.inspect(handle.id);
    expect(taskRuns.map(({ name, state }) => `${name} ${state.name}`).toSorted()).toEqual([
      'note Completed',
      'signal:approve Cancelled',
      'signal:reject Completed',
    ]);
  });

  test('is suspended with its sub-flow; a signal to the sub-flow wakes both', async () => {
    const { client } = await engine();
    const handle = await client.submit(AskingBelow);
    expect((await handle.done()).state.name).toBe('Suspended');
    const [child] = (await client.runs.inspect(handle.id)).children;
    expect(child).toMatchObject({ flow: 'asking', state: { name: 'Suspended' }, owner: null });
    await client.runs.signal(child?.id ?? '', 'answer', 7);
    expect((await client.runs.get(handle.id)).state.name).toBe('Resuming');
    expect(await (await client.runs.resume(handle.id)).result()).toEqual({ answered: 7 });
  });

  test('is not suspended while a task still works', async () => {
    const { client } = await engine();
    const handle = await client.submit(Busy);
    expect((await handle.done()).state.name).toBe('Suspended');
    const { taskRuns } = await client.runs.inspect(handle.id);
    expect(taskRuns.find(({ name }) => name === 'work')).toMatchObject({ state: { name: 'Completed' }, result: '{"json":"worked"}' });
    expect(executed).toEqual(['work']);
  });

  test('waits for a long retry delay as AwaitingRetry, with the instant at which it is due', async () => {
    const { client } = await engine();
    const handle = await client.submit(SlowRetry);
    const waiting = await handle.done();
    expect(waiting).toMatchObject({ state: { type: 'SCHEDULED', name: 'AwaitingRetry' }, owner: null, dueAt: expect.any(Number) });
    const { taskRuns } = await client.runs.inspect(handle.id);
    expect(waiting.dueAt).toBe(taskRuns[0]?.dueAt);
  });

  test('can be cancelled while it is suspended', async () => {
    const { client } = await engine();
    const handle = await client.submit(AskingBelow);
    await handle.done();
    expect((await client.runs.cancel(handle.id)).state.name).toBe('Cancelled');
    const { taskRuns, children } = await client.runs.inspect(handle.id);
    expect([...taskRuns, ...children].map(({ state }) => state.name)).toEqual(['Cancelled', 'Cancelled']);
  });

  test('which is not to be suspended waits where it is', async () => {
    const { client } = await openEngine({ flows });
    const handle = await client.submit(Asking);
    await client.runs.signal(handle.id, 'answer', 'here');
    expect(await handle.result()).toBe('here');
    await client.close();
  });

  /** An engine in which something happens after a run was recorded as suspended and before it is let go of. */
  async function engineWith(meanwhile: (runId: string, other: OpenEngine) => Promise<unknown>): Promise<OpenEngine> {
    const other = await engine();
    const url = `sqlite:${join(folder, 'batuta.db')}`;
    const store = await openStore({ url });
    const release = async (claim: Claim): Promise<void> => {
      await meanwhile(claim.runId, other);
      await store.runs.release(claim);
    };
    const runs = { ...store.runs, release };
    const opened = await openEngine({ store: { ...store, runs }, settings: { suspendOverMs: 100 }, flows });
    open.push(opened);
    return opened;
  }

  test('a signal that comes in the moment before it is let go of makes it go on at once', async () => {
    const first = await engineWith((runId, { store }) => store.signals.send(runId, 'answer', '{"json":42}', Date.now()));
    const suspended = await (await first.client.submit(Asking)).done();
    expect(suspended).toMatchObject({ state: { type: 'SCHEDULED', name: 'Resuming' }, owner: null });
    const second = await engine();
    expect(await (await second.client.runs.resume(suspended.id)).result()).toBe(42);
  });

  test('a cancel that comes in the moment before it is let go of ends it', async () => {
    const first = await engineWith((runId, { store }) => store.runs.requestCancel(runId, Date.now(), 'not needed'));
    const run = await (await first.client.submit(Asking)).done();
    expect(run.state).toEqual({ type: 'CANCELLED', name: 'Cancelled', message: 'not needed' });
  });

  test('a cancel that was not seen before it was suspended ends it, with the words of whoever asked', async () => {
    const first = await engine();
    const handle = await first.client.submit(Asking);
    const other = await engine();
    // Its owner looks for cancels less often than it takes to be suspended.
    await other.store.runs.requestCancel(handle.id, Date.now(), 'not needed');
    expect((await handle.done()).state).toEqual({ type: 'CANCELLED', name: 'Cancelled', message: 'not needed' });
  });

  /** An engine that sees no signal before a run is on record as suspended, and whose process is gone after so many steps from there on. */
  async function engineGoneAfter(steps: number): Promise<OpenEngine> {
    const store = await openStore({ url: `sqlite:${join(folder, 'batuta.db')}` });
    const { signals, runs } = store;
    let taken = 0;
    const step =
      <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) =>
      async (...args: A): Promise<R> => {
        if (taken >= steps) throw new BatutaError('STORE_UNAVAILABLE', 'The process is gone.');
        taken++;
        return await call(...args);
      };
    const look = step(signals.get);
    const read = step(runs.get);
    let isOnRecord = false;
    const dying = {
      ...store,
      signals: {
        ...signals,
        wake: step(signals.wake),
        get: async (...asked: Parameters<typeof look>) => {
          isOnRecord ||= (await runs.get(asked[0]))?.state.type === 'PAUSED';
          return isOnRecord ? await look(...asked) : null;
        },
      },
      runs: {
        ...runs,
        get: (id: string) => (isOnRecord ? read(id) : runs.get(id)),
        requestCancel: step(runs.requestCancel),
        release: (claim: Claim) => {
          isOnRecord = true;
          return step(runs.release)(claim);
        },
      },
    };
    const opened = await openEngine({ store: dying, settings: { suspendOverMs: 100 }, flows });
    open.push(opened);
    return opened;
  }

  /** What a scheduler does about an owner that is gone; gives the runs of which workers then get tickets. */
  async function ticketsAfterLoss({ store, engine: { services } }: OpenEngine): Promise<string[]> {
    const { waiting } = await store.fleet.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [services.owner] });
    const others = await store.fleet.dueUnticketed({ ticketedBeforeMs: 0, limit: 10 });
    return [...waiting, ...others].map(({ id }) => id);
  }

  test.each([0, 1, 2, 3])(
    'a signal that was not seen before it was suspended is acted on, though its owner dies %i steps later',
    async (steps) => {
      const [first, other] = [await engineGoneAfter(steps), await engine()];
      const handle = await first.client.submit(Asking);
      await other.store.signals.send(handle.id, 'answer', '{"json":42}', Date.now());
      await handle.done().catch(() => undefined);
      expect(await ticketsAfterLoss(other)).toContain(handle.id);
      expect(await (await other.client.runs.resume(handle.id)).result()).toBe(42);
    },
  );

  test.each([0, 1, 2, 3])(
    'a cancel that was not seen before it was suspended ends it, though its owner dies %i steps later',
    async (steps) => {
      const [first, other] = [await engineGoneAfter(steps), await engine()];
      const handle = await first.client.submit(Asking);
      await other.store.runs.requestCancel(handle.id, Date.now(), 'not needed');
      await handle.done().catch(() => undefined);
      const tickets = await ticketsAfterLoss(other);
      const isOver = async (): Promise<boolean> => (await other.store.runs.get(handle.id))?.state.name === 'Cancelled';
      expect((await isOver()) || tickets.includes(handle.id)).toBe(true);
      if (!(await isOver())) await (await other.client.runs.resume(handle.id)).done();
      expect(await isOver()).toBe(true);
    },
  );
});
