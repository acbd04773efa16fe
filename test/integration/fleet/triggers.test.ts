/** Deployments that are started by events and by one another, by the loops and a worker of this process. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Flow, Task, type TaskContext } from 'batuta';
import { openLocalClient } from '../../../src/client/open-local-client.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { triggersLoop } from '../../../scheduler/loops/triggers.ts';
import { openLog } from '../../../src/base/log.ts';
import type { Service } from '../../../src/base/service.ts';
import { definitionOf } from '../../../src/define/definition.ts';
import { startedByText, submittedOf } from '../../../src/model/submitted.ts';
import { isTerminal } from '../../../src/model/state.ts';
import type { Run } from '../../../src/model/run.ts';
import { processTicket } from '../../../worker/process-ticket.ts';

let client: Awaited<ReturnType<typeof openLocalClient>>;

@Flow({ name: 'extract' })
class Extract {
  static params = z.object({ rows: z.number().default(3) });

  @Task()
  async read({ params }: TaskContext<{ rows: number }>): Promise<{ rows: number; at: Date }> {
    return { rows: params.rows, at: new Date(0) };
  }
}

@Flow({ name: 'load' })
class Load {
  static params = z.object({ rows: z.coerce.number().int().max(100), table: z.string().default('sales') });

  @Task()
  async write({ params }: TaskContext<{ rows: number; table: string }>): Promise<string> {
    return `${params.rows} rows into ${params.table}`;
  }
}

@Flow({ name: 'loop' })
class Loop {
  @Task()
  async again(): Promise<void> {
    await client.events.emit('again');
  }
}

let folder: string;
let loop: Service;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'batuta-triggers-'));
  const log = await openLog({ level: 'silent', format: 'json' });
  client = await openLocalClient({ log, databaseUrl: `sqlite:${join(folder, 'batuta.db')}`, flows: ['flows'] });
  const { engine } = client;
  const broker = await client.broker();
  const parts = { engine, broker, log: log.logger };
  const flows = new Map([Extract, Load, Loop].map((flow) => [definitionOf(flow).name, definitionOf(flow)]));
  broker.consume('default', { concurrency: 4 }, (ticket) => processTicket({ ...parts, flows }, ticket));
  loop = triggersLoop(parts, { intervalMs: 50 });
  await loop.start();
});
afterEach(async () => {
  await loop.stop();
  await client.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The runs of a deployment, oldest first, once so many have ended. */
async function ended(deployment: string, count: number): Promise<readonly Run[]> {
  for (;;) {
    const { items } = await client.runs.list({ deployment, limit: 100 });
    const over = items.filter(({ state }) => isTerminal(state.type));
    if (over.length >= count) return over.toReversed();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('the end of one starts the next with its result, checked by the schema before anything runs, and says what started it', async () => {
  await client.deployments.deploy([{ flow: Extract }, { flow: Load, on: { on: 'completed:extract', params: { rows: 'result.rows' } } }]);
  const extract = await client.deployments.run('extract', { rows: 7 });
  const [load] = await ended('load', 1);
  expect(load?.state.name).toBe('Completed');
  const inspection = await client.runs.inspect(load?.id ?? '');
  expect([inspection.params, inspection.result]).toEqual([{ rows: 7, table: 'sales' }, '7 rows into sales']);
  const { trigger, callerRunId } = submittedOf(inspection.run) ?? {};
  expect(callerRunId).toBe(extract.id);
  expect(trigger && startedByText(trigger)).toBe(`trigger completed-extract: completed:extract ${extract.id}`);
  expect(trigger?.unchecked).toBeUndefined();
  expect((await client.deployments.triggers('load')).firings).toMatchObject([{ outcome: 'started', runId: load?.id, causeId: extract.id }]);
});

test('values that do not fit the schema fail the run before any task, and a retry looks again', async () => {
  await client.deployments.deploy([{ flow: Load, on: { on: 'event:rows.ready', params: { rows: 'payload.rows' } } }]);
  await client.events.emit('rows.ready', { rows: 'many' });
  const [load] = await ended('load', 1);
  expect([load?.state.name, load?.error?.code]).toEqual(['Failed', 'PARAMS_INVALID']);
  expect((await client.runs.inspect(load?.id ?? '')).taskRuns).toEqual([]);
  await client.runs.requeue(load?.id ?? '');
  await expect.poll(async () => (await client.runs.get(load?.id ?? '')).error?.code).toBe('PARAMS_INVALID');
});

test('a flow that emits the event which starts it ends in a Skipped run, and stops', async () => {
  await client.deployments.deploy([{ flow: Loop, on: 'event:again' }]);
  await client.events.emit('again');
  const runs = await ended('loop', 17);
  expect(runs.map(({ state }) => state.name)).toEqual([...Array.from({ length: 16 }, () => 'Completed'), 'Skipped']);
});

test('deployments that would start each other are refused together and one by one, and nothing is deployed', async () => {
  const a = { flow: Extract, name: 'a', on: 'completed:b' } as const;
  const b = { flow: Extract, name: 'b', on: 'failed:a' } as const;
  await expect(client.deployments.deploy([a, b])).rejects.toMatchObject({
    code: 'TRIGGER_CYCLE',
    message: expect.stringMatching(/a → failed:a → b → completed:b → a/) as string,
  });
  await expect(client.deployments.deploy([{ ...a, on: 'ended:a' }])).rejects.toMatchObject({ code: 'TRIGGER_CYCLE' });
  await expect(client.deployments.deploy([{ ...a, on: 'ended:flow:extract' }])).rejects.toMatchObject({ code: 'TRIGGER_CYCLE' });
  expect((await client.deployments.list()).items).toEqual([]);
  await client.deployments.deploy([b]);
  await expect(client.deployments.deploy([a])).rejects.toMatchObject({ code: 'TRIGGER_CYCLE' });
  expect((await client.deployments.list()).items.map(({ name }) => name)).toEqual(['b']);
});

test('what is no trigger is refused with what it may be', async () => {
  const refused = async (on: unknown): Promise<unknown> =>
    client.deployments.deploy([{ flow: Load, params: { rows: 1 }, on: on as string }]).then(
      () => null,
      (error: { readonly code: string }) => error.code,
    );
  for (const on of [
    'order.created',
    'event:',
    'event:a b',
    'done:x',
    'completed:flow:',
    5,
    null,
    { on: [] },
    { on: ['event:a', 'event:b'] },
    { on: 'event:a', within: '1h' },
  ])
    expect([on, await refused(on)]).toEqual([on, 'TRIGGER_INVALID']);
  expect(await refused({ on: 'event:a', params: { row: 'payload.x' } })).toBe('TRIGGER_INVALID');
  expect(await refused({ on: 'event:a', where: { 'constructor.x': 1 } })).toBe('TRIGGER_INVALID');
  expect(await refused({ on: 'event:a', debounce: '30 days' })).toBe('TRIGGER_INVALID');
  expect(await refused({ on: 'event:a', when: 1 })).toBe('OPTION_UNKNOWN');
});

test('an event that cannot be one is refused, and nothing is stored', async () => {
  for (const [name, payload, options] of [
    ['', 1, {}],
    ['a b', 1, {}],
    ['x'.repeat(201), 1, {}],
    ['a', 'x'.repeat(300_000), {}],
    ['a', 1, { id: '' }],
    ['a', 1, { id: 'a\n' }],
    ['a', 1, { at: Date.now() + 3_600_000 }],
  ] as const)
    await expect(client.events.emit(name, payload, options)).rejects.toMatchObject({ code: 'EVENT_INVALID' });
  expect((await client.events.list()).items).toEqual([]);
  const when = new Date('2026-01-02T03:04:05Z');
  const event = await client.events.emit('a', { when }, { at: when });
  expect((await client.events.get(event.id)).payload).toEqual({ when });
});
