/** Estimates when waiters get their turn, from the starts that will have left the window by then. */
import type { Database } from '../connection.ts';
import { jsonText } from '../storable.ts';
import { type Asking, compareTurns, type RateState, waitingOf } from './rate-places.ts';
import type { RateWish } from './rate-contract.ts';

/** Starts read, and waiters counted, to say when a turn comes; beyond that, it is estimated. */
const maxLooked = 1_000;
const maxAhead = 10_000;
/** The nearest turn announced, ms from now: the asker is expected until then. */
const leastMs = 50;

/** When a wish gets its turn, and by which rate. */
export interface Turn {
  readonly rate: RateState;
  readonly nextAt: number;
}

/** Turns of these: for a wish under several rates, that of the last to have room. One statement per rate. */
export async function turnsOf(
  db: Database,
  asking: readonly Asking[],
  states: ReadonlyMap<string, RateState>,
  at: number,
): Promise<ReadonlyMap<RateWish, Turn>> {
  const turns = new Map<RateWish, Turn>();
  for (const rate of states.values()) {
    const waiting = asking
      .filter(({ wish }) => wish.names.some(({ name }) => name === rate.name))
      .map((one) => {
        const { id, priority, since } = waitingOf(one, rate.name);
        return { wish: one.wish, id, priority, since: Math.min(since, at) };
      })
      .sort(compareTurns);
    const places = await instants(db, rate, waiting, at);
    for (const [place, { wish }] of waiting.entries()) {
      const nextAt = places[place] ?? at;
      if (nextAt > (turns.get(wish)?.nextAt ?? 0)) turns.set(wish, { rate, nextAt });
    }
  }
  return turns;
}

interface Looked {
  readonly kind: 'first' | 'last' | 'start';
  readonly at: number;
}

/** @param waiting in the order of turns */
async function instants(
  { query, fragments }: Database,
  { name, limit, perMs, used }: RateState,
  waiting: readonly { readonly id: string; readonly priority: number; readonly since: number }[],
  at: number,
): Promise<readonly number[]> {
  const [first, last] = [waiting[0], waiting.at(-1)];
  if (!first || !last) return [];
  const asked = [first, last].map(({ id, priority, since }, place) => [place === 0 ? 'first' : 'last', priority, since, id]);
  const rows = await query<Looked>(
    `select kind, (select count(*) from (
       select 1 from rate_waits where name = $1 and (priority > asked.priority
         or (priority = asked.priority and (since_at < asked.since or (since_at = asked.since and id < asked.id)))) limit ${maxAhead}) as those) as at
     from ${fragments.list(2, { kind: 'text', priority: 'integer', since: 'integer', id: 'text' })} as asked
     union all select 'start', at from (select likely_at as at from rate_starts where name = $1 order by at limit ${maxLooked}) as starts`,
    [name, jsonText(asked)],
  );
  const from = Number(rows.find(({ kind }) => kind === 'first')?.at ?? 0);
  const to = Number(rows.find(({ kind }) => kind === 'last')?.at ?? 0);
  const starts = rows.flatMap((row) => (row.kind === 'start' ? Number(row.at) : []));
  const over = starts.filter((start) => start < at - perMs).length;
  const counted = Math.max(used, starts.length) - over;
  const looked = starts.slice(over).sort((a, b) => a - b);
  // Between the first and the last, even spacing is assumed.
  const step = waiting.length === 1 ? 0 : Math.max(1, (to - from) / (waiting.length - 1));
  return waiting.map((_, index) => {
    const place = Math.floor(from + index * step) - (limit - counted);
    if (place < 0) return at + leastMs;
    const cycle = Math.max(limit, counted);
    const start = likelyStart(looked, place % cycle, counted, at);
    return Math.max(at + leastMs, start + perMs * (Math.floor(place / cycle) + 1) + 1);
  });
}

/** When the start began whose place is the `place`th to be free. */
function likelyStart(starts: readonly number[], place: number, counted: number, at: number): number {
  const known = starts[place];
  if (known !== undefined) return known;
  const last = starts.at(-1);
  // Free places begin now; starts that were not read, in between.
  if (last === undefined || place >= counted) return at;
  return last + Math.floor((Math.max(0, at - last) * (place - starts.length + 1)) / (counted - starts.length + 1));
}
