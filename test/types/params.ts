/** Parameters and results that a class says itself: typed wherever the flow is started. Never run. */
import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';

import type { EmbeddedClient } from '../../src/client/client.ts';
import { deployment } from '../../src/define/deployment.ts';
import { Flow } from '../../src/define/flow.ts';
import { On } from '../../src/define/on.ts';
import { Task } from '../../src/define/task.ts';
import type { Out } from '../../src/define/wiring.ts';
import { defineConfig, run } from '../../src/index.ts';
import type { FlowContext, HookContext, TaskContext } from '../../src/model/context.ts';
import type { ParamsIn, ParamsOf, ResultOf } from '../../src/model/flow-types.ts';
import { testFlow } from '../../src/testing/test-flow.ts';

/** True where both are the same type; `any` is only the same as `any`. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends readonly true[]>(): void => undefined;

@Flow({ retries: 1, runName: '{day}' })
export class Orders {
  static readonly params = z.object({ day: z.string(), min: z.number().default(100), at: z.coerce.date().optional() });
  static readonly result = 'report';

  @Task()
  async load(ctx: TaskContext<typeof Orders>) {
    holds<[Same<typeof ctx.params.min, number>]>();
    return [ctx.params.min, ctx.params.day.length];
  }
  @Task({ needs: ['load'] })
  async report(rows: number[]) {
    return { total: rows.length };
  }
  @On('failed')
  tell(ctx: HookContext<typeof Orders>) {
    ctx.log.error(ctx.params.day);
  }
}

/** Results inferred through other tasks, and a context in the middle of them. */
@Flow()
export class Inferred {
  static readonly params = v.object({ factor: v.optional(v.number(), 2) });
  static readonly result = 'twice';
  @Task() numbers(ctx: TaskContext<typeof Inferred>) {
    return [1, ctx.params.factor];
  }
  @Task({ needs: ['numbers'] }) twice(numbers: Out<Inferred, 'numbers'>, ctx: TaskContext<typeof Inferred>) {
    return numbers.map((n) => ({ n: n * ctx.params.factor }));
  }
}

@Flow()
export class Code {
  static readonly params = type({ year: 'number' });
  async run(params: { year: number }, ctx: FlowContext<typeof Code>) {
    const orders = await ctx.runFlow(Orders, { day: `${params.year}-01-01` });
    holds<[Same<typeof orders, { total: number }>, Same<typeof ctx.params, { year: number }>]>();
    // @ts-expect-error day is text
    await ctx.runFlow(Orders, { day: params.year });
    // @ts-expect-error day is required
    await ctx.runFlow(Orders);
    const typed = await ctx.runDeployment('typed-nightly', { min: 3 });
    holds<[Same<typeof typed, { total: number }>]>();
    const free = await ctx.runDeployment<number>('somewhere-else', { any: 'thing' });
    return orders.total + typed.total + free;
  }
}

/** Nothing said by the class: parameters are what the schema in the options makes of them, which types cannot see. */
@Flow({ params: z.object({ month: z.string() }) })
export class Untold {
  @Task() months(ctx: TaskContext<{ month: string }>) {
    return ctx.params.month;
  }
  @Task() loose(ctx: TaskContext) {
    return ctx.params;
  }
}

declare global {
  interface BatutaFlows {
    'typed-orders': typeof Orders;
  }
  interface BatutaDeployments {
    'typed-nightly': typeof Orders;
  }
}

holds<
  [
    Same<ParamsIn<typeof Orders>['day'], string>,
    Same<ParamsIn<typeof Orders>['min'], number | undefined>,
    Same<ParamsOf<typeof Orders>['min'], number>,
    Same<ResultOf<typeof Orders>, { total: number }>,
    Same<ResultOf<typeof Inferred>, { n: number }[]>,
    Same<ResultOf<typeof Code>, number>,
    Same<ResultOf<Code>, number>,
    Same<ResultOf<'typed-orders'>, { total: number }>,
    Same<ResultOf<typeof Untold>, unknown>,
  ]
>();

export async function start(client: EmbeddedClient): Promise<void> {
  const report = await run(Orders, { day: 'x' }, { tags: ['a'] });
  holds<[Same<typeof report, { total: number }>]>();
  // @ts-expect-error a misspelt parameter
  await run(Orders, { dya: 'x' });
  // @ts-expect-error a required one left out
  await run(Orders, {});
  // @ts-expect-error all of them left out
  await run(Orders);
  // @ts-expect-error the value is no text
  const text: string = await run(Orders, { day: 'x' });
  holds<[Same<typeof text, string>]>();
  // No parameter is required here, so none need be given.
  holds<[Same<Awaited<ReturnType<typeof run<typeof Inferred>>>, { n: number }[]>]>();
  await run(Inferred);
  await run(Inferred, {});
  await run(Untold, { anything: 1 });

  const submitted = await client.submit(Orders, { day: 'x', min: 1 }, { name: 'n' });
  const enqueued = await client.enqueue(Orders, { day: 'x' }, { priority: 3 });
  const named = await client.enqueue('typed-orders', { day: 'x' });
  const unknownName = await client.enqueue('some-flow', { whatever: 1 });
  holds<
    [
      Same<Awaited<ReturnType<typeof submitted.result>>, { total: number }>,
      Same<Awaited<ReturnType<typeof enqueued.result>>, { total: number }>,
      Same<Awaited<ReturnType<typeof named.result>>, { total: number }>,
      Same<Awaited<ReturnType<typeof unknownName.result>>, unknown>,
    ]
  >();
  // @ts-expect-error a misspelt parameter
  await client.submit(Orders, { dya: 'x' });
  // @ts-expect-error a misspelt parameter
  await client.enqueue(Orders, { dya: 'x' });
  // @ts-expect-error a misspelt parameter, by name
  await client.enqueue('typed-orders', { dya: 'x' });
  // @ts-expect-error options come third
  await client.enqueue(Orders, { day: 'x' }, { priorty: 3 });
  await client.enqueueMany(Orders, [{ params: { day: 'x' }, tags: ['a'] }]);
  // @ts-expect-error a misspelt parameter
  await client.enqueueMany(Orders, [{ params: { dya: 'x' } }]);
  // @ts-expect-error a required one left out
  await client.enqueueMany(Orders, [{ tags: ['a'] }]);

  const tested = await testFlow(Orders, { day: 'x' }, { override: { load: [1] } });
  holds<[Same<(typeof tested)['result'], { total: number } | undefined>]>();
  // @ts-expect-error day is text
  await testFlow(Orders, { day: 1 });
}

defineConfig({
  deployments: [
    deployment(Orders, { cron: '@daily', params: { day: 'x' } }),
    deployment(Orders, { name: 'each', schedules: [{ interval: '1h', params: { day: 'x', min: 1 } }] }),
    deployment(Untold, { params: { month: '01' } }),
    // @ts-expect-error a misspelt parameter
    deployment(Orders, { params: { dya: 'x' } }),
    // @ts-expect-error min is a number
    deployment(Orders, { schedules: [{ interval: '1h', params: { min: 'x' } }] }),
  ],
});

// @ts-expect-error a context of other parameters than the schema in the options gives
@Flow({ params: z.object({ month: z.string() }) })
export class OtherContext {
  @Task() months(ctx: TaskContext<{ month: number }>) {
    return ctx.params.month;
  }
}

// @ts-expect-error a context of other parameters than the static schema gives
@Flow()
export class OtherStaticContext {
  static readonly params = z.object({ month: z.string() });
  @Task() load() {
    return 1;
  }
  @Task({ needs: ['load'] }) months(_x: number, ctx?: TaskContext<{ year: string }>) {
    return ctx;
  }
}

// @ts-expect-error the body takes other parameters than the schema outputs
@Flow({ params: z.object({ month: z.string() }) })
export class OtherBody {
  async run(params: { month: number }) {
    return params;
  }
}

// @ts-expect-error the parameters are said twice
@Flow({ params: z.object({ month: z.string() }) })
export class TwiceParams {
  static readonly params = z.object({ month: z.string() });
  @Task() a() {}
}

// @ts-expect-error the result is said twice
@Flow({ result: 'a' })
export class TwiceResult {
  static readonly result = 'a';
  @Task() a() {}
}

// @ts-expect-error no such task
@Flow()
export class NoSuchResult {
  static readonly result = 'b';
  @Task() a() {}
}

// @ts-expect-error a class with run() gives what that returns
@Flow()
export class ResultOfCode {
  static readonly result = 'a';
  @Task() a() {}
  async run() {}
}

// @ts-expect-error a name that may be any text
@Flow()
export class AnyName {
  static readonly result: string = 'a';
  @Task() a() {}
}

// @ts-expect-error that is no schema
@Flow()
export class NoSchema {
  static readonly params = { month: 'string' };
  @Task() a() {}
}

/** A mapped task may be mapped over: its items are whole results of it. */
@Flow()
export class Nested {
  @Task() pages() {
    return [1, 2];
  }
  @Task({ each: 'pages' }) rows(page: number) {
    return [`${page}`];
  }
  @Task({ each: 'rows' }) whole(rows: string[]) {
    return rows.length;
  }
  @Task({ each: 'whole' }) scalar(count: number, _ctx: TaskContext) {
    return count;
  }
  // @ts-expect-error neither an item of it nor the whole
  @Task({ each: 'rows' }) wrong(_x: number) {}
  // @ts-expect-error not the one or the other, but both
  @Task({ each: 'rows' }) either(_x: string & string[]) {}
}
