/** Caches and rollbacks that must not compile. A line that starts to compile makes its `@ts-expect-error` an error. Never run. */
import { Task } from '../../src/define/task.ts';
import type { TaskContext } from '../../src/model/context.ts';

export class BadGraph {
  @Task() async ids(): Promise<number[]> {
    return [1];
  }
  refund(_receipt: { id: string }, _ctx: TaskContext): void {}
  refundText(_receipt: string): void {}
  third(_receipt: { id: string }, _ctx: TaskContext, _more: string): void {}
  private hidden(_receipt: { id: string }): void {}
  note = this.hidden({ id: '' });

  // @ts-expect-error rollback names no method
  @Task({ rollback: 'refnd' }) async r1() {
    return { id: 'a' };
  }
  // @ts-expect-error the undo takes another type than the task gives
  @Task({ rollback: 'refundText' }) async r2() {
    return { id: 'a' };
  }
  // @ts-expect-error a private method cannot be named
  @Task({ rollback: 'hidden' }) async r3() {
    return { id: 'a' };
  }
  // @ts-expect-error a field undoes nothing
  @Task({ rollback: 'note' }) async r4() {
    return { id: 'a' };
  }
  // @ts-expect-error a parameter after the context
  @Task({ rollback: 'third' }) async r5() {
    return { id: 'a' };
  }
  // @ts-expect-error of a mapped task the undo takes what one item gives
  @Task({ each: 'ids', rollback: 'refundText' }) async r6(id: number) {
    return id;
  }

  // @ts-expect-error a duration is a text or a number
  @Task({ cache: true }) c1() {}
  // @ts-expect-error there is no such option
  @Task({ cache: { tll: '1h' } }) c2() {}
  // @ts-expect-error a scope that does not exist
  @Task({ cache: { scope: 'flow' } }) c3() {}
  // @ts-expect-error the key is made of other inputs than the task has
  @Task({ each: 'ids', cache: { key: (id: string) => id } }) c4(_id: number) {}
  // @ts-expect-error refresh is asked with other inputs
  @Task({ each: 'ids', cache: { refresh: (id: string) => id === '' } }) c5(_id: number) {}
}

export class BadCode {
  async run(): Promise<void> {
    await this.pay(1);
  }
  refund(_receipt: Date): void {}
  // @ts-expect-error the undo takes another type than the task gives
  @Task({ rollback: 'refund' }) async pay(sum: number) {
    return `${sum}`;
  }
  // @ts-expect-error the key is made of other arguments than the task has
  @Task({ cache: { key: (sum: Date) => sum.getTime() } }) async price(sum: number) {
    return sum;
  }
}
