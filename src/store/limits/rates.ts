/** Rates, over a connection: who may begin, and who waits until when. */
import type { Connection, Database } from '../connection.ts';
import type { RateName } from '../../model/rate.ts';
import { forUpdate, listed, listOf } from '../sql.ts';
import { jsonText } from '../storable.ts';
import { boolean, describeTable, integer, text, textOrNull, time } from '../table.ts';
import { rateAdvance } from './rate-advance.ts';
import type { AskOptions, RateAnswer, RateStart, RateStore, RateWish } from './rate-contract.ts';
import { type Asking, decide, type Decision, type RateState } from './rate-places.ts';
import { turnsOf } from './rate-turns.ts';
import { rateViews, rateWaitsOf, tagRatesOf } from './rate-views.ts';
import { holdRates, lineKey, readRates, type RateStates } from './rate-windows.ts';
import { startsInOrder, untilOnDisk, writeDecision, writeUnlessChanged } from './rate-writes.ts';

/** What is recorded of a waiting wish, for each of its rates. */
const waitTable = describeTable('rate_waits', {
  name: text,
  id: text,
  run_id: text,
  task: textOrNull,
  priority: integer,
  since_at: time,
  next_at: time,
  several: boolean,
});

/** See `RateStore`. */
export function rateStore(connection: Connection): RateStore {
  // Frequent queries stay planned.
  const { dialect, url, fragments, prepared } = connection;
  const planned: Database = { dialect, url, fragments, query: prepared, now: () => connection.now() };
  return {
    ask: (wishes, options) => ask(connection, planned, wishes, options),
    started: (starts) => started(planned, starts),
    giveBack: (starts) => connection.transaction((db) => giveBack(db, starts)),
    async leave(holders) {
      const { fragments } = connection;
      await connection.query(`delete from rate_waits where id in ${listed(connection, 1)} and ${fragments.unwaited}`, [listOf(holders)]);
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

/** Wishes under the same rates, as they stood in line. */
interface Look {
  readonly asking: readonly Asking[];
  readonly states: RateStates;
  readonly decision: Decision;
}

/** How often a decision that others were quicker than is made again, before the rate is held. */
const triesAtOnce = 5;

/** Holds the rates as briefly as possible: wishes with no place in sight are answered without. */
async function ask(
  connection: Connection,
  planned: Database,
  wishes: readonly RateWish[],
  options: AskOptions,
): Promise<readonly RateAnswer[]> {
  const names = [...new Map(wishes.flatMap((wish) => wish.names.map((one) => [one.name, one] as const))).values()];
  if (names.length === 0) return wishes.map(() => ({ granted: true }));
  const look = (db: Database, at: number | null): Promise<Look> => lookAt(db, { names, wishes, at, aheadMs: options.aheadMs });
  const looked = await decided(connection, planned, names, look, options);
  const { asking, states, decision } = looked;
  const waiting = asking.filter(({ wish }) => !decision.beginAt.has(wish));
  const [turns] = await Promise.all([
    turnsOf(planned, waiting, states.states, states.at),
    // A place that the database could still forget is not used.
    decision.beginAt.size > 0 ? untilOnDisk(planned) : null,
  ]);
  const answers = new Map<RateWish, RateAnswer>();
  for (const { wish } of waiting) {
    const turn = turns.get(wish);
    const rate = states.states.get(decision.lacking.get(wish) ?? '') ?? turn?.rate;
    const nextAt = turn?.nextAt ?? states.at;
    if (rate !== undefined)
      answers.set(wish, {
        ...{ granted: false, waitMs: nextAt - states.at, nextAt },
        ...{ name: rate.name, limit: rate.limit, perMs: rate.perMs },
      });
  }
  await standInLine(planned, waiting, answers, states);
  return wishes.map((wish): RateAnswer => {
    const beginAt = decision.beginAt.get(wish);
    return answers.get(wish) ?? (beginAt === undefined ? { granted: true } : { granted: true, place: { at: states.at, beginAt } });
  });
}

/** What is decided, and written. The rates are held if there are several, or if others keep deciding in between. */
async function decided(
  connection: Connection,
  planned: Database,
  names: readonly RateName[],
  look: (db: Database, at: number | null) => Promise<Look>,
  { withinMs }: AskOptions,
): Promise<Look> {
  let looked = await look(planned, null);
  for (let tries = 0; tries < triesAtOnce && mayChange(looked); tries++) {
    const version = versionOf(planned, looked);
    if (version === null) break;
    if (await writeUnlessChanged(planned, looked.decision, version.rate, version.text, withinMs)) return looked;
    looked = await look(planned, null);
  }
  if (!mayChange(looked)) return looked;
  const { declared } = looked.states;
  return await connection.transaction(async (db) => {
    const held = await look(db, await holdRates(db, names, declared));
    await writeDecision(db, held.decision, held.states.states, withinMs);
    return held;
  });
}

/** Whether there is something to write: a wish gets a place, or a rate's record differs from its declaration. */
function mayChange({ asking, states, decision }: Look): boolean {
  return asking.length > 0 && (decision.beginAt.size > 0 || !states.isNoted);
}

/** That of the only rate, as declared; null if it has to be held. */
function versionOf({ dialect }: Database, { states }: Look): { readonly rate: RateState; readonly text: string } | null {
  const [rate, ...more] = states.states.values();
  if (rate === undefined || more.length > 0 || dialect === 'sqlite') return null;
  const text = states.versions.get(rate.name);
  return text === undefined ? null : { rate, text };
}

async function lookAt(
  db: Database,
  given: {
    readonly names: readonly RateName[];
    readonly wishes: readonly RateWish[];
    readonly at: number | null;
    readonly aheadMs: number;
  },
): Promise<Look> {
  const states = await readRates(db, { ...given, holders: given.wishes.map(({ holder }) => holder) });
  const asking = given.wishes.flatMap((wish): Asking[] => {
    const own = wish.names.filter(({ name }) => states.states.has(name));
    const since = own.map(({ name }) => [name, states.since.get(lineKey(name, wish.holder)) ?? states.at] as const);
    return own.length === 0 ? [] : [{ wish, since: new Map(since) }];
  });
  return { asking, states, decision: decide(asking, states.states, states.at, given.aheadMs) };
}

/** Waiters keep their place. In key order, as all who write several of these rows do. One statement. */
async function standInLine(
  { query, fragments }: Database,
  waiting: readonly Asking[],
  answers: ReadonlyMap<RateWish, RateAnswer>,
  { at, states }: RateStates,
): Promise<void> {
  const rows = waiting.flatMap(({ wish }) => {
    const { holder, runId, task, priority, names } = wish;
    const answer = answers.get(wish);
    const nextAt = answer?.granted === false ? answer.nextAt : at;
    const own = names.filter(({ name }) => states.has(name));
    const several = own.length > 1;
    return own.map(({ name }) =>
      waitTable.values({ name, id: holder, runId, task, priority: Math.round(priority), sinceAt: at, nextAt, several }),
    );
  });
  if (rows.length === 0) return;
  const columns = waitTable.columns.join(', ');
  await query(
    `insert into rate_waits (${columns}) select ${columns} from ${fragments.list(1, waitTable.kinds)} as wished where ${fragments.unwaited} order by name, id
     on conflict (name, id) do update set next_at = excluded.next_at, priority = excluded.priority, several = excluded.several`,
    [jsonText(rows)],
  );
}

async function started(db: Database, starts: readonly RateStart[]): Promise<void> {
  await db.query(
    `update rate_starts set at = begun_at, likely_at = begun_at from (
       select rate_starts.name as begun_name, rate_starts.id as begun_id, begun.at as begun_at
       from rate_starts join ${db.fragments.list(1, { id: 'text', at: 'time' })} as begun on begun.id = rate_starts.id ${startsInOrder(db)}
     ) as begun where name = begun_name and id = begun_id and at > begun_at and ${db.fragments.unwaited}`,
    [jsonText(starts.map(({ start, at }) => [start, at]))],
  );
}

async function giveBack(db: Database, starts: readonly string[]): Promise<void> {
  const those = `in ${listed(db, 1)}`;
  const given = [listOf(starts)];
  // The windows first, in order, as askers hold them. They are changed so that nobody decides by their old contents.
  await db.query(
    `update rate_windows set used = used where name in (
       select name from rate_windows where name in (select name from rate_starts where id ${those}) order by name ${forUpdate(db)})
       and ${db.fragments.unwaited}`,
    given,
  );
  // The place is as the start before it left it. Renamed, because it may be given back only once.
  await db.query(
    `update rate_starts set id = id || '~', at = after_at, likely_at = after_at, after_at = null where id ${those} and after_at is not null`,
    given,
  );
  const gone = await db.query<{ name: string }>(`delete from rate_starts where id ${those} returning name`, given);
  const names = [...new Set(gone.map(({ name }) => name))].sort();
  for (const name of names)
    await db.query('update rate_windows set used = used - $2 where name = $1', [name, gone.filter((row) => row.name === name).length]);
}
