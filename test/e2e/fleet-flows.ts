/**
 * Flows of the fleet tests. Each execution of a task leaves lines in a ledger, a file that is only ever appended to and that nothing
 * of Batuta reads: `run task start|end instant pid`.
 */
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Flow, Task, type FlowContext, type TaskContext } from 'batuta';

interface Params {
  readonly ledger: string;
  /** How many items `each` has, and how long each takes. */
  readonly items: number;
  readonly ms: number;
  /** While this file is missing, `gated` waits. */
  readonly gate: string;
}

function note(ctx: TaskContext<Params>, what: 'start' | 'end'): void {
  const { run, task, params } = ctx;
  appendFileSync(
    params.ledger,
    `${run.id} ${task.name}${task.index === null ? '' : `[${task.index}]`} ${what} ${Date.now()} ${process.pid}\n`,
  );
}

@Flow()
export class LedgerRun {
  @Task()
  async list(ctx: TaskContext<Params>): Promise<number[]> {
    note(ctx, 'start');
    return Array.from({ length: ctx.params.items }, (_, index) => index);
  }

  @Task({ each: 'list', eachLimit: 2 })
  async step(item: number, ctx: TaskContext<Params>): Promise<number> {
    note(ctx, 'start');
    await sleep(ctx.params.ms);
    note(ctx, 'end');
    return item * 2;
  }

  @Task({ needs: ['step'] })
  async sum(items: number[], ctx: TaskContext<Params>): Promise<number> {
    note(ctx, 'start');
    return items.reduce((total, item) => total + item, 0);
  }
}

/** Does one thing, then waits for the gate. */
@Flow()
export class GatedRun {
  @Task()
  async first(ctx: TaskContext<Params>): Promise<string> {
    note(ctx, 'start');
    return 'first';
  }

  @Task({ needs: ['first'] })
  async gated(first: string, ctx: TaskContext<Params>): Promise<string> {
    note(ctx, 'start');
    while (!existsSync(ctx.params.gate)) await sleep(20, undefined, { signal: ctx.signal });
    return `${first} and gated`;
  }
}

/** Does one thing, then waits for an answer, which no worker is kept for. */
@Flow()
export class AskedRun {
  async run(_params: unknown, ctx: FlowContext<Params>): Promise<string> {
    const question = await this.ask(ctx);
    return `${question} ${await ctx.waitFor<string>('answer', { timeout: '3 days' })}`;
  }

  @Task()
  async ask(ctx: TaskContext<Params>): Promise<string> {
    note(ctx, 'start');
    return 'Shall we?';
  }
}

/** Two runs of another flow, one after the other. */
@Flow()
export class ParentRun {
  async run(params: Params, ctx: FlowContext): Promise<number> {
    const first = await ctx.runFlow(LedgerRun, params);
    const second = await ctx.runFlow(LedgerRun, { ...params, items: params.items + 1 });
    return Number(first) + Number(second);
  }
}
