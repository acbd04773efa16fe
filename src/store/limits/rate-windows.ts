/** Rates in the database: what declares them, their rows (held while deciding), and the starts on record. */
import type { Database } from '../connection.ts';
import type { Rate, RateName } from '../../model/rate.ts';
import { listed, listOf, nowOnce } from '../sql.ts';
import { readRate } from '../read-json.ts';
import { jsonText } from '../storable.ts';
import { compareTurns, type RateState, type Waiting } from './rate-places.ts';

/** Most starts, and most expected waiters, that a decision reads. */
const maxLooked = 2_000;
/** Waiters that need places of several rates at an instant no further away than this, ms; and how many of them are read. */
const claimAheadMs = 60_000;
const maxClaims = 200;

/** What declares a rate now, by its base. */
export type Declared = ReadonlyMap<string, Pick<Rate, 'limit' | 'perMs'>>;

/** Current rates. */
export interface RateStates {
  /** When they were read, by the clock of the database. */
  readonly at: number;
  readonly states: ReadonlyMap<string, RateState>;
  /** Since when the askers wait, by `lineKey`; new askers are missing. */
  readonly since: ReadonlyMap<string, number>;
  readonly declared: Declared;
  /** The row version of each rate whose row exists and matches its declaration; PostgreSQL only. */
  readonly versions: ReadonlyMap<string, string>;
  /** Whether all of them have rows that match their declarations. */
  readonly isNoted: boolean;
}

export const lineKey = (name: string, holder: string): string => `${name}\n${holder}`;

/**
 * Holds the rates until the transaction ends, in the order of their names. Returns the instant at which all are held. The transaction is
 * committed without waiting for the disk, see `untilOnDisk`. One statement.
 */
export async function holdRates(db: Database, names: readonly RateName[], declared: Declared): Promise<number> {
  const rows = names.flatMap(({ name, base }) => {
    const rate = declared.get(base);
    return rate ? [[name, base, rate.limit, rate.perMs]] : [];
  });
  const now = db.fragments.now(2);
  // The clock is read once a row is held, so later holders get later instants.
  const held = await db.query<{ at: number }>(
    `insert into rate_windows (name, base, used, starts, per_ms, touched_at)
     select name, base, 0, starts, per_ms, ${now} from ${db.fragments.list(1, { name: 'text', base: 'text', starts: 'integer', per_ms: 'integer' })} as held
     where ${db.fragments.unwaited} order by name
     on conflict (name) do update set starts = excluded.starts, per_ms = excluded.per_ms, touched_at = ${now}
     returning ${now} as at`,
    [jsonText(rows), db.now()],
  );
  return Math.max(0, ...held.map(({ at }) => Number(at)));
}

interface Row {
  readonly kind: 'at' | 'declared' | 'rate' | 'start' | 'due' | 'claim' | 'mine';
  readonly name: string;
  readonly id: string;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

/**
 * Reads what a decision needs. Rates that nothing declares any more are missing. One statement.
 *
 * @param at the instant to decide for; null: the database's now
 * @param holders the askers
 * @param aheadMs how long before its time a place may be given
 */
export async function readRates(
  db: Database,
  {
    names,
    holders,
    at,
    aheadMs,
  }: {
    readonly names: readonly RateName[];
    readonly holders: readonly string[];
    readonly at: number | null;
    readonly aheadMs: number;
  },
): Promise<RateStates> {
  const now = nowOnce(db, 3);
  const those = listed(db, 1);
  const claims = `select name, id, priority, since_at, next_at from rate_waits
       where name in ${those} and several = 1 and next_at > ${now} and next_at <= ${now} + ${claimAheadMs}`;
  const rows = await db.query<Row>(
    `select 'at' as kind, '' as name, '' as id, ${now} as a, 0 as b, 0 as c
     union all select 'declared', name, '', starts, per_ms, 0 from rates where name in ${listed(db, 5)}
     union all select 'declared', 'flow:' || name, rate_limit, 0, 0, 0 from flows where name in ${listed(db, 6)} and rate_limit is not null
     union all select 'declared', 'deployment:' || name, rate_limit, 0, 0, 0 from deployments
       where name in ${listed(db, 7)} and rate_limit is not null
     union all select 'rate', name, ${version(db)}, used, starts, per_ms from rate_windows where name in ${those}
     union all select 'start', name, id, at, 0, 0 from (
       select rate_starts.name, rate_starts.id, rate_starts.at from rate_windows
       join rate_starts on rate_starts.name = rate_windows.name and rate_starts.at < ${now} + 2 * ${ahead(db)} - rate_windows.per_ms
       where rate_windows.name in ${those} order by rate_starts.at limit ${maxLooked}) as starts
     union all select 'due', name, id, priority, since_at, next_at from (
       select name, id, priority, since_at, next_at from rate_waits
       where name in ${those} and next_at > ${now} and next_at <= ${now} + ${ahead(db)} order by next_at limit ${maxLooked}) as due
     union all select 'claim', name, id, priority, since_at, next_at from (${claims} order by next_at limit ${maxClaims}) as claims
     union all select 'start', name, id, at, 0, 0 from (
       select rate_starts.name, rate_starts.id, rate_starts.at from rate_windows
       join (select name, max(next_at) as until from (${claims}) as claims group by name) as claimed on claimed.name = rate_windows.name
       join rate_starts on rate_starts.name = rate_windows.name and rate_starts.at < claimed.until - rate_windows.per_ms
       order by rate_starts.at limit ${maxLooked}) as claimed_starts
     union all select 'mine', name, id, priority, since_at, next_at from rate_waits where id in ${listed(db, 2)} and name in ${those}`,
    [listOf(names.map(({ name }) => name)), listOf(holders), at ?? db.now(), aheadMs, ...declarersOf(names).map(listOf)],
  );
  const of = (kind: Row['kind']): readonly Row[] => rows.filter((row) => row.kind === kind);
  const readAt = Number(of('at')[0]?.a ?? 0);
  const declared = new Map(
    of('declared').map(({ name, id, a, b }) => [name, id === '' ? { limit: Number(a), perMs: Number(b) } : readRate(id)] as const),
  );
  const noted = new Map(of('rate').map((row) => [row.name, row]));
  const starts = grouped(of('start'), ({ id, a }) => ({ start: id, at: Number(a) }));
  const claimed = grouped(of('claim'), ({ id, a, b, c }) => ({ id, priority: Number(a), since: Number(b), nextAt: Number(c) }));
  const asking = new Set(holders);
  const expected = grouped(
    of('due').filter(({ id }) => !asking.has(id)),
    ({ id, a, b }): Waiting => ({ id, priority: Number(a), since: Number(b) }),
  );
  const states = new Map<string, RateState>();
  const versions = new Map<string, string>();
  for (const { name, base } of names) {
    const rate = declared.get(base);
    if (!rate) continue;
    const row = noted.get(name);
    if (row !== undefined && Number(row.b) === rate.limit && Number(row.c) === rate.perMs) versions.set(name, row.id);
    states.set(name, {
      ...{ name, limit: rate.limit, perMs: rate.perMs, used: Number(row?.a ?? 0) },
      heads: [...new Map((starts.get(name) ?? []).map((one) => [one.start, one])).values()].sort((x, y) => x.at - y.at),
      expected: (expected.get(name) ?? []).sort(compareTurns),
      // Askers decide for themselves, and near ones are in `expected`.
      claims: (claimed.get(name) ?? []).filter(({ id, nextAt }) => !asking.has(id) && nextAt > readAt + aheadMs),
    });
  }
  return {
    ...{ at: readAt, states, declared, versions, isNoted: versions.size === states.size },
    since: new Map(of('mine').map(({ name, id, b }) => [lineKey(name, id), Number(b)])),
  };
}

/** Tags, flows and deployments of these rates, by their names in the tables. */
function declarersOf(names: readonly RateName[]): readonly string[][] {
  const bases = [...new Set(names.map(({ base }) => base))];
  const of = (kind: string): string[] => bases.filter((base) => base.startsWith(`${kind}:`));
  return [
    of('tag'),
    of('flow').map((base) => base.slice('flow:'.length)),
    of('deployment').map((base) => base.slice('deployment:'.length)),
  ];
}

/** Differs after each change of the row. */
function version({ dialect }: Pick<Database, 'dialect'>): string {
  return dialect === 'sqlite' ? "''" : 'rate_windows.xmin::text';
}

function ahead({ dialect }: Pick<Database, 'dialect'>): string {
  return dialect === 'sqlite' ? '$4' : '$4::bigint';
}

function grouped<T>(rows: readonly Row[], item: (row: Row) => T): Map<string, T[]> {
  const lists = new Map<string, T[]>();
  for (const row of rows) {
    const list = lists.get(row.name);
    if (list) list.push(item(row));
    else lists.set(row.name, [item(row)]);
  }
  return lists;
}
