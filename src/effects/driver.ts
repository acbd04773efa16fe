/**
 * The contract of databases whose transactions can carry the record of a task: what a value of a resource must have for
 * `@Task({ transaction })`, and where it is kept.
 *
 * The drivers stand in `src/kit/resources`; `run-once.ts` is what they are for.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type Duration, parseDuration } from '../base/duration.ts';

/** Databases that effects are recorded in. */
export type SqlDialect = 'postgres' | 'sqlite' | 'mysql';

/** What statements of effects are given. */
export type SqlValue = string | number | null;
export type SqlRow = Readonly<Record<string, unknown>>;

/** A transaction that has begun, alone on its connection. Ended once, by `commit` or `rollback`. */
export interface OpenTransaction<Tx> {
  /** What the task is given as `ctx.tx`. It refuses every use once the transaction has ended. */
  readonly tx: Tx;
  /** Runs a statement within it. Parameters are written as the dialect writes them: `$1` on PostgreSQL, else `?`. */
  query(text: string, values: readonly SqlValue[]): Promise<readonly SqlRow[]>;
  /** Rejects when the database refused, or when nobody knows whether it did. */
  commit(): Promise<void>;
  /** Runs the statement and commits, in one round trip; absent where a driver has no such thing. Rejects as `commit` does, or as the statement. */
  commitWith?(text: string, values: readonly SqlValue[]): Promise<void>;
  /**
   * Resolves once the transaction is undone and its connection free, or given up. Never rejects.
   *
   * @param isAborted whether the task was stopped and a statement may still be running, which is cancelled then.
   */
  rollback(isAborted: boolean): Promise<void>;
}

/** How transactions of one database are made. `Tx` is what the task is given. */
export interface TransactionDriver<Tx> {
  readonly dialect: SqlDialect;
  /** How long the record of an effect is kept, ms. */
  readonly keepEffectsMs: number;
  /** Whether there is one connection only: who asks for a transaction within one would wait for ever, and is refused by `isWithin`. */
  readonly hasOneConnection?: boolean;
  begin(): Promise<OpenTransaction<Tx>>;
  /** Runs one statement by itself, committed at once. */
  query(text: string, values: readonly SqlValue[]): Promise<readonly SqlRow[]>;
}

// oxlint-disable-next-line typescript/no-explicit-any -- transactions of every library.
export type Any = any;

declare const transactionOf: unique symbol;

/** A value whose database can take part in `@Task({ transaction })`. The property is for types alone. */
export interface Transactional<Tx> {
  readonly [transactionOf]: Tx;
}

/** What a task gets as `ctx.tx` from a resource of this value. */
export type TxOf<Value> = Value extends Transactional<infer Tx> ? Tx : never;

export interface EffectOptions {
  /**
   * How long the record of an effect is kept. It has to be longer than a run may be continued or retried after its task has committed: a
   * record that is gone lets the task take effect again. Default 60 days, twice as long as runs are kept.
   */
  readonly keepEffects?: Duration | undefined;
}

const defaultKeepMs = 60 * 24 * 60 * 60 * 1000;

/** @throws BatutaError DURATION_INVALID */
export function keepMsOf({ keepEffects }: EffectOptions = {}): number {
  return keepEffects === undefined ? defaultKeepMs : parseDuration(keepEffects);
}

/** Shared by two copies of the library, and by value: objects of others may be frozen or proxies. */
const key = Symbol.for('batuta.transactions');
type Holder = { [key]?: WeakMap<object, TransactionDriver<unknown>> };
const drivers = ((globalThis as Holder)[key] ??= new WeakMap());

/**
 * The value itself, known from now on as one of a database with transactions. The adapters (`pgTransactions`, `kyselyTransactions` and so on)
 * are made of it; it serves where none of them fits.
 */
export function sqlTransactions<Value extends object, Tx>(value: Value, driver: TransactionDriver<Tx>): Value & Transactional<Tx> {
  drivers.set(value, driver);
  return value as Value & Transactional<Tx>;
}

/** The driver of a value, undefined when it is none of a database with transactions. */
export function driverOf(value: unknown): TransactionDriver<unknown> | undefined {
  return typeof value === 'object' && value !== null ? drivers.get(value) : undefined;
}

/** The drivers within whose transactions code runs, the innermost first. */
interface Within {
  readonly driver: TransactionDriver<unknown>;
  readonly outer: Within | undefined;
}
const within = new AsyncLocalStorage<Within>();

/** Does work as part of a transaction of the driver, which `isWithin` knows of where that matters. */
export function runWithin<T>(driver: TransactionDriver<unknown>, work: () => T): T {
  // Each async storage in use costs every promise of the process.
  if (driver.hasOneConnection !== true) return work();
  return within.run({ driver, outer: within.getStore() }, work);
}

/** Whether the code that asks runs within a transaction of the driver, which has one connection. */
export function isWithin(driver: TransactionDriver<unknown>): boolean {
  for (let at = within.getStore(); at; at = at.outer) if (at.driver === driver) return true;
  return false;
}
