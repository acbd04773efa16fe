/** Calls that are debounced, from the client to the end of their run. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Flow, Task, type TaskContext } from 'batuta';
import { openLocalClient } from '../../../src/client/open-local-client.ts';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../../../src/base/clock.ts';
import { openLog } from '../../../src/base/log.ts';
import { definitionOf } from '../../../src/define/definition.ts';
import { stateOf } from '../../../src/model/state.ts';
import { reissueLoop } from '../../../src/upkeep/reissue.ts';
import { processTicket } from '../../../worker/process-ticket.ts';
import { openTwoClients, type TwoClients } from '../../support/two-clients.ts';

const begun: number[] = [];

@Flow({ name: 'reindex', params: z.object({ version: z.number() }), concurrency: { limit: 1 }, runName: 'v{version}' })
class Reindex {
  @Task()
  index({ params }: TaskContext<{ version: number }>): number {
    begun.push(params.version);
    return params.version;
  }
}

let folder: string;
let client: Awaited<ReturnType<typeof openLocalClient>>;
let other: typeof client;
let clients: TwoClients;
beforeAll(async () => {
  clients = await openTwoClients();
});
afterAll(() => clients.close());
beforeEach(async () => {
  begun.length = 0;
  folder = mkdtempSync(join(tmpdir(), 'batuta-debounce-'));
  const log = await openLog({ level: 'silent', format: 'json' });
  const open = () => openLocalClient({ log, databaseUrl: `sqlite:${join(folder, 'batuta.db')}`, flows: ['flows'] });
  [client, other] = [await open(), await open()];
});
afterEach(async () => {
  await client.close();
  await other.close();
  rmSync(folder, { recursive: true, force: true });
});

async function parts() {
  const flows = new Map([['reindex', definitionOf(Reindex)]]);
  return { engine: other.engine, broker: await other.broker(), log: pino({ level: 'silent' }), flows };
}

async function work(): Promise<void> {
  const known = await parts();
  known.broker.consume(['default'], { concurrency: 4 }, (ticket) => processTicket(known, ticket));
}

test('a burst of calls is executed once, with the parameters and the name of the last', async () => {
  await work();
  const ids = new Set<string>();
  for (let version = 1; version <= 12; version++) {
    const from = version % 2 === 0 ? client : other;
    ids.add((await from.enqueue(Reindex, { version }, { debounce: { key: 'd', wait: 400 } })).id);
    // Longer in all than the wait of the first: the worker finds the run due later.
    await systemClock.sleep(60);
  }
  expect(ids.size).toBe(1);
  const [id = ''] = ids;
  expect(await (await client.enqueue(Reindex, { version: 13 }, { debounce: { key: 'd', wait: 400 } })).result()).toBe(13);
  expect(await client.runs.get(id)).toMatchObject({ name: 'v13', state: { name: 'Completed' }, concurrencyKey: 'flow:reindex' });
  expect(begun).toEqual([13]);
});

test('calls without end are executed at the longest wait, and go on in the next run', async () => {
  await work();
  const debounce = { key: 'd', wait: '1 hour', maxWait: '1 hour' } as const;
  const first = await client.enqueue(Reindex, { version: 0 }, { debounce: { key: 'd', wait: 300, maxWait: 300 } });
  let last = first.id;
  for (let version = 1; last === first.id; version++) {
    last = (await client.enqueue(Reindex, { version }, { debounce })).id;
    // Timers, and with them the worker of this process, get their turn.
    await systemClock.sleep(10);
  }
  const ended = await first.done();
  expect(ended.state.name).toBe('Completed');
  expect(begun).toHaveLength(1);
  expect((await client.runs.get(last)).state.name).toBe('Scheduled');
});

test('the run is executed although its caller died before it could wake anyone', async () => {
  const run = { ...(await import('../../contract/store/rows.ts')).newRun({ flow: 'reindex', state: stateOf('SCHEDULED') }) };
  const params = '{"json":{"version":7},"submitted":{"debounceKey":"k"}}';
  const call = { run: { ...run, params }, key: 'k', waitMs: 50, maxWaitMs: null, renames: false };
  const { id } = await client.engine.services.store.debounces.add(call);
  await work();
  const loop = reissueLoop(await parts(), { intervalMs: 20, lostAfterMs: 50 });
  await loop.start();
  await expect.poll(async () => (await client.runs.get(id)).state.name).toBe('Completed');
  await loop.stop();
  expect(begun).toEqual([7]);
});

test('why it waits says how many calls it holds and when it begins; resuming begins it at once', async () => {
  const debounce = { key: 'd', wait: '10 m', maxWait: '1 h' } as const;
  const { id } = await client.enqueue(Reindex, { version: 1 }, { debounce });
  await client.enqueueMany(Reindex, [
    { params: { version: 2 }, debounce },
    { params: { version: 9 } },
    { params: { version: 3 }, debounce },
  ]);
  const why = await client.runs.why(id);
  expect(why?.message).toMatch(
    /^3 calls were gathered into it; it starts once nobody has called for 10 m 00 s, in 10 m 00 s, at .* At the latest/,
  );
  expect(await (await client.runs.resume(id)).result()).toBe(3);
  const next = await client.enqueue(Reindex, { version: 4 }, { debounce });
  expect(next.id).not.toBe(id);
});

test.each([
  ['an empty key', { key: '', wait: '1s' }, {}, 'OPTION_INVALID'],
  ['no wait', { key: 'a', wait: 0 }, {}, 'OPTION_INVALID'],
  ['a wait that is none', { key: 'a', wait: 'soon' as '1s' }, {}, 'DURATION_INVALID'],
  ['a longest wait that is shorter', { key: 'a', wait: '10s', maxWait: '5s' }, {}, 'OPTION_INVALID'],
  ['an idempotency key beside it', { key: 'a', wait: '1s' }, { idempotencyKey: 'x' }, 'OPTION_INVALID'],
  ['a ttl beside it', { key: 'a', wait: '1s' }, { ttl: '1h' }, 'OPTION_INVALID'],
] as const)('%s is refused, over HTTP too, and no run is made', async (_, debounce, more, code) => {
  for (const from of [clients.local, clients.http]) {
    const refused = await from.enqueue('small', undefined, { queue: 'nobody', debounce, ...more }).catch((error: unknown) => error);
    expect(['REQUEST_INVALID', code]).toContain((refused as { readonly code?: string }).code);
  }
  expect((await clients.local.runs.list({ queue: 'nobody' })).items).toEqual([]);
});

test('over HTTP and on the database calls meet in one run', async () => {
  const debounce = { key: 'both', wait: '10 m', maxWait: '1 h' } as const;
  const one = await clients.http.enqueue('small', undefined, { queue: 'nobody', debounce });
  const two = await clients.local.enqueue('small', undefined, { queue: 'nobody', debounce });
  expect(two.id).toBe(one.id);
  expect((await clients.http.runs.why(one.id))?.message).toContain('2 calls were gathered into it');
  await one.cancel();
});
