/** What a task with `transaction` is handed. */
import type { TaskContext } from '../model/context.ts';
import type { Resource } from '../model/resource.ts';
import type { Any, Transactional, TxOf } from './driver.ts';

/** A resource whose value is a database with transactions. */
export type SqlResource = Resource<Transactional<Any>>;

/** What `ctx.tx` is for a resource. */
export type TxFrom<R> = R extends Resource<infer Value> ? TxOf<Value> : never;

/**
 * Last argument of a task with `transaction`: the context of any task, and `tx`, the transaction it works in.
 *
 * @typeParam R the resource (`typeof warehouse`)
 * @typeParam P as that of `TaskContext`
 * @example
 * ```ts
 * @Task({ transaction: warehouse })
 * async load(ctx: TransactionContext<typeof warehouse>) {
 *   await ctx.tx.query('insert into days (day) values ($1)', ['2026-01-01']);
 * }
 * ```
 */
export interface TransactionContext<R, P = unknown> extends TaskContext<P> {
  /**
   * The transaction, on a connection of its own. It commits when the task gives its result and rolls back when the task fails, times out or is
   * cancelled; afterwards it refuses to be used.
   */
  readonly tx: TxFrom<R>;
}
