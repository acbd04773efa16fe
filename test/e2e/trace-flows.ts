/** Flows of the tests of traces: spans of the user's own, a retry, a spread task, a thread, a sub-flow, a resource, and a task that waits to be killed. */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { trace } from '@opentelemetry/api';
import { correlationHeaders, Flow, type FlowContext, resource, Task, type TaskContext } from 'batuta';

const tracer = trace.getTracer('shop');
const own = <T>(name: string, work: () => T): T =>
  tracer.startActiveSpan(name, (span) => {
    try {
      return work();
    } finally {
      span.end();
    }
  });

const ledger = resource(
  'ledger',
  async function* () {
    yield { lines: [] as string[] };
  },
  { scope: 'task' },
);

@Flow()
export class Below {
  @Task() deep(): string {
    return own('own below', () => 'deep');
  }
}

@Flow()
export class TracedOrder {
  @Task({ retries: 1, retryDelay: 1 }) async flaky(ctx: TaskContext): Promise<string> {
    if (ctx.task.attempt === 1) throw new Error('first try');
    ctx.log.info('second try');
    trace.getActiveSpan()?.addEvent('trying').setAttribute('shop.try', 2);
    return own('own retried', () => correlationHeaders()['traceparent'] ?? '');
  }
  @Task({ spread: true }) async far(ctx: TaskContext): Promise<string> {
    await ctx.use(ledger);
    return own('own spread', () => 'far');
  }
  @Task({ isolate: 'thread' }) async apart(): Promise<string> {
    trace.getActiveSpan()?.setAttribute('shop.size', 3);
    // No value of an attribute: it must not fail the task.
    trace.getActiveSpan()?.setAttribute('shop.bad', (() => 3) as never);
    return own('own in thread', () => 'apart');
  }
  async run(_params: unknown, ctx: FlowContext): Promise<string> {
    own('own in body', () => undefined);
    const sent: string = await this.flaky(ctx);
    await this.far(ctx);
    await this.apart();
    await ctx.runFlow(Below);
    return sent;
  }
}

@Flow()
export class CutOff {
  @Task() before(): string {
    return 'before';
  }
  @Task({ needs: ['before'] }) async held(_before: string, ctx: TaskContext<{ gate: string }>): Promise<string> {
    while (!existsSync(ctx.params.gate)) await sleep(20);
    return `attempt ${ctx.task.attempt}`;
  }
}
