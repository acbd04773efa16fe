/** Building blocks of statements of all subjects. */
import { terminalTypes } from '../model/state.ts';
import type { Connection, Database } from './connection.ts';
import { jsonText } from './storable.ts';
import type { Value } from './table.ts';

/** Open and ended states, written as in the indexes: otherwise the databases do not use them. */
export const openList = `'SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING'`;
export const terminalList = terminalTypes.map((type) => `'${type}'`).join(', ');

/** Condition that it is not merely reported from elsewhere. @param owner the column of the run */
export function isNotReported(owner = 'runs.owner'): string {
  return `(${owner} is null or ${owner} not like '{"id":"reporter:%')`;
}

type Dialect = Pick<Connection, 'dialect'>;

/** Ends a `select` whose rows nobody else may change until the transaction ends. SQLite has locked the whole file already. */
export function forUpdate({ dialect }: Dialect): string {
  return dialect === 'sqlite' ? '' : 'for no key update';
}

/** The same for rows that nobody else has locked. @param table of those that the `select` reads */
export function forUpdateOfFree({ dialect }: Dialect, table = ''): string {
  return dialect === 'sqlite' ? '' : `for no key update ${table === '' ? '' : `of ${table} `}skip locked`;
}

/**
 * Ends a `select` over several rows of a table, which are locked in the order of their ids. Everything that locks several runs or spread
 * tasks does so, and locks runs before spread tasks before task runs: otherwise there would be deadlocks.
 */
export function lockInOrder({ dialect }: Dialect, table: 'runs' | 'spread_tasks' | 'cache_entries'): string {
  return dialect === 'sqlite' ? '' : `order by ${table}.id for no key update of ${table}`;
}

/** Indexes that a query names. */
type RunIndex =
  | 'runs_owned'
  | 'runs_waiting'
  | 'runs_held'
  | 'runs_open_ticks'
  | 'runs_not_late'
  | 'runs_state'
  | 'runs_id_end'
  | 'runs_created'
  | 'runs_ended'
  | 'runs_flow_created'
  | 'runs_deployment_created'
  | 'runs_slot_held'
  | 'runs_slot_awaited'
  | 'runs_failure'
  | 'runs_fair'
  | 'runs_parked'
  | 'runs_parked_by'
  | 'runs_open_children';

/** The table of runs, read by an index that SQLite, which keeps no statistics, would not choose by itself. */
export function runsBy({ dialect }: Dialect, index: RunIndex, alias = ''): string {
  const runs = alias === '' ? 'runs' : `runs as ${alias}`;
  return dialect === 'sqlite' ? `${runs} indexed by ${index}` : runs;
}

/**
 * Condition that the id is in a subquery. PostgreSQL expects as many rows as the limit of the subquery allows and would rather read all
 * runs; of an array made beforehand it expects few.
 */
export function idAmong({ dialect }: Dialect, subquery: string): string {
  return dialect === 'sqlite' ? `id in (${subquery})` : `id = any (array(${subquery}))`;
}

/** The texts of a list in parameter number `index`, for use with `in`. */
export function listed({ fragments }: Pick<Connection, 'fragments'>, index: number): string {
  return `(select item from ${fragments.list(index, { item: 'text' })} as listed)`;
}

/** The parameter for `listed`, or for `Fragments.list` with rows of one column. */
export function listOf(values: readonly Value[]): string {
  return jsonText(values.map((value) => [value]));
}

/** Parameters of a statement being built. */
export class Params {
  readonly values: Value[] = [];

  /** Adds a value and returns its place, `$1` and so on. */
  add(value: Value): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }
}

/** What is used of the description of a table to read it. */
interface Readable<Row, Data> {
  readonly name: string;
  readonly list: string;
  readonly read: (row: Row) => Data;
}

/** Rows of a table as the model has them. @param tail conditions and order, after the name of the table */
export async function selectAll<Row, Data>(
  { query }: Pick<Database, 'query'>,
  { name, list, read }: Readable<Row, Data>,
  tail: string,
  values: readonly Value[] = [],
): Promise<Data[]> {
  return (await query<Row>(`select ${list} from ${name} ${tail}`, values)).map((row) => read(row));
}

/** The first of them, or null. */
export async function selectOne<Row, Data>(...asked: Parameters<typeof selectAll<Row, Data>>): Promise<Data | null> {
  return (await selectAll(...asked))[0] ?? null;
}

/** The clock in its own subquery: it is read once, and can be used to search an index. */
export function nowOnce({ fragments }: Pick<Connection, 'fragments'>, index: number): string {
  return `(select ${fragments.now(index)})`;
}

/** Now, by the clock that leases are compared with: ours on SQLite, the database's on PostgreSQL. UTC epoch ms. */
export async function clockOf({ query, fragments, now }: Database): Promise<number> {
  const ours = now();
  if (ours !== null) return ours;
  const [row] = await query<{ now: number }>(`select ${fragments.now(1)} as now`, [ours]);
  return row?.now ?? 0;
}
