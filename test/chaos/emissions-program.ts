/**
 * The process that the test of emissions kills: starts a run, or goes on with one that another has left, and dies by its own hand after so many
 * values have been recorded.
 */
import { Flow, type FlowContext, Task, type TaskContext } from 'batuta';
import { openEngine } from '../support/open-engine.ts';

export interface EmissionsOrder {
  readonly url: string;
  /** The run to go on with; null starts one. */
  readonly runId: string | null;
  /** Values after which it dies; null: it does not. */
  readonly diesAfter: number | null;
}

const order = JSON.parse(process.argv[2] ?? '{}') as EmissionsOrder;
let recorded = 0;

async function emit(ctx: TaskContext, stream: string, value: unknown): Promise<void> {
  await ctx.emit(stream, value);
  if (++recorded === order.diesAfter) process.kill(process.pid, 'SIGKILL');
}

@Flow({ name: 'emits' })
class Emits {
  async run(_: unknown, ctx: FlowContext): Promise<void> {
    for (let step = 0; step < 5; step++) {
      await emit(ctx, 'body', `step ${step}`);
      await this.work(step, ctx);
    }
  }

  @Task()
  async work(step: number, ctx: TaskContext): Promise<void> {
    for (let n = 0; n < 4; n++) await emit(ctx, 'tasks', { step, n });
  }
}

const { client } = await openEngine({ url: order.url, flows: [Emits], isOwnerGone: () => true });
const handle = order.runId === null ? await client.submit(Emits) : await client.runs.resume(order.runId);
process.stdout.write(`started ${handle.id}\n`);
const run = await handle.done();
process.stdout.write(`ended ${run.state.name}\n`);
await client.close();
