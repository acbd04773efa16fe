/** Rates, over a connection: who may begin, who waits until when. */
import type { Connection, Database } from '../connection.ts';
import type { RateName } from '../../model/rate.ts';
import { listed, listOf } from '../sql.ts';
import { jsonText } from '../storable.ts';
import { describeTable, integer, text, textOrNull } from '../table.ts';
import { rateAdvance } from './rate-advance.ts';
import type { RateAnswer, RateStore, RateWish } from './rate-contract.ts';
import { rateViews, rateWaitsOf, tagRatesOf } from './rate-views.ts';
import { declaredRate, RateWindow, type Waiting } from './rate-windows.ts';

/** What a wish says of each rate it is under. */
const wishTable = describeTable('rate_waits', { name: text, id: text, run_id: text, task: textOrNull, priority: integer });

/** See `RateStore`. */
export function rateStore(connection: Connection): RateStore {
  return {
    ask: (wishes, withinMs) => connection.transaction((db) => ask(db, wishes, withinMs)),
    async started(starts) {
      const { query, fragments } = connection;
      await query(
        `update rate_starts set at = ${fragments.now(2)}, likely_at = ${fragments.now(2)}
         where id in ${listed(connection, 1)} and at > ${fragments.now(2)}`,
        [listOf(starts), connection.now()],
      );
    },
    giveBack: (starts) => connection.transaction((db) => giveBack(db, starts)),
    async leave(holders) {
      await connection.query(`delete from rate_waits where id in ${listed(connection, 1)}`, [listOf(holders)]);
    },
    advance: rateAdvance(connection),
    tagRates: () => tagRatesOf(connection),
    async setTagRate(name, { limit, perMs, key }) {
      await connection.query(
        `insert into rates (name, starts, per_ms, key, updated_at) values ($1, $2, $3, $4, ${connection.fragments.now(5)})
         on conflict (name) do update set starts = excluded.starts, per_ms = excluded.per_ms, key = excluded.key, updated_at = excluded.updated_at`,
        [name, limit, perMs, key, connection.now()],
      );
    },
    deleteTagRate: async (name) => (await connection.query('delete from rates where name = $1 returning name', [name])).length > 0,
    views: () => rateViews(connection),
    waitsOf: (runId) => rateWaitsOf(connection, runId),
  };
}

async function ask(db: Database, wishes: readonly RateWish[], withinMs: number): Promise<readonly RateAnswer[]> {
  const windows = await holdWindows(db, wishes);
  const at = Math.max(0, ...[...windows.values()].map(({ heldAt }) => heldAt));
  for (const window of windows.values()) await window.passTo(at);
  const asking = wishes.filter(({ names }) => names.some(({ name }) => windows.has(name)));
  const line = await standInLine(db, asking, windows, at);
  const granted = await grant(asking, windows, withinMs);
  await leaveLine(db, granted);
  const turns = await turnsOf(db, { asking, granted, windows, line, at });
  for (const window of windows.values()) await window.keep();
  return wishes.map((wish): RateAnswer => turns.get(wish) ?? { granted: true });
}

/** In the order of names, so that two which need the same do not wait for each other in a circle. Rates that nothing declares any more are none. */
async function holdWindows(db: Database, wishes: readonly RateWish[]): Promise<ReadonlyMap<string, RateWindow>> {
  const names = new Map<string, RateName>();
  for (const wish of wishes) for (const one of wish.names) names.set(one.name, one);
  const declared = new Map<string, Awaited<ReturnType<typeof declaredRate>>>();
  for (const { base } of names.values()) if (!declared.has(base)) declared.set(base, await declaredRate(db, base));
  const windows = new Map<string, RateWindow>();
  for (const one of [...names.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const rate = declared.get(one.base);
    if (rate) windows.set(one.name, await RateWindow.hold(db, one, rate));
  }
  return windows;
}

/** Since when each waits, by its id: whoever waited before keeps its place. */
async function standInLine(
  db: Database,
  wishes: readonly RateWish[],
  windows: ReadonlyMap<string, RateWindow>,
  at: number,
): Promise<ReadonlyMap<string, number>> {
  const rows = wishes.flatMap(({ holder, runId, task, priority, names }) =>
    names
      .filter(({ name }) => windows.has(name))
      .map(({ name }) => wishTable.values({ name, id: holder, runId, task, priority: Math.round(priority) })),
  );
  if (rows.length === 0) return new Map();
  const standing = await db.query<{ id: string; since: number }>(
    `insert into rate_waits (name, id, run_id, task, priority, since_at, next_at)
     select name, id, run_id, task, priority, $2, $2 from ${db.fragments.list(1, wishTable.kinds)} as wished where true
     on conflict (name, id) do update set next_at = excluded.next_at, priority = excluded.priority returning id, since_at as since`,
    [jsonText(rows), at],
  );
  return new Map(standing.map(({ id, since }) => [id, Number(since)]));
}

/** Those who are among the first of every line they stand in. */
async function grant(
  asking: readonly RateWish[],
  windows: ReadonlyMap<string, RateWindow>,
  withinMs: number,
): Promise<ReadonlySet<RateWish>> {
  const granted = new Set<RateWish>();
  const starts = new Map<RateWindow, string[]>();
  for (const wish of asking) {
    const all = wish.names.flatMap(({ name }) => windows.get(name) ?? []);
    if (!(await isFirstOf(all, wish))) continue;
    granted.add(wish);
    for (const window of all) starts.set(window, [...(starts.get(window) ?? []), wish.start]);
  }
  for (const [window, ids] of starts) await window.begin(ids, withinMs);
  return granted;
}

/** One after the other: they share a connection. */
async function isFirstOf(windows: readonly RateWindow[], { holder }: RateWish): Promise<boolean> {
  for (const window of windows) if (!(await window.first()).has(holder)) return false;
  return true;
}

async function leaveLine(db: Database, granted: ReadonlySet<RateWish>): Promise<void> {
  if (granted.size === 0) return;
  await db.query(`delete from rate_waits where id in ${listed(db, 1)}`, [listOf([...granted].map(({ holder }) => holder))]);
}

interface Asked {
  readonly asking: readonly RateWish[];
  readonly granted: ReadonlySet<RateWish>;
  readonly windows: ReadonlyMap<string, RateWindow>;
  readonly line: ReadonlyMap<string, number>;
  readonly at: number;
}

/** When the others ask again, which is noted: where a wish is under several rates, by the one that is last to have room. */
async function turnsOf(db: Database, { asking, granted, windows, line, at }: Asked): Promise<ReadonlyMap<RateWish, RateAnswer>> {
  const answers = new Map<RateWish, RateAnswer & { readonly granted: false }>();
  for (const window of windows.values()) {
    const { name, limit, perMs } = window;
    const waiting = asking
      .filter((wish) => !granted.has(wish) && wish.names.some((one) => one.name === name))
      .map((wish) => ({ wish, id: wish.holder, priority: Math.round(wish.priority), since: line.get(wish.holder) ?? at }))
      .sort(compareTurns);
    const turns = await window.turnsOf(waiting);
    for (const [place, { wish }] of waiting.entries()) {
      const nextAt = turns[place] ?? at;
      if (nextAt > (answers.get(wish)?.nextAt ?? 0)) answers.set(wish, { granted: false, waitMs: nextAt - at, nextAt, name, limit, perMs });
    }
  }
  if (answers.size > 0)
    await db.query(
      `update rate_waits set next_at = asked.next_at from ${db.fragments.list(1, { name: 'text', id: 'text', next_at: 'time' })} as asked
       where rate_waits.name = asked.name and rate_waits.id = asked.id`,
      [
        jsonText(
          [...answers].flatMap(([{ holder, names }, { nextAt }]) =>
            names.filter(({ name }) => windows.has(name)).map(({ name }) => [name, holder, nextAt]),
          ),
        ),
      ],
    );
  return answers;
}

function compareTurns(a: Waiting, b: Waiting): number {
  return b.priority - a.priority || a.since - b.since || (a.id < b.id ? -1 : 1);
}

async function giveBack(db: Database, starts: readonly string[]): Promise<void> {
  // The windows first, in order, as whoever asks holds them.
  const names = await db.query<{ name: string }>(`select distinct name from rate_starts where id in ${listed(db, 1)} order by name`, [
    listOf(starts),
  ]);
  for (const { name } of names) {
    await db.query('update rate_windows set used = used where name = $1', [name]);
    const gone = await db.query(`delete from rate_starts where name = $2 and id in ${listed(db, 1)} returning 1 as gone`, [
      listOf(starts),
      name,
    ]);
    await db.query('update rate_windows set used = used - $2 where name = $1', [name, gone.length]);
  }
}
