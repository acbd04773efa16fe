/**
 * The process that the crash tests kill: starts a run, or continues one, of the flows below.
 *
 * Each execution of a task leaves a line in the ledger, a file that is only ever appended to and that nothing of Batuta reads.
 * What it prints is `key value` lines: `id`, `claimed`, then `end` with what became of the run, or `refused` with a code.
 */
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Flow, type FlowClass, type FlowContext, isBatutaError, Task, type TaskContext } from 'batuta';
import { definitionOf } from '../../src/define/definition.ts';
import { folderPlace } from '../../src/engine/results/folder-place.ts';
import { resultStorage } from '../../src/engine/results/storage.ts';
import { openEngine } from '../support/open-engine.ts';

export interface Order {
  readonly flow: string;
  /** Of the run to be continued; null starts one. */
  readonly runId: string | null;
  readonly url: string;
  readonly results: string;
  readonly ledger: string;
  /** Exists once tasks that wait for it may go on. */
  readonly gate: string;
  readonly leaseMs: number;
  /** Asks again while another process owns the run. */
  readonly patient: boolean;
  /** Stays at the point where a large result has been stored and is not recorded yet. */
  readonly stopAfterStore: boolean;
}

const order = JSON.parse(process.argv[2] ?? '{}') as Order;

function say(key: string, value: unknown): void {
  process.stdout.write(`${key} ${JSON.stringify(value)}\n`);
}

/** One execution of a task, under the key it has in the record. */
function note(ctx: TaskContext): void {
  appendFileSync(order.ledger, `${ctx.run.id} ${ctx.task.id}\n`);
}

async function work<T>(ctx: TaskContext, value: T): Promise<T> {
  note(ctx);
  await sleep(5);
  return value;
}

const wide = Array.from({ length: 4 }, (_, at) => at);

/** Six layers of four tasks, each needing all of the layer before. */
function layered(): FlowClass {
  class Layered {}
  for (let layer = 0; layer < 6; layer++) {
    for (const at of wide) {
      const name = `l${layer}t${at}`;
      const needs = layer === 0 ? [] : wide.map((other) => `l${layer - 1}t${other}`);
      const value = (...args: unknown[]): Promise<string> => work(args.at(-1) as TaskContext, args.slice(0, -1).join('|').slice(0, 100));
      Object.defineProperty(Layered.prototype, name, { value, configurable: true, writable: true });
      const decorate = Task({ needs }) as unknown as (
        target: object,
        name: string,
        property: PropertyDescriptor,
      ) => PropertyDescriptor | undefined;
      const replaced = decorate(Layered.prototype, name, { value, configurable: true, writable: true });
      if (replaced) Object.defineProperty(Layered.prototype, name, replaced);
    }
  }
  (Flow({ name: 'layered' }) as unknown as (cls: FlowClass) => void)(Layered);
  return Layered;
}

@Flow({ name: 'mapped' })
class Mapped {
  @Task()
  async list(ctx: TaskContext): Promise<number[]> {
    return work(
      ctx,
      Array.from({ length: 2_000 }, (_, at) => at),
    );
  }

  @Task({ each: 'list', eachLimit: 50 })
  async item(item: number, ctx: TaskContext): Promise<number> {
    return work(ctx, item * 2);
  }

  @Task({ needs: ['item'] })
  async sum(items: number[], ctx: TaskContext): Promise<number> {
    return work(
      ctx,
      items.reduce((a, b) => a + b, 0),
    );
  }
}

@Flow({ name: 'code' })
class Code {
  async run(_params: unknown, ctx: FlowContext): Promise<number> {
    let total = 0;
    for (let turn = 0; turn < 15; turn++) {
      const parts = await Promise.all([0, 1, 2].map((part) => this.part(turn, part, ctx)));
      total = await this.add(total, parts, ctx);
    }
    return total;
  }

  @Task()
  async part(turn: number, part: number, ctx: TaskContext): Promise<number> {
    return work(ctx, turn * 10 + part);
  }

  @Task()
  async add(total: number, parts: number[], ctx: TaskContext): Promise<number> {
    return work(
      ctx,
      parts.reduce((a, b) => a + b, total),
    );
  }
}

@Flow({ name: 'parent' })
class Parent {
  async run(_params: unknown, ctx: FlowContext): Promise<number[]> {
    const first = await this.before(ctx);
    const children = await Promise.all([ctx.runFlow(Code), ctx.runFlow(Code, { again: true })]);
    return [first, ...children];
  }

  @Task()
  async before(ctx: TaskContext): Promise<number> {
    return work(ctx, 1);
  }
}

@Flow({ name: 'large' })
class Large {
  async run(_params: unknown, ctx: FlowContext): Promise<number> {
    let length = 0;
    for (let turn = 0; turn < 8; turn++) length += (await this.make(turn, ctx)).length;
    return length;
  }

  @Task()
  async make(turn: number, ctx: TaskContext): Promise<string> {
    return work(ctx, String(turn).repeat(300_000));
  }
}

@Flow({ name: 'retrying' })
class Retrying {
  @Task({ retries: 2, retryDelay: '1s' })
  async shaky(ctx: TaskContext): Promise<number> {
    note(ctx);
    if (ctx.task.attempt < 3) throw new Error(`attempt ${ctx.task.attempt}`);
    return ctx.task.attempt;
  }
}

@Flow({ name: 'gated' })
class Gated {
  @Task()
  async first(ctx: TaskContext): Promise<number> {
    note(ctx);
    say('running', ctx.task.attempt);
    while (!existsSync(order.gate)) await sleep(5);
    return 1;
  }

  @Task({ needs: ['first'] })
  async second(first: number, ctx: TaskContext): Promise<number> {
    return work(ctx, first + 1);
  }
}

const flows = new Map([layered(), Mapped, Code, Parent, Large, Retrying, Gated].map((flow) => [definitionOf(flow).name, flow]));

async function main(): Promise<void> {
  const storage = resultStorage(folderPlace(order.results));
  const put = async (key: string, text: string): Promise<string> => {
    const ref = await storage.put(key, text);
    if (!order.stopAfterStore) return ref;
    say('stored', key);
    return await new Promise(() => undefined);
  };
  const settings = { leaseMs: order.leaseMs, heartbeatMs: Math.floor(order.leaseMs / 4) };
  const { client } = await openEngine({ url: order.url, results: { ...storage, put }, settings, flows: [...flows.values()] });
  const flow = flows.get(order.flow);
  if (!flow) throw new Error(`There is no flow ${order.flow}.`);
  try {
    const handle =
      order.runId === null
        ? await client.submit(
            flow,
            {},
            { onEvent: (event) => event.kind === 'task' && event.taskRun.state.name === 'AwaitingRetry' && say('waits', 1) },
          )
        : await resume(order.runId);
    say(order.runId === null ? 'id' : 'claimed', handle.id);
    say('end', await handle.result());
  } catch (error) {
    say('refused', isBatutaError(error) ? error.code : String(error));
  }
  await client.close();

  async function resume(id: string): Promise<Awaited<ReturnType<typeof client.runs.resume>>> {
    for (;;) {
      try {
        return await client.runs.resume(id);
      } catch (error) {
        if (!order.patient || !isBatutaError(error, 'RUN_OWNED')) throw error;
        await sleep(50);
      }
    }
  }
}

await main();
