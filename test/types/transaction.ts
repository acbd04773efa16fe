/** Tasks with a transaction: what `ctx.tx` is, and what must not compile. Never run. */
import { Flow } from '../../src/define/flow.ts';
import { Task } from '../../src/define/task.ts';
import type { TransactionContext } from '../../src/effects/context.ts';
import { sqlTransactions, type TransactionDriver } from '../../src/effects/driver.ts';
import type { FlowContext, TaskContext } from '../../src/model/context.ts';
import { resource } from '../../src/resources/resource.ts';

interface Ledger {
  book(account: string, cents: number): Promise<void>;
}
declare const driver: TransactionDriver<Ledger>;
const ledger = resource('ledger', () => sqlTransactions({ name: 'ledger' }, driver));
declare const otherDriver: TransactionDriver<{ send(parcel: string): Promise<void> }>;
const other = resource('other', () => sqlTransactions({ name: 'other' }, otherDriver));
const plain = resource('plain', () => ({ query: () => 1 }));

@Flow()
export class Books {
  @Task()
  payments(): number[] {
    return [1];
  }

  @Task({ needs: ['payments'], transaction: ledger })
  async book(payments: number[], { tx, params }: TransactionContext<typeof ledger, { month: string }>): Promise<string> {
    await tx.book(params.month, payments.length);
    return params.month;
  }

  @Task({ each: 'payments', transaction: ledger })
  async each(cents: number, ctx: TransactionContext<typeof ledger>): Promise<void> {
    await ctx.tx.book('a', cents);
  }

  @Task({ transaction: ledger, rollback: 'unbook' })
  async bookUndoably(_ctx: TransactionContext<typeof ledger>): Promise<string> {
    return 'a';
  }

  /** What undoes a task may have a transaction of its own. */
  @Task({ needs: ['bookUndoably'], transaction: ledger })
  async unbook(account: string, { tx }: TransactionContext<typeof ledger>): Promise<void> {
    await tx.book(account, -1);
  }

  /** It may do without. */
  @Task({ transaction: ledger })
  plain(_ctx: TaskContext): number {
    return 1;
  }

  // @ts-expect-error without transaction there is no tx
  @Task() e1(_ctx: TransactionContext<typeof ledger>) {}
  // @ts-expect-error the context of another database
  @Task({ transaction: ledger }) e2(_ctx: TransactionContext<typeof other>) {}
  // @ts-expect-error also where it needs something
  @Task({ needs: ['payments'], transaction: ledger }) e5(_payments: number[], _ctx: TransactionContext<typeof other>) {}
  // @ts-expect-error also where it is mapped
  @Task({ each: 'payments', transaction: ledger }) e6(_cents: number, _ctx: TransactionContext<typeof other>) {}
  // @ts-expect-error a resource that gives no database
  @Task({ transaction: plain }) e3(_ctx: TaskContext) {}
  // @ts-expect-error no resource at all
  @Task({ transaction: driver }) e4(_ctx: TaskContext) {}
}

@Flow()
export class BooksByCode {
  async run(_: unknown, ctx: FlowContext): Promise<void> {
    await this.book(1, ctx);
  }

  @Task({ transaction: ledger })
  async book(cents: number, { tx }: TransactionContext<typeof ledger>): Promise<void> {
    await tx.book('a', cents);
    // @ts-expect-error it has no such method
    tx.unbook();
  }
}
