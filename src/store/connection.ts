/**
 * Contract of a connection: what a dialect gives to the store. Makers: `sqlite/connection.ts`, `postgres/connection.ts`.
 *
 * Statements are finished text, written so that both dialects take them, with the few places where they differ filled in (see
 * docs/decisions/0007-sql-by-hand.md).
 */
import type { Batch } from './batch.ts';
import type { Value, Kinds } from './table.ts';
import type { Claim } from './ownership.ts';
import type { PoolUse } from './pool-use.ts';

/** Runs one statement, parameters written `$1`, `$2`…, and gives its rows. */
export type Query = <Row>(text: string, params?: readonly (Value | Uint8Array)[]) => Promise<Row[]>;

/** The places where the two dialects speak differently. */
export interface Fragments {
  /** Instant to compare leases with; stands for parameter number `index`, whose value is `Connection.now()`. */
  now(index: number): string;
  /** Table of JSON lists given as parameter number `index`, its columns by name and type, in the order of the list. */
  list(index: number, columns: Kinds): string;
  /** Condition that always holds; the transaction it stands in is committed without waiting for the disk. */
  readonly unwaited: string;
  /** Columns of the migrations: 8-byte integer, text that compares by bytes, and a key that counts up. */
  readonly integer: string;
  readonly text: string;
  readonly counter: string;
}

/** What statements are asked of: a connection, or a transaction that is under way on it. */
export interface Database {
  readonly dialect: 'sqlite' | 'postgres';
  /** The URL without its password. */
  readonly url: string;
  readonly fragments: Fragments;
  /** One statement; outside of a transaction atomic by itself, and it waits for locks. @throws BatutaError STORE_… */
  readonly query: Query;
  /** Value of the parameter that `fragments.now` stands for: our clock on SQLite, null (the database's own) on PostgreSQL. */
  now(): number | null;
}

export interface Connection extends Database {
  /**
   * The same for the few statements on the way of each run: the server keeps them planned, for rows found by their keys. Their texts are
   * constants.
   */
  readonly prepared: Query;
  /** The first column of the first row, which holds bytes; null when there is no row. */
  blob(text: string, params: readonly Value[]): Promise<Uint8Array | null>;
  /** Writes all or nothing; nobody else writes through this connection meanwhile. */
  transaction<T>(work: (db: Database) => Promise<T>): Promise<T>;
  /** Holds off every other process that migrates until `work` is done. */
  migration<T>(work: (db: Database) => Promise<T>): Promise<T>;
  /**
   * Writes a batch of the recorder in one transaction and gives the claims that were refused. Either all rows of the
   * other claims are durable afterwards or it throws and none is.
   */
  writeBatch(batch: Batch): Promise<readonly Claim[]> | readonly Claim[];
  /** Makes ready what `writeBatch` will write next. The batch does not change any more. */
  prepareBatch?(batch: Batch): void;
  /** Gives back space that was kept for when the disk is full; nothing where the dialect keeps none. */
  freeReserve?(): void;
  dataVersion(): number | null;
  /** See `Store.poolUse`; missing where there is no pool. */
  poolUse?(): PoolUse;
  /** See `Store.watchWrites`; missing where nobody tells. */
  watchWrites?(onWrite: () => void): (() => void) | null;
  close(): Promise<void>;
}
