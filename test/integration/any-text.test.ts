/** Any text that JavaScript can make, in every place that takes one, by code, over the API and by the command line, on both databases. */
import { Flow, type FlowContext, Task, type TaskContext } from 'batuta';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { isBatutaError } from '../../src/base/errors.ts';
import { isTerminal } from '../../src/model/state.ts';
import { decodeValue } from '../../src/model/values.ts';
import type { LocalClient } from '../../src/client/local-client.ts';
import { alertParts, evaluateAll } from '../support/alerts.ts';
import { type Api, openApi } from '../support/api.ts';
import { createDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/room.ts';
import { anyText, kept } from '../support/texts.ts';
import { fireAll, schedulerOf } from '../support/triggers.ts';

interface Params {
  readonly text: string;
}

@Flow({ name: 'says', runName: 'says {text}', concurrency: { limit: 100, key: '{text}' } })
class Says {
  @Task()
  async all(ctx: TaskContext<Params>): Promise<Record<string, string>> {
    const { text } = ctx.params;
    ctx.log.info({ [text || 'empty']: text }, text);
    ctx.metrics.set(text, 1);
    ctx.reject({ [text]: text }, text);
    await ctx.artifact.json(text, { [text]: text });
    await ctx.artifact.markdown(text, text);
    await ctx.emit('out', { [text]: text });
    return { [text]: text };
  }

  @Task({ needs: ['all'], after: [] })
  async fails(_all: Record<string, string>, ctx: TaskContext<Params>): Promise<never> {
    throw Object.assign(new Error(ctx.params.text, { cause: new Error(ctx.params.text) }), {
      code: ctx.params.text,
      details: { text: ctx.params.text },
    });
  }
}

@Flow({ name: 'asks' })
class Asks {
  async run({ text }: Params, ctx: FlowContext): Promise<unknown> {
    return await ctx.waitFor('approve', { title: `x${text}`, description: text, schema: z.object({ note: z.string() }) });
  }
}

@Flow({ name: 'waits' })
class Waits {
  async run(_params: unknown, ctx: FlowContext): Promise<unknown> {
    return await ctx.waitFor('go');
  }
}

/** A refusal with a code is an answer; a bug of ours, or an error of a driver, is none. */
async function settled<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (!isBatutaError(error) || error.code === 'INTERNAL' || error.code.startsWith('STORE_')) throw error;
    return null;
  }
}

describe.each(['sqlite', 'postgres'] as const)('any text on %s', (dialect) => {
  let database: TestDatabase | null = null;
  let api: Api;
  let client: LocalClient;
  let key: string;
  beforeAll(async () => {
    database = dialect === 'postgres' ? await createDatabase() : null;
    api = await openApi(database ? { databaseUrl: database.url } : {});
    client = api.client;
    // A text may be the name of a key, and the first key closes the server to those without one.
    key = await api.key('admin');
  });
  afterAll(async () => {
    await api.close();
    await database?.drop();
  });

  /** Everything people look at is read, and holds no error. */
  async function look(id: string): Promise<void> {
    for (const url of [
      '/api/runs',
      `/api/runs/${id}`,
      `/api/runs/${id}/tasks`,
      `/api/runs/${id}/logs`,
      `/api/runs/${id}/artifacts`,
      '/api/artifacts',
      '/api/deployments',
      '/api/flows',
      '/api/limits',
    ])
      expect([url, (await api.get(url, { key })).status]).toEqual([url, 200]);
  }

  test('in parameters, names, keys, lines, artifacts, results and errors of a run', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(anyText, async (text) => {
        const { id } = await (await client.submit(Says, { text })).done();
        const run = await client.runs.get(id);
        expect(run?.state.type).toBe('FAILED');
        // Values of flows are kept to the letter; what stands in columns is what can be stored.
        expect(decodeValue(run?.params ?? null)).toEqual({ text });
        expect(run?.error?.message).toContain(text.trim() === '' ? '(no message)' : kept(text));
        await look(id);
      }),
      { numRuns: 15 },
    );
  });

  test('in what is submitted, deployed, searched for, signalled and cancelled', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(anyText, async (text) => {
        await settled(client.enqueue(Says, { text }, { name: text, tags: [text], idempotencyKey: text, queue: text }));
        const queued = await client.enqueue(Says, { text });
        const waiting = await client.enqueue(Waits, {});
        await settled(client.runs.signal(waiting.id, text, { [text]: text }));
        await settled(client.runs.cancel(waiting.id, text));
        expect((await client.runs.get(waiting.id))?.state.message).toBe(
          text === '' ? '' : kept((await client.runs.get(waiting.id))?.state.message ?? ''),
        );
        for (const filter of [{ search: text }, { tag: text }, { flow: text }, { deployment: text }, { queue: text }])
          await settled(client.runs.list(filter));
        await settled(
          client.deployments.deploy([
            { flow: Says, name: text, tags: [text], description: text, params: { text }, runName: `x${text}{text}` },
          ]),
        );
        await settled(
          client.deployments.deploy([
            {
              flow: Says,
              name: 'fixed',
              tags: [text],
              description: text,
              params: { text },
              runName: `x${text}{text}`,
              concurrency: { limit: 1, key: '{text}' },
            },
          ]),
        );
        await settled(client.deployments.run('fixed'));
        await settled(client.limits.set(`tag:${text}`, 1));
        await settled(client.keys.create({ name: text, role: 'viewer' }));
        await look(queued.id);
      }),
      { numRuns: 15 },
    );
  });

  test('in events and what they start, gathered calls, decisions, alerts and variables', { timeout: 120_000 }, async () => {
    const { store } = client.engine.services;
    await client.deployments.deploy([
      {
        flow: Says,
        name: 'on-said',
        on: { on: 'event:said', by: 'payload.text', where: { 'payload.is': [true] }, params: { text: 'payload.text' } },
      },
      { flow: Says, name: 'on-gathered', on: { on: 'event:said', by: 'payload.text', debounce: '1s', params: { text: 'payload.text' } } },
    ]);
    let said = 0;
    await fc.assert(
      fc.asyncProperty(anyText, async (text) => {
        await settled(client.events.emit('said', { is: true, text, [`x${text}`]: text }));
        await settled(client.events.emit('said', text, { id: text }));
        await settled(client.events.emit(text));
        await fireAll(schedulerOf(store));
        expect((await client.runs.list({ deployment: 'on-said', limit: 1_000 })).items).toHaveLength(++said);
        await settled(client.enqueue(Says, { text }, { debounce: { key: text, wait: '1h' } }));
        await settled(client.enqueue(Says, { text }, { ttl: '1h', callerRunId: text, traceparent: text }));
        const asks = await client.submit(Asks, { text });
        const asked = async () => (await client.inbox.list({ runId: asks.id })).items[0];
        await until(async () => (await asked()) !== undefined || isTerminal((await client.runs.get(asks.id)).state.type));
        const item = await asked();
        if (item) {
          await client.inbox.decide(item.id, { note: text });
          expect(await asks.result()).toEqual({ note: text });
        } else expect((await client.runs.get(asks.id)).error?.code).toMatch(/_INVALID$/);
        await settled(client.variables.set('words', { value: { [`x${text}`]: text }, description: text }));
        await settled(
          client.alerts.setRule('any', {
            on: 'failed',
            flows: [text],
            tags: [text],
            description: text,
            send: { run: 'fixed', params: { text } },
          }),
        );
        await settled(client.alerts.setRule('all', { on: 'failed', by: 'rule' }));
        await settled(client.alerts.silence({ group: text, for: '1h', reason: text }));
        await evaluateAll(alertParts(store));
        for (const url of [
          '/api/events/emitted',
          '/api/inbox?status=all',
          '/api/variables',
          '/api/alert-rules',
          '/api/alert-silences',
          '/api/errors',
          '/api/alerts',
        ])
          expect([url, (await api.get(url, { key })).status]).toEqual([url, 200]);
      }),
      { numRuns: 15 },
    );
  });

  test('over the API is stored or refused, and never a failure of the server', { timeout: 120_000 }, async () => {
    const { id } = await client.enqueue(Waits, {});
    await fc.assert(
      fc.asyncProperty(anyText, async (text) => {
        const asks: [string, string, unknown][] = [
          ['POST', '/api/runs', { flow: 'hello', params: { name: text } }],
          ['POST', '/api/runs', { flow: 'hello', params: { [text]: text }, name: text, tags: [text], queue: text, idempotencyKey: text }],
          ['POST', '/api/runs', { flow: text }],
          ['POST', `/api/runs/${id}/signals`, { name: text, data: text }],
          ['POST', `/api/runs/${id}/signal`, { name: text, data: text }],
          ['POST', `/api/runs/${id}/cancel`, { message: text }],
          [
            'POST',
            '/api/deployments',
            { specs: [{ flow: 'hello', name: text, description: text, tags: [text], runName: text, params: { name: text } }] },
          ],
          ['GET', `/api/runs?search=${encodeURIComponent(text.toWellFormed())}&tag=${encodeURIComponent(text.toWellFormed())}`, undefined],
        ];
        for (const [method, url, body] of asks) {
          const { status } = await api.ask(method, url, { body, key });
          expect([method, url, status < 500]).toEqual([method, url, true]);
        }
        await look(id);
      }),
      { numRuns: 15 },
    );
  });
});
