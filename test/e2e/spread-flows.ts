/** Flows of spread tasks. Each execution leaves lines in a ledger that is only ever appended to: `run task what instant pid`. */
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Flow, Task, type TaskContext } from 'batuta';

interface Params {
  readonly ledger: string;
  readonly gate: string;
  readonly items: number;
  readonly ms: number;
}

function note(ctx: TaskContext<Params>, what: 'start' | 'end' | 'stopped'): void {
  const { run, task, params } = ctx;
  const name = task.index === null ? task.name : `${task.name}[${task.index}]`;
  appendFileSync(params.ledger, `${run.id} ${name} ${what} ${Date.now()} ${process.pid}\n`);
}

@Flow()
export class SpreadFan {
  @Task()
  async list(ctx: TaskContext<Params>): Promise<number[]> {
    note(ctx, 'start');
    return Array.from({ length: ctx.params.items }, (_, index) => index);
  }

  @Task({ each: 'list', spread: true })
  async crunch(item: number, ctx: TaskContext<Params>): Promise<number> {
    note(ctx, 'start');
    await sleep(ctx.params.ms);
    return item * 2;
  }

  @Task({ needs: ['crunch', 'list'], spread: true })
  async sum(doubled: number[], items: number[], ctx: TaskContext<Params>): Promise<number> {
    note(ctx, 'start');
    return doubled.reduce((total, item) => total + item, 0) + items.length;
  }
}

/** Its items wait for the gate. */
@Flow()
export class SpreadGate {
  @Task()
  async list(ctx: TaskContext<Params>): Promise<number[]> {
    note(ctx, 'start');
    return Array.from({ length: ctx.params.items }, (_, index) => index);
  }

  @Task({ each: 'list', spread: true })
  async held(item: number, ctx: TaskContext<Params>): Promise<number> {
    note(ctx, 'start');
    try {
      while (!existsSync(ctx.params.gate)) await sleep(20, undefined, { signal: ctx.signal });
    } catch (error) {
      note(ctx, 'stopped');
      throw error;
    }
    note(ctx, 'end');
    return item;
  }

  @Task({ needs: ['held'] })
  async count(held: number[], ctx: TaskContext<Params>): Promise<number> {
    note(ctx, 'start');
    return held.length;
  }
}

/** A code flow whose task has a queue of its own. */
@Flow()
export class SpreadCode {
  async run(params: Params): Promise<number> {
    const parts = await Promise.all(Array.from({ length: params.items }, (_, index) => this.part(index, params.ledger)));
    return parts.reduce((total, part) => total + part, 0);
  }

  @Task({ queue: 'parts' })
  async part(index: number, ledger: string, ctx?: TaskContext<Params>): Promise<number> {
    appendFileSync(ledger, `${ctx?.run.id ?? '-'} part[${index}] start ${Date.now()} ${process.pid}\n`);
    return index;
  }
}
