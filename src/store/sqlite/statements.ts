/** Prepared statements of one SQLite file, kept by their text, and the guard around the driver. */
import type Database from 'libsql';
import type { Value } from '../rows.ts';
import { storableValue } from '../storable.ts';

/** A prepared statement. */
export interface Prepared {
  /** Runs it and gives how many rows were changed. */
  run(params: readonly Value[]): number;
  /** Rows as objects by column. */
  all<Row>(params: readonly Value[]): Row[];
  /** First row as a list, undefined when there is none. */
  first(params: readonly Value[]): Value[] | undefined;
}

/** Most statements that are kept; the texts of the store are few, those built for filters may be many. */
const maxKept = 500;

/** The statements of a database, each prepared once. */
export class Statements {
  readonly #database: Database.Database;
  readonly #kept = new Map<string, Database.Statement>();

  constructor(database: Database.Database) {
    this.#database = database;
  }

  /** Forgets all, so that the file can be let go of. */
  clear(): void {
    this.#kept.clear();
  }

  prepare(text: string): Prepared {
    const statement = this.#statement(text);
    let raw: Database.Statement | undefined;
    return {
      run: (params) => statement.run(bound(params)).changes,
      all: <Row>(params: readonly Value[]) => statement.all(bound(params)) as Row[],
      first: (params) => {
        raw ??= this.#database.prepare(text).raw();
        return raw.get(bound(params)) as Value[] | undefined;
      },
    };
  }

  all<Row>(text: string, params: readonly unknown[]): Row[] {
    return this.#statement(text).all(bound(params)) as Row[];
  }

  #statement(text: string): Database.Statement {
    const kept = this.#kept.get(text);
    if (kept !== undefined) return kept;
    const statement = this.#database.prepare(text);
    if (this.#kept.size >= maxKept) this.#kept.clear();
    this.#kept.set(text, statement);
    return statement;
  }
}

/**
 * The parameters as the driver can take them. It ends the whole process when it meets a boolean or an object, so
 * nothing unchecked may reach it; values come from untyped user code in the end.
 */
function bound(params: readonly unknown[]): Value[] {
  for (const value of params) if (!isValue(value)) return params.map(valueOf);
  return params as Value[];
}

function isValue(value: unknown): value is Value {
  return typeof value === 'string' ? !value.includes('\0') : typeof value === 'number' || value === null;
}

function valueOf(value: unknown): Value {
  if (isValue(value) || typeof value === 'string') return storableValue(value);
  if (value === undefined) return null;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'object') return JSON.stringify(value);
  return String(value);
}
