/** A flow whose large results go from one queue to another and back. */
import { Flow, Task, type TaskContext } from 'batuta';

@Flow({ result: 'back' })
export class LargeResults {
  @Task()
  async make(ctx: TaskContext<{ mib: number }>): Promise<string> {
    return 'é'.repeat((ctx.params.mib * 1024 * 1024) / 2).padEnd(ctx.params.mib * 1024 * 1024, 'x');
  }

  @Task({ needs: ['make'], queue: 'second' })
  async forth(text: string): Promise<string> {
    return `${text}!`;
  }

  @Task({ needs: ['forth'] })
  async back(text: string): Promise<string> {
    return text;
  }
}
