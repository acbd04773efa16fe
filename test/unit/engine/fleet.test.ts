/** What a worker asks of the engine: claims in groups, runs given up before their leases end, runs handed back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Flow, Task, type TaskContext } from 'batuta';
import { afterEach, expect, test } from 'vitest';
import { definitionOf } from '../../../src/define/definition.ts';
import { makeRun } from '../../../src/engine/submit/make-run.ts';
import type { FlowClass } from '../../../src/model/flow-types.ts';
import type { Run } from '../../../src/model/run.ts';
import { openStore } from '../../../src/store/open.ts';
import type { Store } from '../../../src/store/store.ts';
import { type EngineParts, type OpenEngine, openEngine } from '../../support/open-engine.ts';

let gate = later();

function later(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

@Flow()
class Gated {
  @Task()
  async before(): Promise<string> {
    return 'before';
  }

  @Task({ needs: ['before'] })
  async gated(before: string, ctx: TaskContext): Promise<string> {
    await Promise.race([gate.promise, new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)))]);
    return `${before} and after`;
  }
}

@Flow()
class Blocking {
  @Task()
  async block(): Promise<string> {
    // Nothing else of the process gets its turn meanwhile.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 900);
    await sleep(50);
    return 'done';
  }
}

const opened: OpenEngine[] = [];
async function open(parts: EngineParts = {}): Promise<OpenEngine> {
  const engine = await openEngine(parts);
  opened.push(engine);
  gate = later();
  return engine;
}
afterEach(async () => {
  gate.resolve();
  for (const { client } of opened.splice(0)) await client.close();
});

/** A run that waits, claimed by the engine. */
async function claimed({ engine }: OpenEngine, flow: FlowClass): Promise<Run> {
  const run = await makeRun(engine.services, definitionOf(flow), {}, 'SCHEDULED', {});
  await engine.services.store.fleet.insertMany([{ run, idempotencyKey: null }]);
  const claim = await engine.claim(run.id);
  if (!claim) throw new Error('It was not claimed.');
  return claim;
}

test('claims that are asked for in one turn are one statement, and each goes to one who asks', async () => {
  const store = await openStore({ url: 'sqlite::memory:' });
  const groups: number[] = [];
  const counting: Store = {
    ...store,
    fleet: {
      ...store.fleet,
      claimMany(ids, owner, leaseMs) {
        groups.push(ids.length);
        return store.fleet.claimMany(ids, owner, leaseMs);
      },
    },
  };
  const { engine } = await open({ store: counting });
  const runs = await Promise.all(Array.from({ length: 20 }, () => makeRun(engine.services, definitionOf(Gated), {}, 'SCHEDULED', {})));
  await store.fleet.insertMany(runs.map((run) => ({ run, idempotencyKey: null })));
  const ids = runs.map(({ id }) => id);
  const claims = await Promise.all([...ids, ...ids, 'unknown'].map((id) => engine.claim(id)));
  expect(groups).toEqual([21]);
  expect(claims.filter((run) => run !== null).map(({ id }) => id)).toEqual(ids);
});

test('a run whose lease cannot be renewed is given up before the lease ends', async () => {
  const store = await openStore({ url: 'sqlite::memory:' });
  const mute: Store = { ...store, runs: { ...store.runs, renew: () => new Promise(() => undefined) } };
  const here = await open({ store: mute, settings: { leaseMs: 2_000, heartbeatMs: 500, abortUnrenewed: true } });
  const run = await claimed(here, Gated);
  const owned = await here.engine.execute(run, definitionOf(Gated));
  await owned.ended;
  expect(Date.now()).toBeLessThan(run.leaseUntil ?? 0);
  expect(owned.givenUp?.code).toBe('LEASE_LOST');
  expect(await store.runs.get(run.id)).toMatchObject({ owner: null, state: { type: 'RUNNING' } });
  expect(await store.fleet.dueUnticketed({ ticketedBeforeMs: 0, limit: 10 })).toMatchObject([{ id: run.id }]);
});

test('a run that its own process takes anew before it knows of the loss has one owner: the earlier one stops, the later one keeps its lease', async () => {
  const settings = { leaseMs: 800, heartbeatMs: 200, abortUnrenewed: true };
  const here = await open({ settings });
  const { store, engine } = here;
  const run = await claimed(here, Gated);
  const earlier = await engine.execute(run, definitionOf(Gated));
  // From then on it has nothing to write.
  for await (const { taskRuns } of here.client.runs.watch(run.id)) if (taskRuns.some(({ name }) => name === 'gated')) break;
  const lost = { goneOwners: [engine.services.owner], maxRecoveries: 3, limit: 10 };
  expect((await store.fleet.reclaim(lost)).waiting).toMatchObject([{ id: run.id }]);
  const again = await engine.claim(run.id);
  if (!again) throw new Error('It was not claimed.');
  const later = await engine.execute(again, definitionOf(Gated));
  await earlier.ended;
  expect(earlier.givenUp?.code).toBe('LEASE_LOST');
  // Longer than a lease, so that it has been renewed.
  await sleep(1_000);
  expect((await store.fleet.reclaim({ ...lost, goneOwners: [] })).waiting).toEqual([]);
  expect(engine.underWay(run.id)).toBe(later);
  gate.resolve();
  expect((await later.ended).state.name).toBe('Completed');
});

test('a process that was held up beyond its lease goes on when nobody has taken its run', async () => {
  const here = await open({ settings: { leaseMs: 400, heartbeatMs: 100, abortUnrenewed: true } });
  const run = await claimed(here, Blocking);
  const { ended } = await here.engine.execute(run, definitionOf(Blocking));
  expect((await ended).state.name).toBe('Completed');
});

test('a process that was frozen between claiming a run and starting it executes nothing of what another has taken meanwhile', async () => {
  const executed: string[] = [];
  @Flow()
  class Noting {
    @Task()
    note(): void {
      executed.push('note');
    }
  }
  const here = await open({ settings: { leaseMs: 400, heartbeatMs: 100, abortUnrenewed: true } });
  const { store } = here;
  const run = await claimed(here, Noting);
  // Nothing of this process gets its turn while its lease runs out.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600);
  const other = { id: 'other', host: 'elsewhere', pid: 1, processStartedAt: 1 };
  await store.fleet.reclaim({ goneOwners: [], maxRecoveries: 3, limit: 10 });
  expect((await store.runs.claim(run.id, other, 60_000)).claimed).toBe(true);
  const owned = await here.engine.execute(run, definitionOf(Noting));
  await owned.ended;
  expect(owned.givenUp?.code).toBe('LEASE_LOST');
  expect(executed).toEqual([]);
});

test('what ends before the deadline is not handed back', async () => {
  const here = await open();
  const { ended } = await here.engine.execute(await claimed(here, Gated), definitionOf(Gated));
  const handedBack = here.engine.handBack(60_000);
  gate.resolve();
  expect(await handedBack).toEqual([]);
  expect((await ended).state.name).toBe('Completed');
});

test('what has not ended at the deadline waits for another owner, who does not repeat what is recorded', async () => {
  const store = await openStore({ url: 'sqlite::memory:' });
  const here = await open({ store });
  const run = await claimed(here, Gated);
  const { ended } = await here.engine.execute(run, definitionOf(Gated));
  for await (const { taskRuns } of here.client.runs.watch(run.id)) if (taskRuns.some(({ name }) => name === 'gated')) break;
  expect(await here.engine.handBack(0)).toMatchObject([{ id: run.id, epoch: 1, state: { name: 'Resuming' } }]);
  expect((await ended).state.name).toBe('Resuming');
  expect(await store.runs.get(run.id)).toMatchObject({ owner: null, state: { type: 'SCHEDULED', name: 'Resuming' } });
  await expect(here.engine.submit(definitionOf(Gated), {})).rejects.toMatchObject({ code: 'SHUTDOWN' });

  const next = await open({ store });
  const taken = await next.engine.claim(run.id);
  if (!taken) throw new Error('It was not claimed.');
  gate.resolve();
  expect((await (await next.engine.execute(taken, definitionOf(Gated))).ended).state.name).toBe('Completed');
  const before = (await store.taskRuns.ofRun(run.id)).find(({ name }) => name === 'before');
  expect(before?.attempt).toBe(1);
});
