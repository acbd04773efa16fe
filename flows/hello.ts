/** The smallest flow worth copying: one parameter and two tasks, the second fed by the first. */
import { Flow, Task, type TaskContext } from 'batuta';
import { z } from 'zod';

const params = z.object({ name: z.string().min(1).default('world') });
type Params = z.infer<typeof params>;

@Flow({ params, description: 'Greets someone.' })
export class Hello {
  @Task()
  async greeting(ctx: TaskContext<Params>): Promise<string> {
    return `Hello, ${ctx.params.name}!`;
  }

  @Task({ needs: ['greeting'] })
  async say(greeting: string): Promise<string> {
    console.log(greeting);
    return greeting;
  }
}
