/** Flows wired by options that must compile, in every compiler and both decorator modes. Never run. */
import { z } from 'zod';
import { Flow } from '../../src/define/flow.ts';
import { On } from '../../src/define/on.ts';
import { Task } from '../../src/define/task.ts';
import type { Out } from '../../src/define/wiring.ts';
import type { HookContext, TaskContext } from '../../src/model/context.ts';
import type { FlowClass } from '../../src/model/flow-types.ts';

interface Flight {
  readonly origin: string;
  readonly delay: number;
}
interface Airport {
  readonly iata: string;
}

@Flow({
  params: z.object({ month: z.string() }),
  runName: (params) => `flights of ${params.month.toUpperCase()}`,
  retries: 1,
  retryDelay: ['1s', '1 hour', 500, 'PT1M'],
  result: 'write',
  maxParallelTasks: 4,
  slots: 2,
  fairness: { key: (params) => params.month.toUpperCase(), weight: (key) => key.length },
})
export class FlightDelays {
  /** Needs methods that stand further down, one annotated, one inferred. */
  @Task({ needs: ['flights', 'airports'], timeout: '1m' })
  async join(flights: Flight[], airports: Airport[], ctx: TaskContext<{ month: string }>) {
    ctx.progress(1, 2);
    return flights.map((flight) => ({ ...flight, known: airports.some((airport) => airport.iata === flight.origin) }));
  }

  @Task({
    retries: 3,
    retryDelay: '5s',
    backoff: 'exponential',
    jitter: 0.2,
    maxRetryDelay: '1h30m',
    retryIf: (error) => error instanceof TypeError,
  })
  async flights(ctx: TaskContext<{ month: string }>): Promise<Flight[]> {
    return [{ origin: ctx.params.month, delay: 1 }];
  }

  @Task()
  airports() {
    return [{ iata: 'SVQ' }];
  }

  /** Typed from the class itself; the result is inferred from it. */
  @Task({ needs: ['join'] })
  async write(rows: Out<FlightDelays, 'join'>, ctx: TaskContext) {
    ctx.log.info({ rows: rows.length });
    return rows.filter((row) => row.known).length;
  }

  /** Fewer parameters than inputs, an optional context, a wider parameter. */
  @Task({ needs: ['flights', 'airports'] })
  count(flights: readonly unknown[]) {
    return flights.length;
  }

  @Task({ needs: ['airports'] })
  maybe(_airports?: Airport[], _ctx?: TaskContext) {}

  /** One task run per item: the item, then the needs, then the context. */
  @Task({ each: 'flights', needs: ['airports'], eachLimit: 8 })
  mail(flight: Flight, airports: Airport[], ctx: TaskContext) {
    return `${flight.origin} ${airports.length} ${ctx.task.index ?? 0}`;
  }

  @Task({ each: 'letters', spread: true, queue: 'letters' })
  letter(letter: string) {
    return letter;
  }
  @Task()
  async *letters(): AsyncGenerator<string> {
    yield 'a';
  }

  @Task({ after: ['write'], trigger: 'allDone', isolate: 'thread', persist: false })
  tidy(ctx: TaskContext) {
    return ctx.run.id;
  }

  /** `when` with its own parameters, with fewer, and with none. */
  @Task({ needs: ['flights', 'count'], when: (flights: Flight[], count: number) => flights.length > count })
  late(_flights: Flight[]) {}
  @Task({ needs: ['flights'], when: async (flights) => flights.length > 0 })
  some(_flights: Flight[]) {}
  @Task({ needs: ['flights'], when: (_flights: Flight[], ctx: TaskContext<{ month: string }>) => ctx.params.month === '01' })
  january(_flights: Flight[]) {}
  @Task({ when: () => true })
  always() {}

  @Task({ needs: ['flights'] })
  private hidden(flights: Flight[]) {
    return this.field + flights.length;
  }
  private field = 42;

  @On('failed')
  @On('crashed')
  async tell(ctx: HookContext<{ month: string }>): Promise<void> {
    ctx.log.error(ctx.error?.message ?? ctx.params.month);
    this.hidden([]);
  }
}

/** Needs a task of its base, and overrides another. */
@Flow()
export class Derived extends FlightDelays {
  @Task({ needs: ['write'] })
  async tail(written: number, ctx: TaskContext) {
    return `${written}${ctx.run.id}`;
  }
  @Task({ needs: ['flights'] })
  override count(flights: readonly unknown[]) {
    return super.count(flights) + 1;
  }
}

export abstract class Pull<T> {
  abstract pull(): Promise<T[]>;
  @Task({ needs: ['pull'] })
  async push(items: T[]) {
    return items.length;
  }
  @Task({ each: 'pull' })
  async one(item: T) {
    return item;
  }
}

@Flow({ name: 'numbers' })
export class PullNumbers extends Pull<number> {
  @Task()
  override async pull() {
    return [1, 2];
  }
  @Task({ needs: ['push', 'one'] })
  last(_count: number, _one: number[]) {}
}

/** A flow class stands wherever a class of a flow is asked for. */
export const flow: FlowClass = Derived;
