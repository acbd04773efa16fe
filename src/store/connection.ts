/**
 * Contract of a connection: what a dialect provides to the store. Makers: `sqlite/connection.ts`, `postgres/connection.ts`.
 *
 * Statements are finished text, accepted by both dialects, with the few differences filled in (see docs/decisions/0007-sql-by-hand.md).
 */
import type { Batch } from './batch.ts';
import type { Value, Kinds } from './table.ts';
import type { Claim } from './ownership.ts';
import type { PoolUse } from './pool-use.ts';

/** Runs one statement, parameters written `$1`, `$2`…, and returns its rows. */
export type Query = <Row>(text: string, params?: readonly (Value | Uint8Array)[]) => Promise<Row[]>;

/** The differences between the two dialects. */
export interface Fragments {
  /** Now, for comparing leases; reads parameter number `index`, whose value is `Connection.now()`. */
  now(index: number): string;
  /** Table of the JSON lists in parameter number `index`, its columns by name and type, in the order of the list. */
  list(index: number, columns: Kinds): string;
  /** Condition that always holds; its transaction is committed without waiting for the disk. */
  readonly unwaited: string;
  /** Columns of the migrations: 8-byte integer, text that compares by bytes, and a key that counts up. */
  readonly integer: string;
  readonly text: string;
  readonly counter: string;
}

/** What statements run on: a connection, or a transaction open on it. */
export interface Database {
  readonly dialect: 'sqlite' | 'postgres';
  /** The URL without its password. */
  readonly url: string;
  readonly fragments: Fragments;
  /** One statement; outside a transaction it is atomic by itself and waits for locks. @throws BatutaError STORE_… */
  readonly query: Query;
  /** Value of the parameter that `fragments.now` reads: our clock on SQLite, null (the database's own) on PostgreSQL. */
  now(): number | null;
}

export interface Connection extends Database {
  /**
   * The same for the few statements that every run needs: the server keeps them planned, for rows found by their keys. Their texts are
   * constants.
   */
  readonly prepared: Query;
  /** The first column of the first row, which holds bytes; null if there is no row. */
  blob(text: string, params: readonly Value[]): Promise<Uint8Array | null>;
  /** Writes all or nothing; nobody else writes through this connection meanwhile. */
  transaction<T>(work: (db: Database) => Promise<T>): Promise<T>;
  /** Blocks every other migrating process until `work` is done. */
  migration<T>(work: (db: Database) => Promise<T>): Promise<T>;
  /**
   * Writes a batch of the recorder in one transaction and returns the refused claims. Either all rows of the other claims are durable
   * afterwards or it throws and none is.
   */
  writeBatch(batch: Batch): Promise<readonly Claim[]> | readonly Claim[];
  /** Prepares what `writeBatch` will write next. The batch does not change any more. */
  prepareBatch?(batch: Batch): void;
  /** Frees space reserved for a full disk; does nothing if the dialect reserves none. */
  freeReserve?(): void;
  dataVersion(): number | null;
  /** See `Store.poolUse`; missing if there is no pool. */
  poolUse?(): PoolUse;
  /** See `Store.watchWrites`; missing if not supported. */
  watchWrites?(onWrite: () => void): (() => void) | null;
  close(): Promise<void>;
}
