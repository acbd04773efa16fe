/**
 * What stands beside runs (events, triggers, alerts, decisions, values given out, cached values, named values), each column of it damaged in turn:
 * all lists are read, what is asked for alone is given or refused, and passes of a scheduler go on. Runs, deployments and schedules have a test of their own
 * (`test/contract/store/bad-rows.test.ts`).
 */
import Database from 'libsql';
import { Flow, type FlowContext, Task, type TaskContext } from 'batuta';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { LocalClient } from '../../src/client/local-client.ts';
import { alertParts, evaluateAll } from '../support/alerts.ts';
import { type Api, openApi } from '../support/api.ts';
import { createDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/room.ts';
import { fireAll, schedulerOf } from '../support/triggers.ts';

@Flow({ name: 'gives' })
class Gives {
  @Task({ cache: '1 hour' })
  async made(): Promise<number> {
    return 1;
  }

  @Task({ needs: ['made'] })
  async out(made: number, ctx: TaskContext): Promise<void> {
    await ctx.emit('out', { made });
  }
}

@Flow({ name: 'breaks' })
class Breaks {
  @Task()
  async load(): Promise<never> {
    throw new RangeError('it broke');
  }
}

@Flow({ name: 'asks' })
class Asks {
  async run(_params: unknown, ctx: FlowContext): Promise<unknown> {
    return await ctx.waitFor('approve', { title: 'Go on?', schema: z.object({ yes: z.boolean() }) });
  }
}

const tables = [
  'runs',
  'events',
  'triggers',
  'trigger_causes',
  'trigger_firings',
  'webhooks',
  'alert_rules',
  'alerts',
  'alert_firings',
  'alert_deliveries',
  'alert_silences',
  'error_marks',
  'inbox',
  'emissions',
  'cache_entries',
  'variables',
  'secrets',
  'rates',
] as const;
/** No JSON, or JSON of another shape; on SQLite also bytes that are no text. Of parameters, what is half of what stands beside them as well. */
const damages = { sqlite: [`'{'`, `'{"a":null}'`, `x'00ff'`], postgres: [`'{'`, `'{"a":null}'`] } as const;
const halves = [`'{"json":{},"submitted":{"traceparent":"0'`, `'{"json":{"a":1,"sensitive":["a"]}'`];

describe.each(['sqlite', 'postgres'] as const)('rows beside runs on %s that cannot be read', (dialect) => {
  let database: TestDatabase | null = null;
  let api: Api;
  let client: LocalClient;
  let file: Database.Database | null = null;
  let sound = '';
  beforeAll(async () => {
    database = dialect === 'postgres' ? await createDatabase() : null;
    const env = { BATUTA_SECRET_KEY: Buffer.alloc(32, 7).toString('base64') };
    api = await openApi(database ? { databaseUrl: database.url, env } : { env });
    client = api.client;
    if (!database) file = new Database(`${api.folder}/batuta.db`);
    await fill();
  });
  afterAll(async () => {
    file?.close();
    await api.close();
    await database?.drop();
  });

  async function sql(text: string): Promise<readonly Record<string, unknown>[]> {
    if (database) return await database.query<Record<string, unknown>>(text);
    if (/^(select|pragma)/.test(text)) return (file?.prepare(text).all([]) ?? []) as Record<string, unknown>[];
    file?.prepare(text).run([]);
    return [];
  }

  async function pass(): Promise<void> {
    const { store } = client.engine.services;
    await fireAll(schedulerOf(store));
    await evaluateAll(alertParts(store));
  }

  /** One of everything. */
  async function fill(): Promise<void> {
    await client.deployments.deploy([
      {
        flow: Gives,
        name: 'on-order',
        on: { on: 'event:order.*', by: 'payload.n', params: { n: 'payload.n' }, where: { 'payload.n': [1] } },
      },
      { flow: Gives, name: 'on-both', on: { on: ['event:order.made', 'event:order.paid'], within: '1h', slug: 'both' } },
      { flow: Gives, name: 'on-end', on: 'ended:*' },
    ]);
    await client.limits.setRate('tag:api', { limit: 100, per: '1m' });
    await client.variables.set('places', { value: { n: 1 }, description: 'How many' });
    await client.secrets.set('key', { value: 'xyz-123', description: 'Of the API' });
    await client.webhooks.set('shop', { secrets: ['key'], event: 'order.made', payload: { n: 'payload.n' }, description: 'The shop' });
    await client.alerts.setRule('failures', { on: 'failed', send: { run: 'on-order', params: { n: 1 } } });
    await client.events.emit('order.made', { n: 1 }, { id: 'first' });
    await (await client.submit(Gives, {})).done();
    await (await client.submit(Breaks, {})).done();
    await pass();
    await client.alerts.silence({ rule: 'failures', for: '1h', reason: 'Known' });
    const [group] = (await client.errors.list()).items;
    await client.errors.mark(group?.key ?? '', 'ignored', { who: 'somebody' });
    const asks = await client.submit(Asks, {});
    await until(async () => (await client.inbox.list({ runId: asks.id })).items.length === 1);
    const [item] = (await client.inbox.list({ runId: asks.id })).items;
    await client.inbox.decide(item?.id ?? '', { yes: true });
    await asks.done();
    sound = asks.id;
  }

  /** Lists and passes must go on; one thing by itself may be refused with a code. */
  async function readAll(): Promise<readonly string[]> {
    const failed: string[] = [];
    const told = (what: string) => (error: unknown) => void failed.push(`${what}: ${String(error)}`);
    for (const url of [
      '/api/runs',
      '/api/overview',
      '/api/facets',
      '/api/queues',
      '/api/events/emitted',
      '/api/deployments',
      '/api/deployments/on-order/triggers',
      '/api/deployments/on-both/triggers',
      '/api/webhooks',
      '/api/alerts',
      '/api/alert-rules',
      '/api/alert-rules/failures/firings',
      '/api/alert-silences',
      '/api/errors',
      '/api/inbox?status=all',
      `/api/runs/${sound}/streams`,
      '/api/cache',
      '/api/variables',
      '/api/secrets',
      '/api/limits',
    ]) {
      const { status, text } = await api.get(url);
      if (status !== 200) failed.push(`${url}: ${status} ${text.slice(0, 200)}`);
    }
    const { items } = await client.runs.list({ limit: 5 });
    for (const { id } of items) {
      const { status } = await api.get(`/api/runs/${id}`);
      if (status !== 200 && status !== 422) failed.push(`/api/runs/${id}: ${status}`);
    }
    await client.events.emit('order.made', { n: 1 });
    await pass().catch(told('pass'));
    const [row] = await sql('select count(*) as count from events where pending = 1');
    if (Number(row?.['count']) > 0) failed.push('an event is left over');
    return failed;
  }

  test('whatever column it is, all lists are read and the passes go on', { timeout: 300_000 }, async () => {
    expect(await readAll()).toEqual([]);
    const unread: string[] = [];
    for (const table of tables) {
      const columns =
        dialect === 'sqlite'
          ? (await sql(`pragma table_info(${table})`)).filter(({ type, pk }) => type === 'TEXT' && pk === 0)
          : await sql(
              `select column_name as name from information_schema.columns where table_name = '${table}' and data_type = 'text' and column_name not in
                 (select column_name from information_schema.key_column_usage where table_name = '${table}')`,
            );
      await sql('drop table if exists sound_rows');
      await sql(`create table sound_rows as select * from ${table}`);
      for (const { name: column } of columns) {
        // What a row is found by says which row it is; words are read as they stand.
        if (/(^|_)(id|run_id|state_type|state_name|state|deployment|status|kind|origin|outcome|via)$/.test(String(column))) continue;
        for (const damage of table === 'runs' && column === 'params' ? [...damages[dialect], ...halves] : damages[dialect]) {
          const done = await sql(`update ${table} set ${String(column)} = ${damage}`).then(
            () => true,
            () => false,
          );
          if (done) unread.push(...(await readAll()).map((why) => `${table}.${String(column)} = ${damage}: ${why}`));
          await sql(`delete from ${table}`);
          await sql(`insert into ${table} ${dialect === 'postgres' ? 'overriding system value' : ''} select * from sound_rows`);
        }
      }
    }
    expect(unread).toEqual([]);
  });
});
