/** Writes rows of one table, many with one statement: the way into the database costs as much as a row. */
import type { Value } from '../table.ts';
import type { Prepared, Statements } from './statements.ts';

/** Rows of one statement; more gain nothing. */
const rowsAtOnce = 50;

export class RowWriter {
  readonly #statements: Statements;
  readonly #head: string;
  readonly #row: string;
  readonly #tail: string;
  #one: Prepared | null = null;
  #many: Prepared | null = null;

  /** @param tail what follows the rows in the statement */
  constructor(statements: Statements, table: string, columns: readonly string[], tail = '') {
    this.#statements = statements;
    this.#head = `insert into ${table} (${columns.join(', ')}) values `;
    this.#row = `(${columns.map(() => '?').join(', ')})`;
    this.#tail = tail;
  }

  /** Writes rows in their order; the values of each in the order of the columns. */
  write(rows: readonly (readonly Value[])[]): void {
    let at = 0;
    for (; at + rowsAtOnce <= rows.length; at += rowsAtOnce) {
      this.#many ??= this.#prepare(rowsAtOnce);
      this.#many.run(rows.slice(at, at + rowsAtOnce).flat());
    }
    for (; at < rows.length; at++) {
      this.#one ??= this.#prepare(1);
      this.#one.run(rows[at] ?? []);
    }
  }

  #prepare(rows: number): Prepared {
    return this.#statements.prepare(`${this.#head}${Array.from({ length: rows }, () => this.#row).join(', ')} ${this.#tail}`);
  }
}
