/**
 * Statements rewritten so that the driver can read whatever a file holds.
 *
 * The driver ends the whole process when it reads a text that is not UTF-8, and cuts it at NUL; a file may hold such text, written by an
 * earlier version or by hand. So the database returns each row as one blob that holds a JSON list, and JavaScript decodes it, with U+FFFD
 * for what cannot be read. For rows of texts that is no slower: a row crosses into JavaScript once, not once per column.
 */
import type Database from 'libsql';
import { storableJson } from '../../base/cut-text.ts';

/** A statement that returns rows as JSON, and the names of their columns. */
export interface JsonStatement {
  readonly text: string;
  readonly columns: readonly string[];
}

/**
 * The same statement with rows as JSON; null for one that returns no rows of a table (a pragma, a write without `returning`).
 *
 * @param prepared the original statement, for the names of its columns
 */
export function rowsAsJson(text: string, prepared: Database.Statement): JsonStatement | null {
  const isQuery = /^\s*(select|with|values)\b/i.test(text);
  const returned = isQuery ? null : /^([\s\S]*\breturning\s)([\s\S]*)$/i.exec(text);
  if (!isQuery && returned === null) return null;
  const columns = prepared.columns().map(({ name }) => name);
  if (returned !== null) {
    const [, head = '', list = ''] = returned;
    return { text: `${head} ${jsonRow(splitList(list).map(withoutAlias))}`, columns };
  }
  const names = columns.map((_, at) => `c${at}`);
  return { text: `with answer(${names.join(', ')}) as (${text}) select ${jsonRow(names)} from answer`, columns };
}

/** The values of a row that such a statement returned. */
export function valuesOf(row: unknown): unknown[] {
  return JSON.parse(storableJson(decoder.decode(row as ArrayBuffer))) as unknown[];
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** JSON holds no blobs; a blob that someone put into a column of ours is read as text. */
function jsonRow(expressions: readonly string[]): string {
  const values = expressions.map((value) => `iif(typeof(${value}) = 'blob', cast(${value} as text), ${value})`);
  return `cast(json_array(${values.join(', ')}) as blob) as row`;
}

/** Splits a list of expressions at commas outside parentheses. */
function splitList(list: string): string[] {
  const parts: string[] = [''];
  let depth = 0;
  for (const char of list) {
    if (char === '(') depth++;
    if (char === ')') depth--;
    if (char === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += char;
  }
  return parts;
}

function withoutAlias(expression: string): string {
  return expression.replace(/\s+as\s+(?:"[^"]*"|\w+)\s*$/i, '');
}
