/**
 * The flows that a fleet is measured by. Their tasks tell on standard output when they begin, as `instant run task`, by the
 * monotonic clock that all processes of a machine share.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Flow, Task, type TaskContext } from 'batuta';

function tell({ run, task }: TaskContext, what = task.name): void {
  process.stdout.write(`${process.hrtime.bigint()} ${run.id} ${what}\n`);
}

@Flow()
export class FirstLine {
  @Task()
  first(ctx: TaskContext): void {
    tell(ctx);
  }
}

/** The groups that have begun in this process. */
const begun = new Set<number>();

/** Tells of the first run of each group only: thousands of lines would be measured too. */
@Flow()
export class OneTask {
  @Task()
  only(ctx: TaskContext<{ group: number }>): void {
    const { group } = ctx.params;
    if (begun.has(group)) return;
    begun.add(group);
    tell(ctx);
  }
}

/** As many steps as asked for, one after the other. */
@Flow()
export class Steps {
  @Task()
  list({ params }: TaskContext<{ steps: number }>): number[] {
    return Array.from({ length: params.steps }, (_, step) => step);
  }

  @Task({ each: 'list', eachLimit: 1 })
  async step(number: number, ctx: TaskContext<{ ms: number }>): Promise<number> {
    tell(ctx, String(number));
    await sleep(ctx.params.ms);
    return number;
  }
}
