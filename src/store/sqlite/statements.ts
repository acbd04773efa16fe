/** Prepared statements of one SQLite file, kept by their text, and the guard around the driver. */
import type Database from 'libsql';
import type { Value } from '../table.ts';
import { isStorableText } from '../../base/cut-text.ts';
import { jsonText, storableValue } from '../storable.ts';
import { rowsAsJson, valuesOf } from './rows-as-json.ts';

export interface Prepared {
  /** Runs it and returns how many rows were changed. */
  run(params: readonly Value[]): number;
  /** Rows as objects by column. */
  all<Row>(params: readonly Value[]): Row[];
}

/** A prepared statement that returns one row of numbers. */
export interface PreparedNumbers {
  /** First row as a list, undefined if there is none. */
  first(params: readonly Value[]): (number | null)[] | undefined;
}

/** Most statements that are kept; the store has few texts, but filters may build many. */
const maxKept = 500;

/** A statement of the driver, and the names of the columns returned as JSON; null if rows are returned as they are. */
interface Kept {
  readonly statement: Database.Statement;
  readonly columns: readonly string[] | null;
  /** Whether it returns at most one row: then the driver need not make room for a hundred. */
  readonly givesOne: boolean;
}

/** The statements of a database, each prepared once. */
export class Statements {
  readonly #database: Database.Database;
  readonly #kept = new Map<string, Kept>();

  constructor(database: Database.Database) {
    this.#database = database;
  }

  /** Drops all, so that the file can be released. */
  clear(): void {
    this.#kept.clear();
  }

  prepare(text: string): Prepared {
    const kept = this.#statement(text);
    return {
      run: (params) => kept.statement.run(bound(params)).changes,
      all: <Row>(params: readonly Value[]) => rowsOf<Row>(kept, params),
    };
  }

  /** For queries of every flush: numbers are read as they are, since none can end the process. */
  prepareNumbers(text: string): PreparedNumbers {
    const statement = this.#database.prepare(text).raw();
    return { first: (params) => statement.get(bound(params)) as (number | null)[] | undefined };
  }

  /** The first column of the first row as it is, null if there is no row. */
  blob(text: string, params: readonly Value[]): Uint8Array | null {
    const row = this.#database.prepare(text).raw().get(bound(params)) as [Uint8Array | ArrayBuffer] | undefined;
    return row === undefined ? null : new Uint8Array(row[0]);
  }

  all<Row>(text: string, params: readonly unknown[]): Row[] {
    return rowsOf<Row>(this.#statement(text), params);
  }

  #statement(text: string): Kept {
    const kept = this.#kept.get(text);
    if (kept !== undefined) return kept;
    const plain = this.#database.prepare(text);
    const json = rowsAsJson(text, plain);
    const statement = json === null ? plain : this.#database.prepare(json.text);
    const made = { statement, columns: json?.columns ?? null, givesOne: /\blimit 1\s*$/.test(text) };
    if (this.#kept.size >= maxKept) this.#kept.clear();
    this.#kept.set(text, made);
    return made;
  }
}

function rowsOf<Row>({ statement, columns, givesOne }: Kept, params: readonly unknown[]): Row[] {
  const rows = (givesOne ? firstOf(statement, params) : statement.all(bound(params))) as { row: unknown }[];
  if (columns === null) return rows as Row[];
  return rows.map(({ row }) => {
    const values = valuesOf(row);
    const named: Record<string, unknown> = {};
    for (let at = 0; at < columns.length; at++) named[columns[at] as string] = values[at];
    return named as Row;
  });
}

function firstOf(statement: Database.Statement, params: readonly unknown[]): unknown[] {
  const row = statement.get(bound(params));
  return row === undefined ? [] : [row];
}

/**
 * The parameters in a form the driver accepts. A boolean or an object would end the whole process, so nothing unchecked may reach it;
 * values ultimately come from untyped user code.
 */
function bound(params: readonly unknown[]): (Value | Uint8Array)[] {
  for (const value of params) if (!isValue(value)) return params.map(valueOf);
  return params as (Value | Uint8Array)[];
}

function isValue(value: unknown): value is Value | Uint8Array {
  return typeof value === 'string' ? isStorableText(value) : typeof value === 'number' || value === null || value instanceof Uint8Array;
}

function valueOf(value: unknown): Value | Uint8Array {
  if (isValue(value) || typeof value === 'string') return storableValue(value);
  if (value === undefined) return null;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'object') return jsonText(value);
  return String(value);
}
