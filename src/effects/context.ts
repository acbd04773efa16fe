/** Context of a task with `transaction`. */
import type { TaskContext } from '../model/context.ts';
import type { Resource } from '../model/resource.ts';
import type { Any, Transactional, TxOf } from './driver.ts';

/** A resource whose value is a database with transactions. */
export type SqlResource = Resource<Transactional<Any>>;

/** Type of `ctx.tx` for a resource. */
export type TxFrom<R> = R extends Resource<infer Value> ? TxOf<Value> : never;

// Parameterised by the transaction, not the resource: with a conditional type TypeScript did not distinguish the contexts of two resources.
/** The context of a task in a transaction of type `Tx`. */
export interface ContextWithTx<Tx, P = unknown> extends TaskContext<P> {
  /**
   * The transaction, on its own connection. It commits when the task returns its result and rolls back if the task fails, times out or is
   * cancelled; afterwards it refuses all use.
   */
  readonly tx: Tx;
}

/**
 * Last argument of a task with `transaction`: the context of any task, and `tx`, the transaction it works in.
 *
 * The compiler refuses that of a resource with another transaction type. Two resources with the same transaction type, for example two
 * `postgres()`, have the same type, as types do not know their names: there, `transaction` decides where the task works.
 *
 * @typeParam R the resource (`typeof warehouse`)
 * @typeParam P as that of `TaskContext`
 * @example ```ts
 * @Task({ transaction: warehouse }) async load(ctx: TransactionContext<typeof warehouse>) { await ctx.tx.query('insert into days (day)
 * values ($1)', ['2026-01-01']); } ```
 */
export type TransactionContext<R, P = unknown> = ContextWithTx<TxFrom<R>, P>;
