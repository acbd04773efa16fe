/** What is written of a decision about rates. */
import type { Database } from '../connection.ts';
import { listed, listOf } from '../sql.ts';
import { jsonText } from '../storable.ts';
import type { Value } from '../table.ts';
import type { Decision, RateState } from './rate-places.ts';

/** How long after it may begin a start probably happens, ms. */
const likelyMs = 5;

interface Statement {
  readonly text: string;
  readonly params: readonly Value[];
}

/** Ends a `select` of starts that are about to be changed: confirming starts does not hold their rates. */
export function startsInOrder({ dialect }: Pick<Database, 'dialect'>): string {
  return dialect === 'sqlite' ? '' : 'order by rate_starts.name, rate_starts.id for no key update of rate_starts';
}

/** The rates are held. One statement on PostgreSQL. */
export async function writeDecision(
  db: Database,
  decision: Decision,
  states: ReadonlyMap<string, RateState>,
  withinMs: number,
): Promise<void> {
  const statements = statementsOf(db, decision, withinMs, '');
  const used = [...decision.changes].flatMap(([name, change]) => {
    const by = change.given.length - change.gone.length;
    return by === 0 ? [] : [[name, (states.get(name)?.used ?? 0) + by]];
  });
  if (used.length > 0)
    statements.push({
      text: `update rate_windows set used = counted.used from ${db.fragments.list(1, { name: 'text', used: 'integer' })} as counted
             where rate_windows.name = counted.name`,
      params: [jsonText(used)],
    });
  if (statements.length === 0) return;
  if (db.dialect === 'postgres') await db.query(...joined(statements, 'select 1 as written'));
  else for (const { text, params } of statements) await db.query(text, params);
}

/**
 * Writes a decision about one rate that nobody holds. If its row has changed since it was read, writes nothing and returns false. For
 * PostgreSQL. One statement. Does not wait for the disk, see `untilOnDisk`.
 */
export async function writeUnlessChanged(
  db: Database,
  decision: Decision,
  { name, used }: RateState,
  version: string,
  withinMs: number,
): Promise<boolean> {
  const change = decision.changes.get(name);
  const now = used + (change?.given.length ?? 0) - (change?.gone.length ?? 0);
  const held: Statement = {
    // After waiting here for another transaction, its change is seen.
    text: `update rate_windows set used = $2::bigint, touched_at = ${db.fragments.now(4)}
           where name = $1 and rate_windows.xmin::text = $3 and ${db.fragments.unwaited} returning name`,
    params: [name, now, version, db.now()],
  };
  const statements = statementsOf(db, decision, withinMs, ' and exists (select 1 from written_0)');
  return (await db.query(...joined([held, ...statements], 'select 1 as written from written_0'))).length > 0;
}

/**
 * Waits until what was committed without waiting for the disk is there. The row of a rate is locked until the commit of a decision is done, so
 * a commit that waits for the disk would have all other processes wait for it too, one after the other.
 */
export async function untilOnDisk({ dialect, query }: Pick<Database, 'dialect' | 'query'>): Promise<void> {
  // The log is written in order: the commit of whatever comes later flushes all of it.
  if (dialect === 'postgres') await query("select pg_logical_emit_message(true, 'batuta', '')");
}

/** @param condition added to all, such as ` and true` */
function statementsOf(db: Database, { beginAt, changes }: Decision, withinMs: number, condition: string): Statement[] {
  const { list } = db.fragments;
  const begun = [...changes].flatMap(([name, { given }]) =>
    given.map(({ start, beginAt: from, afterAt }) => [name, start, from + withinMs, from + likelyMs, afterAt]),
  );
  const gone = [...changes].flatMap(([name, change]) => change.gone.map((start) => [name, start]));
  const statements: Statement[] = [];
  if (gone.length > 0)
    statements.push({
      text: `delete from rate_starts where (name, id) in (
               select rate_starts.name, rate_starts.id from rate_starts join ${list(1, { name: 'text', id: 'text' })} as gone
               on gone.name = rate_starts.name and gone.id = rate_starts.id where true${condition} ${startsInOrder(db)})`,
      params: [jsonText(gone)],
    });
  if (begun.length > 0)
    statements.push({
      text: `insert into rate_starts (name, id, at, likely_at, after_at) select name, id, at, likely_at, after_at
             from ${list(1, { name: 'text', id: 'text', at: 'time', likely_at: 'time', after_at: 'time' })} as begun where true${condition}`,
      params: [jsonText(begun)],
    });
  if (beginAt.size > 0)
    statements.push({
      text: `delete from rate_waits where id in ${listed(db, 1)}${condition}`,
      params: [listOf([...beginAt.keys()].map(({ holder }) => holder))],
    });
  return statements;
}

/** Joins statements that do not depend on each other's writes into one for PostgreSQL. They are named `written_0`, `written_1`, … */
function joined(statements: readonly Statement[], last: string): [text: string, params: readonly Value[]] {
  const values: Value[] = [];
  const parts = statements.map(({ text, params }, place) => {
    const before = values.length;
    values.push(...params);
    return `written_${place} as (${text.replaceAll(/\$(\d+)/g, (_, index: string) => `$${Number(index) + before}`)})`;
  });
  return [`with ${parts.join(', ')} ${last}`, values];
}
