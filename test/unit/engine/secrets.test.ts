/** Secrets and variables in tasks and code flows, and where a secret that was read does not turn up. */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Flow, type FlowContext, Task, type TaskContext } from 'batuta';
import { testFlow } from 'batuta/testing';
import { makeFlow } from '../../support/make-flow.ts';

const secrets = { stripe: 'sk_live_51H8xQ2eZvKYlo' };

describe('a task that reads a secret', () => {
  test('gets its value, and the name that is meant where there is none', async () => {
    const flow = makeFlow({ ask: { does: async (ctx: TaskContext) => (await ctx.secret('stripe')).length } });
    expect((await testFlow(flow, {}, { secrets })).result).toBe(secrets.stripe.length);
    const run = await testFlow(makeFlow({ ask: { does: (ctx: TaskContext) => ctx.secret('strpe') } }), {}, { secrets });
    expect(run.error).toMatchObject({ code: 'SECRET_NOT_FOUND', message: expect.stringContaining("Did you mean 'stripe'?") });
  });

  test('leaves nothing of it in log lines, console output, errors, artifacts, names, rejected records or states', async () => {
    const flow = makeFlow({
      leak: {
        runName: 'leak',
        does: async (ctx: TaskContext) => {
          const value = await ctx.secret('stripe');
          const { log } = ctx;
          log.info({ value, list: [{ value }] }, `key ${value}`);
          console.warn('printed %s %o', value, { value });
          await ctx.artifact.json(`artifact ${value}`, { value, [value]: 1 });
          await ctx.artifact.link('link', `https://user:${encodeURIComponent(value)}@host/?q=${value}`);
          await ctx.artifact.markdown('text', `# ${value}`);
          ctx.reject({ value }, `because of ${value}`);
          throw Object.assign(new Error(`refused ${value}`, { cause: new TypeError(value) }), { response: { body: value }, code: value });
        },
      },
    });
    const run = await testFlow(flow, {}, { secrets });
    run.expectState('Failed');
    expect(run.error?.message).toContain('refused [redacted]');
    expect(run.logs.length).toBeGreaterThan(2);
    expect(run.artifacts).toHaveLength(4);
    expect(JSON.stringify([run.inspection, run.logs])).not.toContain(secrets.stripe);
  });

  test('may not give it on: the result is refused, at once and for good, and so are parameters of sub-flows', async () => {
    const flow = makeFlow({ login: { retries: 3, does: async (ctx: TaskContext) => ({ token: await ctx.secret('stripe') }) } });
    const run = await testFlow(flow, {}, { secrets });
    run.expectTask('login', 'Failed', { attempts: 1 });
    expect(run.error).toMatchObject({ code: 'SECRET_EXPOSED' });

    const child = makeFlow({ take: {} }, { name: 'child' });
    class Parent {
      async run(_params: unknown, ctx: FlowContext): Promise<unknown> {
        return ctx.runFlow(child, { token: await ctx.secret('stripe') });
      }
    }
    (Flow({ name: 'parent' }) as unknown as (cls: unknown) => void)(Parent);
    const parent = await testFlow(Parent, undefined, { secrets });
    expect(parent.error).toMatchObject({ code: 'SECRET_EXPOSED' });
    expect(JSON.stringify(parent.inspection)).not.toContain(secrets.stripe);
  });

  test('may hand it to a call of a code flow, whose record does not show it', async () => {
    class Calls {
      async run(_params: unknown, ctx: FlowContext): Promise<number> {
        return this.length(await ctx.secret('stripe'), 2);
      }
      async length(value: string, times: number): Promise<number> {
        return value.length * times;
      }
    }
    const { prototype } = Calls;
    const decorate = Task() as unknown as (target: object, name: string, descriptor?: PropertyDescriptor) => PropertyDescriptor | undefined;
    const replaced = decorate(prototype, 'length', Object.getOwnPropertyDescriptor(prototype, 'length'));
    if (replaced) Object.defineProperty(prototype, 'length', replaced);
    (Flow({ name: 'calls' }) as unknown as (cls: unknown) => void)(Calls);
    const run = await testFlow(Calls, undefined, { secrets });
    expect(run.result).toBe(secrets.stripe.length * 2);
    expect(run.inspection.taskRuns[0]?.callArgs).toEqual([{ json: '[redacted]' }, { json: 2 }]);
    expect(JSON.stringify(run.inspection)).not.toContain(secrets.stripe);
  });
});

describe('a task that reads a variable', () => {
  const variables = { 'batch-size': 500, region: 'eu', list: [1] };

  test('gets its JSON, a copy of its own, checked by the schema it gives', async () => {
    const flow = makeFlow({
      read: {
        does: async (ctx: TaskContext) => {
          (await ctx.variable<number[]>('list')).push(2);
          return [await ctx.variable('region'), await ctx.variable('batch-size', z.number().max(1000)), await ctx.variable('list')];
        },
      },
    });
    expect((await testFlow(flow, {}, { variables })).result).toEqual(['eu', 500, [1]]);
  });

  test('gets the default of its schema where there is none, else is told the name that is meant', async () => {
    const read = (does: (ctx: TaskContext) => unknown) => testFlow(makeFlow({ read: { does } }), {}, { variables });
    expect((await read((ctx) => ctx.variable('limit', z.number().default(7)))).result).toBe(7);
    expect((await read((ctx) => ctx.variable('limit', z.number()))).error).toMatchObject({ code: 'VARIABLE_NOT_FOUND' });
    expect((await read((ctx) => ctx.variable('regio'))).error?.message).toContain("Did you mean 'region'?");
    expect((await read((ctx) => ctx.variable('region', z.number()))).error).toMatchObject({ code: 'VARIABLE_INVALID' });
  });
});
