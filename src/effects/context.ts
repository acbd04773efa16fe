/** What a task with `transaction` is handed. */
import type { TaskContext } from '../model/context.ts';
import type { Resource } from '../model/resource.ts';
import type { Any, Transactional, TxOf } from './driver.ts';

/** A resource whose value is a database with transactions. */
export type SqlResource = Resource<Transactional<Any>>;

/** What `ctx.tx` is for a resource. */
export type TxFrom<R> = R extends Resource<infer Value> ? TxOf<Value> : never;

// Of the transaction, not of the resource: with a conditional type in it TypeScript took the contexts of any two resources for the same.
/** The context of a task that works in a transaction of the type `Tx`. */
export interface ContextWithTx<Tx, P = unknown> extends TaskContext<P> {
  /**
   * The transaction, on a connection of its own. It commits when the task gives its result and rolls back when the task fails, times out or is
   * cancelled; afterwards it refuses to be used.
   */
  readonly tx: Tx;
}

/**
 * Last argument of a task with `transaction`: the context of any task, and `tx`, the transaction it works in.
 *
 * The compiler refuses that of a resource whose transactions are of another type. Two resources whose transactions are of the same type, two
 * `postgres()` for example, are of one type themselves, for types do not know their names: there it is `transaction` that says where the task works.
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
export type TransactionContext<R, P = unknown> = ContextWithTx<TxFrom<R>, P>;
