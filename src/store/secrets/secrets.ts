/** Secrets, variables and connections, over a connection to the database. */
import type { Variable } from '../../model/secret.ts';
import type { Connection } from '../connection.ts';
import { readJson } from '../read-json.ts';
import { describeTable, insertText, json, replacedBy, text, textOrNull, time } from '../table.ts';
import type {
  ConnectionStore,
  NamedStore,
  SecretStore,
  StoredConnection,
  StoredSecret,
  StoredSecretValue,
  VariableStore,
} from './contract.ts';

const common = { name: text, description: textOrNull };
const times = { created_at: time, updated_at: time };

const secretTable = describeTable('secrets', {
  ...common,
  value: json((written) => readSecret(readJson<unknown>(written))),
  ...times,
});
const variableTable = describeTable('variables', { ...common, value: json(readJson<unknown>), ...times });
const connectionTable = describeTable('connections', {
  ...common,
  kind: text,
  fields: json((written) => readJson<Readonly<Record<string, unknown>>>(written) ?? {}),
  secrets: json((written) =>
    Object.fromEntries(
      Object.entries(readJson<Readonly<Record<string, unknown>>>(written) ?? {}).map(([field, value]) => [field, readSecret(value)]),
    ),
  ),
  ...times,
});

export function secretStore(connection: Connection): SecretStore {
  return namedStore<StoredSecret>(connection, secretTable as never, 'value');
}

export function variableStore(connection: Connection): VariableStore {
  return namedStore<Variable>(connection, variableTable as never, 'value');
}

export function connectionStore(connection: Connection): ConnectionStore {
  return namedStore<StoredConnection>(connection, connectionTable as never, 'secrets');
}

/** What is used of the description of such a table. */
interface NamedTable<T> {
  readonly name: string;
  readonly columns: readonly string[];
  readonly list: string;
  readonly kinds: Readonly<Record<string, never>>;
  readonly read: (row: never) => T;
  readonly values: (data: T) => (string | number | null)[];
}

/** @param guarded column that is compared before a row is replaced */
function namedStore<T extends { readonly name: string }>({ query }: Connection, table: NamedTable<T>, guarded: string): NamedStore<T> {
  const { name: tableName, list, columns } = table;
  const at = columns.indexOf(guarded);
  const readAll = (rows: readonly unknown[]): T[] => rows.map((row) => table.read(row as never));
  const put = `${insertText(table)} on conflict (name) do update set ${replacedBy(table, 'name', 'created_at')} returning ${list}`;
  return {
    async put(row) {
      const [stored] = readAll(await query(put, table.values(row)));
      return stored ?? row;
    },
    async get(name) {
      return readAll(await query(`select ${list} from ${tableName} where name = $1`, [name]))[0] ?? null;
    },
    async list() {
      return readAll(await query(`select ${list} from ${tableName} order by name`));
    },
    async names() {
      return (await query<{ readonly name: string }>(`select name from ${tableName} order by name`)).map(({ name }) => name);
    },
    async replace(before, after) {
      const text = `update ${tableName} set ${guarded} = $1 where name = $2 and ${guarded} = $3 returning name`;
      return (await query(text, [table.values(after)[at] ?? null, before.name, table.values(before)[at] ?? null])).length > 0;
    },
    async delete(name) {
      return (await query(`delete from ${tableName} where name = $1 returning name`, [name])).length > 0;
    },
  };
}

/** An unreadable value counts as sealed by nobody's key. */
function readSecret(value: unknown): StoredSecretValue {
  const { reference, sealed } = (typeof value === 'object' && value !== null ? value : {}) as { reference?: unknown; sealed?: unknown };
  return typeof reference === 'string' ? { reference } : { sealed: typeof sealed === 'string' ? sealed : '' };
}
