/** What a server reports about itself and the way to it, queried when a store is opened. */
import type pg from 'pg';
import { BatutaError } from '../../base/errors.ts';

export interface ServerLook {
  readonly version: string;
  /** E.g. `UTF8`. */
  readonly encoding: string;
  /** Where tables are created; null if the role has none. */
  readonly schema: string | null;
  /** Whether the role may create tables there. */
  readonly mayCreate: boolean;
  /** Whether the tables of Batuta exist. */
  readonly isMade: boolean;
  /** Most connections of the server. */
  readonly maxConnections: number;
  /**
   * Whether there is a pooler in between. It may switch server connections between transactions: what is prepared or set for a session
   * would be missing, and affect others.
   */
  readonly isPooled: boolean;
}

const question = `select pg_backend_pid() as pid, current_setting('server_version') as version, current_setting('server_encoding') as encoding,
  current_schema() as schema, coalesce(has_schema_privilege(current_schema(), 'create'), false) as "mayCreate",
  to_regclass('runs') is not null as "isMade", current_setting('max_connections')::integer as "maxConnections"`;

/** One statement. */
export async function lookAtServer(client: pg.ClientBase): Promise<ServerLook> {
  const { rows } = await client.query<Omit<ServerLook, 'isPooled'> & { readonly pid: number }>(question);
  const [row] = rows;
  if (row === undefined) throw new Error('The server returned no information about itself.');
  const { pid, ...look } = row;
  return { ...look, isPooled: isPooled(client, pid) };
}

/** For a database that cannot hold every text. */
export function notUnicode(where: string, encoding: string): BatutaError {
  return new BatutaError(
    'CONFIG_INVALID',
    `The database ${where} has the encoding ${encoding}, which cannot hold every text. Make one with "create database … encoding 'UTF8' template template0".`,
    { details: { store: where, encoding } },
  );
}

/** A pooler greets its clients with a process number of its own. Source: PostgreSQL, protocol, BackendKeyData. */
function isPooled(client: pg.ClientBase, backendPid: number): boolean {
  return 'processID' in client && client.processID !== backendPid;
}
