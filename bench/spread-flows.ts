/** A fan-out of tasks that do nothing but compute. */
import { Flow, Task, type TaskContext } from 'batuta';

@Flow()
export class SpreadCpu {
  @Task()
  list(ctx: TaskContext<{ tasks: number }>): number[] {
    return Array.from({ length: ctx.params.tasks }, (_, index) => index);
  }

  @Task({ each: 'list', spread: true })
  compute(_item: number, ctx: TaskContext<{ ms: number }>): number {
    return burn(ctx.params.ms);
  }
}

/** Uses so many ms of CPU, not of time: where processors are few, two processes at once take longer. */
function burn(ms: number): number {
  const before = process.cpuUsage();
  for (let rounds = 1; ; rounds++) {
    for (let at = 0; at < 20_000; at++) Math.sqrt(at * rounds);
    const { user, system } = process.cpuUsage(before);
    if (user + system >= ms * 1_000) return rounds;
  }
}
