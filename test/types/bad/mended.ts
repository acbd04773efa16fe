/** An expected error that is none: proves that the type tests would notice. */
import { Task } from '../../../src/define/task.ts';

export class Fine {
  @Task()
  a(): number {
    return 1;
  }
  // @ts-expect-error there is nothing wrong here
  @Task({ needs: ['a'] })
  b(_x: number) {}
}
