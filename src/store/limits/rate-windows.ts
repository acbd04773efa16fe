/** The window of one rate inside the transaction that decides: what counts, what is free, whose turn it is, and when others have theirs. */
import type { Database } from '../connection.ts';
import type { RateName } from '../../model/rate.ts';
import { listed, listOf } from '../sql.ts';
import { readRate } from '../read-json.ts';

/** One that waits and does not ask within this time of its instant keeps nobody from their turn, ms. */
export const absentAfterMs = 500;
/** How long a start probably takes to be confirmed, ms. */
const likelyMs = 10;
/** Between two questions of whoever might begin at any moment, and of one that only waits for others to come or not, ms. */
const leastWaitMs = 10;
const behindWaitMs = 25;
/** Starts that are looked at, and waiters that are counted, to say when a turn comes; beyond, it is reckoned. */
const maxLooked = 1_000;
const maxAhead = 10_000;

/** Order of turns; `$2` priority, `$3` since, `$4` id of whoever is before. */
const before = 'name = $1 and (priority > $2 or (priority = $2 and (since_at < $3 or (since_at = $3 and id < $4))))';

export interface Waiting {
  readonly id: string;
  readonly priority: number;
  readonly since: number;
}

/** What declares a rate now; null when nothing does any more. One statement. */
export async function declaredRate({ query }: Database, base: string): Promise<{ readonly limit: number; readonly perMs: number } | null> {
  const [kind, name] = [base.slice(0, base.indexOf(':')), base.slice(base.indexOf(':') + 1)];
  if (kind === 'tag') {
    const [row] = await query<{ starts: number; per_ms: number }>('select starts, per_ms from rates where name = $1', [base]);
    return row === undefined ? null : { limit: Number(row.starts), perMs: Number(row.per_ms) };
  }
  const table = kind === 'deployment' ? 'deployments' : 'flows';
  const [row] = await query<{ rate: string | null }>(`select rate_limit as rate from ${table} where name = $1`, [name]);
  return row === undefined || row.rate === null ? null : readRate(row.rate);
}

export class RateWindow {
  readonly name: string;
  readonly limit: number;
  readonly perMs: number;
  readonly #db: Database;
  /** As it is in the database. */
  readonly #counted: number;
  #used: number;
  /** When it was held, UTC epoch ms. */
  readonly heldAt: number;
  #at = 0;
  #first: ReadonlySet<string> | null = null;
  #starts: readonly number[] | null = null;

  private constructor(
    db: Database,
    name: string,
    { limit, perMs }: { readonly limit: number; readonly perMs: number },
    { used, at }: { readonly used: number; readonly at: number },
  ) {
    this.#db = db;
    this.name = name;
    this.limit = limit;
    this.perMs = perMs;
    this.#counted = used;
    this.#used = used;
    this.heldAt = at;
  }

  /** Holds the window until the transaction ends. Windows are to be held in the order of their names. */
  static async hold(
    db: Database,
    { name, base }: RateName,
    declared: { readonly limit: number; readonly perMs: number },
  ): Promise<RateWindow> {
    const { limit, perMs } = declared;
    const now = db.fragments.now(5);
    // The clock is read once the row is held: whoever waited for it comes later.
    const [row] = await db.query<{ used: number; at: number }>(
      `insert into rate_windows (name, base, used, starts, per_ms, touched_at) values ($1, $2, 0, $3, $4, ${now})
       on conflict (name) do update set starts = excluded.starts, per_ms = excluded.per_ms, touched_at = ${now}
       returning used, ${now} as at`,
      [name, base, limit, perMs, db.now()],
    );
    return new RateWindow(db, name, declared, { used: Number(row?.used ?? 0), at: Number(row?.at ?? 0) });
  }

  /** Starts that count. */
  get used(): number {
    return this.#used;
  }

  get free(): number {
    return this.limit - this.#used;
  }

  /** Lets go of what counts no more at this instant, at which all windows are held. */
  async passTo(at: number): Promise<void> {
    this.#at = at;
    // The last millisecond of the window has to be over.
    const gone = await this.#db.query('delete from rate_starts where name = $1 and at < $2 returning 1 as gone', [
      this.name,
      at - this.perMs,
    ]);
    this.#used -= gone.length;
  }

  /** Those whose turn it is: present, or expected at this moment. */
  async first(): Promise<ReadonlySet<string>> {
    if (this.#first) return this.#first;
    const rows =
      this.free <= 0
        ? []
        : await this.#db.query<{ id: string }>(
            `select id from rate_waits where name = $1 and next_at <= $2 and next_at > $3 order by priority desc, since_at, id limit $4`,
            [this.name, this.#at, this.#at - absentAfterMs, this.free],
          );
    this.#first = new Set(rows.map(({ id }) => id));
    return this.#first;
  }

  /** Notes starts that are about to happen, within so many milliseconds. */
  async begin(starts: readonly string[], withinMs: number): Promise<void> {
    await this.#db.query(`insert into rate_starts (name, id, at, likely_at) select $2, item, $3, $4 from ${listed(this.#db, 1)} as began`, [
      listOf(starts),
      this.name,
      this.#at + withinMs,
      this.#at + likelyMs,
    ]);
    this.#starts = null;
    this.#used += starts.length;
  }

  /** Writes how many count now. */
  async keep(): Promise<void> {
    if (this.#used !== this.#counted) await this.#db.query('update rate_windows set used = $2 where name = $1', [this.name, this.#used]);
  }

  /** When these, which are in order of turns, probably begin. */
  async turnsOf(waiting: readonly Waiting[]): Promise<readonly number[]> {
    const [first, last] = [waiting[0], waiting.at(-1)];
    if (!first || !last) return [];
    const from = await this.#ahead(first);
    // Between the first and the last of them others stand evenly enough.
    const step = waiting.length === 1 ? 0 : Math.max(1, ((await this.#ahead(last)) - from) / (waiting.length - 1));
    const turns: number[] = [];
    for (let place = 0; place < waiting.length; place++) turns.push(await this.#turn(Math.floor(from + place * step)));
    return turns;
  }

  async #ahead({ priority, since, id }: Waiting): Promise<number> {
    const [row] = await this.#db.query<{ ahead: number }>(
      `select count(*) as ahead from (select 1 from rate_waits where ${before} limit ${maxAhead}) as those`,
      [this.name, priority, since, id],
    );
    return Number(row?.ahead ?? 0);
  }

  /** @param ahead how many begin before it */
  async #turn(ahead: number): Promise<number> {
    const place = ahead - this.free;
    if (place < 0) return this.#at + behindWaitMs;
    const cycle = Math.max(this.limit, this.#used);
    const round = Math.floor(place / cycle);
    return Math.max(this.#at + leastWaitMs, (await this.#likelyStart(place % cycle)) + this.perMs * (round + 1) + 1);
  }

  /** When the start began whose place is the `place`th to be free. */
  async #likelyStart(place: number): Promise<number> {
    if (this.#starts === null) {
      const rows = await this.#db.query<{ at: number }>(
        `select likely_at as at from rate_starts where name = $1 order by at limit ${maxLooked}`,
        [this.name],
      );
      this.#starts = rows.map(({ at }) => Number(at));
    }
    const known = this.#starts[place];
    if (known !== undefined) return known;
    const last = this.#starts.at(-1);
    // What is free now begins now; what was not looked at, in between.
    if (last === undefined || place >= this.#used) return this.#at;
    return last + Math.floor(((this.#at - last) * (place - this.#starts.length + 1)) / (this.#used - this.#starts.length + 1));
  }
}
