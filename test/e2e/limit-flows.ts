/** Flows under limits. Each execution leaves lines in a ledger, as those of `fleet-flows.ts`. */
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Flow, Task, type TaskContext } from 'batuta';
import { z } from 'zod';

const schema = z.object({
  ledger: z.string(),
  gate: z.string(),
  items: z.number(),
  ms: z.number(),
  customer: z.string().default('acme'),
});
type Params = z.infer<typeof schema>;

function note({ run, task, params }: TaskContext<Params>, what: 'start' | 'end'): void {
  appendFileSync(params.ledger, `${run.id} ${task.name} ${what} ${Date.now()}\n`);
}

async function stay(ctx: TaskContext<Params>): Promise<void> {
  note(ctx, 'start');
  await sleep(ctx.params.ms, undefined, { signal: ctx.signal });
  note(ctx, 'end');
}

@Flow({ name: 'limited-run', params: schema, concurrency: { limit: 2 } })
export class LimitedRun {
  @Task()
  async stay(ctx: TaskContext<Params>): Promise<void> {
    await stay(ctx);
  }
}

@Flow({ name: 'keyed-run', params: schema, concurrency: { limit: 1, key: (params) => params.customer } })
export class KeyedRun {
  @Task()
  async gated(ctx: TaskContext<Params>): Promise<void> {
    note(ctx, 'start');
    while (!existsSync(ctx.params.gate)) await sleep(20, undefined, { signal: ctx.signal });
    note(ctx, 'end');
  }
}

@Flow({ name: 'tagged-run', params: schema })
export class TaggedRun {
  @Task()
  async list(ctx: TaskContext<Params>): Promise<number[]> {
    return Array.from({ length: ctx.params.items }, (_, index) => index);
  }

  @Task({ each: 'list', tags: ['db'] })
  async here(_item: number, ctx: TaskContext<Params>): Promise<void> {
    await stay(ctx);
  }

  @Task({ each: 'list', tags: ['db'], spread: true })
  async anywhere(_item: number, ctx: TaskContext<Params>): Promise<void> {
    await stay(ctx);
  }
}

@Flow({ name: 'heavy-run', params: schema, slots: 3 })
export class HeavyRun {
  @Task()
  async heavy(ctx: TaskContext<Params>): Promise<void> {
    await stay(ctx);
  }
}

@Flow({ name: 'small-run', params: schema })
export class SmallRun {
  @Task()
  async small(ctx: TaskContext<Params>): Promise<void> {
    await stay(ctx);
  }
}

@Flow({ name: 'huge-run', params: schema, slots: 6 })
export class HugeRun {
  @Task()
  async huge(ctx: TaskContext<Params>): Promise<void> {
    await stay(ctx);
  }
}

@Flow({ name: 'crunching-run', params: schema })
export class CrunchingRun {
  @Task()
  async list(ctx: TaskContext<Params>): Promise<number[]> {
    return Array.from({ length: ctx.params.items }, (_, index) => index);
  }

  @Task({ each: 'list', spread: true, slots: 3 })
  async crunch(_item: number, ctx: TaskContext<Params>): Promise<void> {
    await stay(ctx);
  }
}

@Flow({ name: 'fair-run', params: schema, fairness: '{customer}' })
export class FairRun {
  @Task()
  async stay(ctx: TaskContext<Params>): Promise<void> {
    await stay(ctx);
  }
}
