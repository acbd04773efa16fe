/** Flows wired by the calls in `run`: what must compile, and what must not. Never run. */
import { z } from 'zod';
import { Flow } from '../../src/define/flow.ts';
import { Task } from '../../src/define/task.ts';
import type { FlowContext, Input, TaskContext } from '../../src/model/context.ts';
import type { ResultOf } from '../../src/model/flow-types.ts';

@Flow({ params: z.object({ year: z.number() }) })
export class Report {
  async run(params: { year: number }, ctx: FlowContext<{ year: number }>) {
    const pages = await Promise.all([1, 2, 3].map((page) => this.fetch(params.year, page)));
    const total = this.sum(this.fetch(params.year, 4), pages.flat());
    if ((await total) > 10) await ctx.runFlow(Other, { a: 1 });
    return { total: await total };
  }

  @Task({ retries: 2 })
  async fetch(year: number, page: number): Promise<number[]> {
    return [year, page];
  }

  /** Takes a value or the promise of another task's. */
  @Task({ isolate: 'thread', timeout: '10s', queue: 'sums' })
  async sum(first: Input<number[]>, rest: number[], _ctx?: TaskContext): Promise<number> {
    return [...(await first), ...rest].length;
  }

  // @ts-expect-error needs has no effect where calls wire the tasks
  @Task({ needs: ['fetch'] }) b1(_x: number[]) {}
  // @ts-expect-error after has no effect where calls wire the tasks
  @Task({ after: ['fetch'] }) b2() {}
  // @ts-expect-error each has no effect where calls wire the tasks
  @Task({ each: 'fetch' }) b3(_x: number) {}
}

@Flow()
export class Other {
  @Task() a() {
    return 1;
  }
}

/** A generic base with tasks, and a code flow derived from it. */
export abstract class Base<T> {
  abstract run(params: T): Promise<number>;
  @Task() async first(value: T, times: number) {
    return [value, times].length;
  }
}
@Flow()
export class FromBase extends Base<string> {
  override async run(params: string) {
    return this.first(params, 2);
  }
}

export const total: ResultOf<Report> = { total: 1 };
// @ts-expect-error the value of the flow is what run gives
export const wrong: ResultOf<Report> = { total: '1' };
