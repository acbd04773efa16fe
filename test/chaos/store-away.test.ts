/** PostgreSQL goes away under a worker for longer than it is waited for. What the worker had is left to others, not ended. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { TaskContext } from 'batuta';
import { definitionOf } from '../../src/define/definition.ts';
import type { OwnedRun } from '../../src/engine/run/owned-run.ts';
import { makeRun } from '../../src/engine/submit/make-run.ts';
import { isTerminal } from '../../src/model/state.ts';
import { openStore } from '../../src/store/open.ts';
import { gate, makeFlow } from '../support/make-flow.ts';
import { type OpenEngine, openEngine } from '../support/open-engine.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-process.ts';

let postgres: PostgresServer;
const opened: OpenEngine[] = [];
beforeEach(async () => {
  postgres = await startPostgres();
});
afterEach(async () => {
  for (const { client } of opened.splice(0)) await client.close({ graceMs: 0 });
  await postgres.stop();
});

/** A worker in the middle of a run that has recorded its first task. */
async function begin(leaseMs: number, second: (first: string, ctx: TaskContext) => unknown, onError: () => void): Promise<OwnedRun> {
  const store = await openStore({ url: postgres.url, reconnectTimeoutMs: 2_000, onError });
  const worker = await openEngine({ store, settings: { leaseMs, heartbeatMs: leaseMs / 4, abortUnrenewed: true } });
  opened.push(worker);
  const running = gate();
  const definition = definitionOf(flowOf((first, ctx) => (running.open(), second(first, ctx))));
  const run = await makeRun(worker.engine.services, definition, {}, 'SCHEDULED', {});
  await store.fleet.insertMany([{ run, idempotencyKey: null }]);
  const claimed = await worker.engine.claim(run.id);
  if (claimed === null) throw new Error('It was not claimed.');
  const underWay = await worker.engine.execute(claimed, definition);
  await running.opened;
  await store.recorder.flush();
  return underWay;
}

function flowOf(second: (first: string, ctx: TaskContext) => unknown) {
  return makeFlow({ first: {}, second: { needs: ['first'], does: second } });
}

async function expectGoesOn(runId: string): Promise<void> {
  const executed: string[] = [];
  const flow = makeFlow({
    first: { does: () => executed.push('first') },
    second: { needs: ['first'], does: () => executed.push('second') },
  });
  const next = await openEngine({ url: postgres.url, isOwnerGone: () => true, flows: [flow] });
  opened.push(next);
  expect(isTerminal((await next.client.runs.get(runId)).state.type)).toBe(false);
  expect((await (await next.client.runs.resume(runId)).done()).state.name).toBe('Completed');
  expect(executed).toEqual(['second']);
}

test('a run whose progress could not be recorded in time is left to others, not Failed', async () => {
  const [goOn, flushFailed] = [gate(), gate()];
  const owned = await begin(
    60_000,
    () => goOn.opened,
    () => flushFailed.open(),
  );
  await postgres.crash();
  goOn.open();
  // Its last words would find the database there again.
  await flushFailed.opened;
  await postgres.start();
  await expect(owned.ended).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  await expectGoesOn(owned.run.id);
});

test('a run whose lease ends while the database is away is left to others, not Failed', async () => {
  const stopped = gate();
  const wait = (_: string, ctx: TaskContext): Promise<never> =>
    new Promise((_resolve, reject) => ctx.signal.addEventListener('abort', () => (stopped.open(), reject(ctx.signal.reason))));
  const owned = await begin(1_000, wait, () => undefined);
  await postgres.crash();
  await stopped.opened;
  await postgres.start();
  await owned.ended.catch(() => undefined);
  await expectGoesOn(owned.run.id);
});
