/** Contract of a migration. */
import type { Connection, Fragments } from '../connection.ts';

/** One step of the schema, forward only; the same numbers in both dialects. */
export interface Migration {
  /** From 1, ascending. Never changed once released. */
  readonly number: number;
  readonly name: string;
  /** The statements in order; they run in one transaction. */
  readonly statements: (dialect: Connection['dialect'], fragments: Fragments) => readonly string[];
}
