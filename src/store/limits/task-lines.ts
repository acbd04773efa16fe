/** The lines in which tasks wait for slots, and whose turn it is. Used inside the deciding transaction. */
import type { Database } from '../connection.ts';
import { listed, listOf, openList } from '../sql.ts';

/** Whether the claim under which a row of `limit_slots` was written still holds; otherwise the row is a leftover. */
export const validSlot = `(
  (limit_slots.spread = 0 and exists (select 1 from runs where runs.id = limit_slots.run_id and runs.epoch = limit_slots.epoch
    and runs.owner is not null and runs.state_type in (${openList})))
  or (limit_slots.spread = 1 and exists (select 1 from spread_tasks where spread_tasks.id = limit_slots.holder_id
    and spread_tasks.epoch = limit_slots.epoch and spread_tasks.stage = 'held')))`;

/** Most turns of one limit at once. */
const maxTurns = 10_000;

interface Waiter {
  readonly holder_id: string;
  readonly owner_id: string;
  /** Limits still waited for. */
  readonly needs: number;
  readonly valid: number;
}

interface Line {
  /** The first in line, as many as there are free slots. */
  readonly first: readonly Waiter[];
  readonly ids: ReadonlySet<string>;
}

export class TaskLines {
  readonly #db: Database;
  readonly #lines = new Map<string, Line>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** Gives free slots of these limits to the next in line. Returns the processes that got slots. */
  async giveOn(names: readonly string[], at: number): Promise<readonly string[]> {
    const turns = new Set<string>();
    for (const name of [...names].sort())
      for (const waiter of (await this.#lineOf(name)).first) if (await this.#hasAll(waiter)) turns.add(waiter.holder_id);
    this.#lines.clear();
    if (turns.size === 0) return [];
    const given = await this.#db.query<{ owner_id: string }>(
      `update limit_slots set held_since = $2
       where held_since is null and holder_id in ${listed(this.#db, 1)}
       returning owner_id`,
      [listOf([...turns]), at],
    );
    return [...new Set(given.map(({ owner_id }) => owner_id))];
  }

  /** State of a limit: its slots (null if there is no such limit), and the runs that hold them, longest first. */
  async standing(
    name: string,
    maxNames: number,
  ): Promise<{ readonly slots: number | null; readonly holders: { readonly count: number; readonly names: readonly string[] } }> {
    const rows = await this.#db.query<{ run: string | null; held: number }>(
      `select runs.name as run, count(*) over () as held from limit_slots left join runs on runs.id = limit_slots.run_id
       where limit_slots.name = $1 and held_since is not null order by held_since, holder_id limit $2`,
      [name, maxNames],
    );
    return {
      slots: await this.#slotsOf(name),
      holders: { count: Number(rows[0]?.held ?? 0), names: rows.flatMap(({ run }) => run ?? []) },
    };
  }

  /** Whether it is among the first of every line it is in. */
  async #hasAll(waiter: Waiter): Promise<boolean> {
    if (Number(waiter.needs) === 1) return true;
    const rows = await this.#db.query<{ name: string }>('select name from limit_slots where holder_id = $1 and held_since is null', [
      waiter.holder_id,
    ]);
    for (const { name } of rows) if (!(await this.#lineOf(name)).ids.has(waiter.holder_id)) return false;
    return true;
  }

  async #lineOf(name: string): Promise<Line> {
    const known = this.#lines.get(name);
    if (known) return known;
    const free = await this.#freeOf(name);
    const first = free > 0 ? await this.#firstOf(name, free) : [];
    const line = { first, ids: new Set(first.map(({ holder_id }) => holder_id)) };
    this.#lines.set(name, line);
    return line;
  }

  async #slotsOf(name: string): Promise<number | null> {
    const [limit] = await this.#db.query<{ slots: number }>('select slots from limits where name = $1', [name]);
    return limit === undefined ? null : Number(limit.slots);
  }

  async #freeOf(name: string): Promise<number> {
    const slots = await this.#slotsOf(name);
    if (slots === null) return maxTurns;
    await this.#db.query(`delete from limit_slots where name = $1 and held_since is not null and not ${validSlot}`, [name]);
    const [held] = await this.#db.query<{ count: number }>(
      'select count(*) as count from limit_slots where name = $1 and held_since is not null',
      [name],
    );
    return Math.min(maxTurns, slots - Number(held?.count ?? 0));
  }

  /** Leftover rows are cleared away on the way. */
  async #firstOf(name: string, free: number): Promise<readonly Waiter[]> {
    for (;;) {
      const rows = await this.#db.query<Waiter>(
        `select holder_id, owner_id, case when ${validSlot} then 1 else 0 end as valid,
           (select count(*) from limit_slots as other where other.holder_id = limit_slots.holder_id and other.held_since is null) as needs
         from limit_slots where name = $1 and held_since is null and not exists (
           select 1 from limit_slots as other join limits on limits.name = other.name
           where other.holder_id = limit_slots.holder_id and other.held_since is null and limits.slots = 0)
         order by priority desc, waiting_since, holder_id limit $2`,
        [name, free],
      );
      const left = rows.filter(({ valid }) => valid === 0);
      if (left.length === 0) return rows;
      await this.#db.query(`delete from limit_slots where held_since is null and holder_id in ${listed(this.#db, 1)}`, [
        listOf(left.map(({ holder_id }) => holder_id)),
      ]);
    }
  }
}
