/** Pieces that the statements of all subjects are made of. */
import { terminalTypes } from '../model/state.ts';
import type { Connection, Database } from './connection.ts';
import { jsonText } from './storable.ts';
import type { Value } from './table.ts';

/** What has not ended, and what has; written as in the indexes, for only then the databases take them. */
export const openList = `'SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING'`;
export const terminalList = terminalTypes.map((type) => `'${type}'`).join(', ');

/** That nobody elsewhere executes it and only reports it here. @param owner the column of the run */
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
 * Ends a `select` over several rows of a table, which are locked in the order of their ids. Whoever locks several runs or spread tasks does so,
 * and runs before spread tasks before task runs: else two would wait for each other in a circle.
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
  | 'runs_fair';

/** The table of runs, read by an index that SQLite, which keeps no statistics, would not choose by itself. */
export function runsBy({ dialect }: Dialect, index: RunIndex, alias = ''): string {
  const runs = alias === '' ? 'runs' : `runs as ${alias}`;
  return dialect === 'sqlite' ? `${runs} indexed by ${index}` : runs;
}

/**
 * That the id is one of those that a subquery gives. PostgreSQL counts on as many as its limit allows and would rather read all runs; of a
 * list that is made beforehand it expects few.
 */
export function idAmong({ dialect }: Dialect, subquery: string): string {
  return dialect === 'sqlite' ? `id in (${subquery})` : `id = any (array(${subquery}))`;
}

/** The texts of a list given as parameter number `index`, to be asked for with `in`. */
export function listed({ fragments }: Pick<Connection, 'fragments'>, index: number): string {
  return `(select item from ${fragments.list(index, { item: 'text' })} as listed)`;
}

/** The parameter behind `listed`, or behind `Fragments.list` for rows of one column. */
export function listOf(values: readonly Value[]): string {
  return jsonText(values.map((value) => [value]));
}

/** Parameters of a statement under way. */
export class Params {
  readonly values: Value[] = [];

  /** Adds a value and gives its place, `$1` and so on. */
  add(value: Value): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }
}

/** The clock in a query of its own: it is read once, and an index can be searched by it. */
export function nowOnce({ fragments }: Pick<Connection, 'fragments'>, index: number): string {
  return `(select ${fragments.now(index)})`;
}

/** The instant by the clock that leases are compared with: ours on SQLite, asked of the database on PostgreSQL. UTC epoch ms. */
export async function clockOf({ query, fragments, now }: Database): Promise<number> {
  const ours = now();
  if (ours !== null) return ours;
  const [row] = await query<{ now: number }>(`select ${fragments.now(1)} as now`, [ours]);
  return row?.now ?? 0;
}
