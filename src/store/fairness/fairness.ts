/** Turns of keys, over a connection; see the contract. */
import type { Connection, Database } from '../connection.ts';
import { earlyMs } from '../../model/lease.ts';
import { listed, listOf, runsBy } from '../sql.ts';
import { jsonText } from '../storable.ts';
import type { FairLine, FairnessStore, FairPlace, FairTurn, PickOptions } from './contract.ts';

/** How much the pass of a key of weight 1 grows. */
const step = 1_000_000;
const maxCounted = 10_000;
/** Written as in the index: otherwise databases do not use it. */
const inLine = `fair_waits is not null and state_type = 'SCHEDULED' and owner is null and held is null and on_trial is null`;
const readyAt = 'coalesce(due_at, created_at)';

export function fairnessStore(connection: Connection): FairnessStore {
  return {
    pick: (line, options) => connection.transaction((db) => pickTurns(db, line, options)),
    place: (runId) => placeOf(connection, runId),
  };
}

/** Inside the transaction in which runs with these keys begin to wait, after they do: puts the keys in line. */
export async function lineUp(db: Database, rows: readonly (FairLine & { readonly key: string })[]): Promise<void> {
  const lines = new Map<string, { readonly line: FairLine; readonly keys: Set<string> }>();
  for (const { queue, priority, key } of rows) {
    const name = jsonText([queue, priority]);
    const known = lines.get(name) ?? { line: { queue, priority }, keys: new Set<string>() };
    lines.set(name, known);
    known.keys.add(key);
  }
  // In one order everywhere: lining up in the same lines in different orders would deadlock.
  for (const [, { line, keys }] of [...lines].sort(([left], [right]) => (left < right ? -1 : 1))) {
    await lockLine(db, line);
    await addKeys(db, line, `${db.fragments.list(3, { key: 'text' })} as listed`, listOf([...keys]));
  }
}

/** The same for any of these runs that wait for their turn again. */
export async function lineUpAgain(db: Database, ids: readonly string[]): Promise<void> {
  const rows = await db.query<FairLine & { readonly key: string }>(
    `select queue, priority, fair_key as key from runs where id in ${listed(db, 1)} and fair_waits is not null`,
    [listOf(ids)],
  );
  if (rows.length > 0) await lineUp(db, rows);
}

/** Deciding about a line waits for others that do. Returns its clock. */
async function lockLine(db: Database, { queue, priority }: FairLine): Promise<number> {
  const [row] = await db.query<{ clock: number }>(
    `insert into fair_lines (queue, priority, clock) values ($1, $2, 0)
     on conflict (queue, priority) do update set clock = fair_lines.clock returning clock`,
    [queue, priority],
  );
  return Number(row?.clock ?? 0);
}

/** @param from source of the keys, as `key`; `$3` stands for `value` */
async function addKeys(db: Database, { queue, priority }: FairLine, from: string, value: string): Promise<void> {
  await db.query(
    `insert into fair_keys (queue, priority, key, pass)
     select fair_lines.queue, fair_lines.priority, added.key, fair_lines.clock
     from (select distinct key from ${from}) as added join fair_lines on fair_lines.queue = $1 and fair_lines.priority = $2 where true
     on conflict (queue, priority, key) do update set wakes_at = null,
       pass = case when fair_keys.wakes_at is not null and fair_keys.pass < excluded.pass then excluded.pass else fair_keys.pass end`,
    [queue, priority, value],
  );
}

async function pickTurns(db: Database, line: FairLine, { count, tickets, weightOf }: PickOptions): Promise<readonly FairTurn[]> {
  const { queue, priority } = line;
  let clock = await lockLine(db, line);
  const began = clock;
  await addKeys(
    db,
    line,
    `(select fair_key as key from runs where id in ${listed(db, 3)} and queue = $1 and priority = $2 and ${inLine}) as waiting`,
    listOf(tickets),
  );
  await wakeKeys(db, line, clock);
  const turns: FairTurn[] = [];
  while (turns.length < count) {
    const [next] = await db.query<{ key: string; pass: number }>(
      'select key, pass from fair_keys where queue = $1 and priority = $2 and wakes_at is null order by pass, key limit 1',
      [queue, priority],
    );
    if (next === undefined) break;
    const pass = Number(next.pass);
    const taken = await takeFirst(db, line, next.key);
    // Just taken by another, or cancelled.
    if (taken === 'again') continue;
    clock = Math.max(clock, pass);
    if (taken === null)
      await db.query('delete from fair_keys where queue = $1 and priority = $2 and key = $3', [queue, priority, next.key]);
    else if ('wakesAt' in taken)
      await db.query('update fair_keys set wakes_at = $4 where queue = $1 and priority = $2 and key = $3', [
        ...[queue, priority, next.key],
        taken.wakesAt,
      ]);
    else {
      turns.push({ ...taken, key: next.key });
      const grown = pass + Math.max(1, Math.round(step / weightOf(taken.flow, next.key)));
      await db.query('update fair_keys set pass = $4 where queue = $1 and priority = $2 and key = $3', [queue, priority, next.key, grown]);
    }
  }
  if (clock !== began) await db.query('update fair_lines set clock = $3 where queue = $1 and priority = $2', [queue, priority, clock]);
  return turns;
}

/** Keys whose runs waited until an instant now past continue where the others are. */
async function wakeKeys(db: Database, { queue, priority }: FairLine, clock: number): Promise<void> {
  await db.query(
    `update fair_keys set wakes_at = null, pass = case when pass < $4 then $4 else pass end
     where queue = $2 and priority = $3 and wakes_at is not null and wakes_at <= ${db.fragments.now(1)} + ${earlyMs}`,
    [db.now(), queue, priority, clock],
  );
}

/** The first run of a key, taken out of its line; or when the next is due; null: none waits. */
async function takeFirst(
  db: Database,
  { queue, priority }: FairLine,
  key: string,
): Promise<Omit<FairTurn, 'key'> | { readonly wakesAt: number } | null | 'again'> {
  const [first] = await db.query<{ id: string; ready: number; is_due: number }>(
    `select id, ${readyAt} as ready, case when due_at is null or due_at <= ${db.fragments.now(1)} + ${earlyMs} then 1 else 0 end as is_due
     from ${runsBy(db, 'runs_fair')} where queue = $2 and priority = $3 and fair_key = $4 and ${inLine} order by ${readyAt}, id limit 1`,
    [db.now(), queue, priority, key],
  );
  if (first === undefined) return null;
  if (Number(first.is_due) === 0) return { wakesAt: Number(first.ready) };
  const [taken] = await db.query<{ id: string; epoch: number; flow: string }>(
    `update runs set fair_waits = null, epoch = epoch + 1, ticketed_at = ${db.fragments.now(1)} where id = $2 and ${inLine} returning id, epoch, flow`,
    [db.now(), first.id],
  );
  return taken ?? 'again';
}

/** See `FairnessStore.place`. */
async function placeOf(connection: Connection, runId: string): Promise<FairPlace | null> {
  const { query, fragments } = connection;
  const [run] = await query<FairLine & { readonly key: string; readonly ready: number }>(
    `select queue, priority, fair_key as key, ${readyAt} as ready from runs where id = $1 and ${inLine}`,
    [runId],
  );
  if (run === undefined) return null;
  const { queue, priority, key, ready } = run;
  const [ahead] = await query<{ count: number }>(
    `select count(*) as count from (
       select 1 as found from ${runsBy(connection, 'runs_fair')}
       where queue = $2 and priority = $3 and fair_key = $4 and ${inLine} and (due_at is null or due_at <= ${fragments.now(1)})
         and (${readyAt} < $5 or (${readyAt} = $5 and id < $6)) limit ${maxCounted}) as counted`,
    [connection.now(), queue, priority, key, ready, runId],
  );
  const [keys] = await query<{ count: number }>(
    `select count(*) as count from (
       select 1 as found from fair_keys where queue = $1 and priority = $2 and wakes_at is null limit ${maxCounted}) as counted`,
    [queue, priority],
  );
  return { key, ahead: Number(ahead?.count ?? 0), keys: Number(keys?.count ?? 0) };
}
