/** A flow that takes any parameters. */
import { Flow, Task } from 'batuta';

@Flow({ name: 'any-flow' })
export class AnyFlow {
  @Task()
  async nothing(): Promise<void> {}
}
