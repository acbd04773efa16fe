/**
 * The contract of databases whose transactions can carry the record of a task: what a resource's value needs for
 * `@Task({ transaction })`, and where it is kept.
 *
 * The drivers are in `src/kit/resources`; `run-once.ts` uses them.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type Duration, parseDuration } from '../base/duration.ts';

/** Databases that effects are recorded in. */
export type SqlDialect = 'postgres' | 'sqlite' | 'mysql';

/** Parameter of an effect statement. */
export type SqlValue = string | number | null;
export type SqlRow = Readonly<Record<string, unknown>>;

/** A begun transaction, alone on its connection. Ended once, by `commit` or `rollback`. */
export interface OpenTransaction<Tx> {
  /** The task's `ctx.tx`. It refuses all use once the transaction has ended. */
  readonly tx: Tx;
  /** Runs a statement within it. Parameters are written as the dialect writes them: `$1` on PostgreSQL, else `?`. */
  query(text: string, values: readonly SqlValue[]): Promise<readonly SqlRow[]>;
  /** Rejects if the database refused, or if that is unknown. */
  commit(): Promise<void>;
  /** Runs the statement and commits, in one round trip; absent if a driver cannot. Rejects like `commit`, or like the statement. */
  commitWith?(text: string, values: readonly SqlValue[]): Promise<void>;
  /**
   * Resolves once the transaction is rolled back and its connection free, or given up. Never rejects.
   *
   * @param isAborted whether the task was stopped and a statement may still be running, which is then cancelled.
   */
  rollback(isAborted: boolean): Promise<void>;
}

/** How transactions of one database are made. `Tx` is the type of the task's `ctx.tx`. */
export interface TransactionDriver<Tx> {
  readonly dialect: SqlDialect;
  /** How long the record of an effect is kept, ms. */
  readonly keepEffectsMs: number;
  /** Whether there is only one connection: a nested transaction would wait forever, and is refused by `isWithin`. */
  readonly hasOneConnection?: boolean;
  begin(): Promise<OpenTransaction<Tx>>;
  /** Runs one statement by itself, committed at once. */
  query(text: string, values: readonly SqlValue[]): Promise<readonly SqlRow[]>;
}

// oxlint-disable-next-line typescript/no-explicit-any -- transactions of every library.
export type Any = any;

declare const transactionOf: unique symbol;

/** A value whose database can take part in `@Task({ transaction })`. The property exists only for types. */
export interface Transactional<Tx> {
  readonly [transactionOf]: Tx;
}

/** What a task gets as `ctx.tx` from a resource of this value. */
export type TxOf<Value> = Value extends Transactional<infer Tx> ? Tx : never;

export interface EffectOptions {
  /**
   * How long the record of an effect is kept. It must be longer than the time in which a run may be continued or retried after its task has
   * committed: without the record the task takes effect again. Default 60 days, twice as long as runs are kept.
   */
  readonly keepEffects?: Duration | undefined;
}

const defaultKeepMs = 60 * 24 * 60 * 60 * 1000;

/** @throws BatutaError DURATION_INVALID */
export function keepMsOf({ keepEffects }: EffectOptions = {}): number {
  return keepEffects === undefined ? defaultKeepMs : parseDuration(keepEffects);
}

/** Shared by two copies of the library, in a map by value: others' objects may be frozen or proxies. */
const key = Symbol.for('batuta.transactions');
type Holder = { [key]?: WeakMap<object, TransactionDriver<unknown>> };
const drivers = ((globalThis as Holder)[key] ??= new WeakMap());

/**
 * Registers the value as a database with transactions, and returns it. The adapters (`pgTransactions`, `kyselyTransactions` and so on)
 * use it; call it directly if none of them fits.
 */
export function sqlTransactions<Value extends object, Tx>(value: Value, driver: TransactionDriver<Tx>): Value & Transactional<Tx> {
  drivers.set(value, driver);
  return value as Value & Transactional<Tx>;
}

/** The driver of a value, undefined if it is not a database with transactions. */
export function driverOf(value: unknown): TransactionDriver<unknown> | undefined {
  return typeof value === 'object' && value !== null ? drivers.get(value) : undefined;
}

/** The drivers in whose transactions code runs, innermost first. */
interface Within {
  readonly driver: TransactionDriver<unknown>;
  readonly outer: Within | undefined;
}
const within = new AsyncLocalStorage<Within>();

/** Does work inside a transaction of the driver, tracked for `isWithin` if that matters. */
export function runWithin<T>(driver: TransactionDriver<unknown>, work: () => T): T {
  // Each async storage in use makes every promise of the process slower.
  if (driver.hasOneConnection !== true) return work();
  return within.run({ driver, outer: within.getStore() }, work);
}

/** Whether the caller runs within a transaction of the driver, which has one connection. */
export function isWithin(driver: TransactionDriver<unknown>): boolean {
  for (let at = within.getStore(); at; at = at.outer) if (at.driver === driver) return true;
  return false;
}
