/** Caches and rollbacks that must compile. Never run. */
import { Flow } from '../../src/define/flow.ts';
import { Task } from '../../src/define/task.ts';
import { adaptiveTtl } from '../../src/model/cache.ts';
import type { TaskContext } from '../../src/model/context.ts';

@Flow()
export class Orders {
  @Task({ cache: '1 hour' }) async ids(): Promise<number[]> {
    return [1];
  }
  @Task({ each: 'ids', rollback: 'free', cache: { ttl: 60_000, key: (id: number) => id, scope: 'run' } }) async book(id: number) {
    return { seat: `${id}` };
  }
  @Task({ needs: ['book'], rollback: 'refund', retries: 3 }) pay(seats: { seat: string }[]): string {
    return seats.map(({ seat }) => seat).join();
  }
  @Task({
    needs: ['pay'],
    cache: { ttl: adaptiveTtl({ cold: '5m', warm: '15m', hot: '1h' }), refresh: (paid: string, ctx: TaskContext) => paid === ctx.run.id },
  })
  told(_paid: string, _ctx: TaskContext): void {}

  free({ seat }: { seat: string }): string {
    return seat;
  }
  @Task({ needs: ['pay'], retries: 5, retryDelay: '1m' }) async refund(receipt: string, ctx: TaskContext): Promise<void> {
    ctx.log.info(receipt);
  }
}

@Flow()
export class Shop {
  async run(): Promise<void> {
    await this.pay(1);
  }
  @Task({ rollback: 'refund', cache: { ttl: '1h', key: (sum: number) => [sum] } }) async pay(sum: number) {
    return { sum };
  }
  @Task({ retries: 2 }) async refund(paid: { sum: number }): Promise<number> {
    return paid.sum;
  }
}
