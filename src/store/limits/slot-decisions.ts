/**
 * Decides who gets a slot of a limit on runs. Called inside a transaction that holds the limit, so that the counts stay true.
 *
 * Turns go by lanes: one for the runs of each queue and one for runs that wait in their processes, because a run whose queue nobody serves
 * must not block others.
 */
import type { Database } from '../connection.ts';
import type { Concurrency } from '../../model/deployment.ts';
import { waitText, takenText } from '../../model/limit.ts';
import { allWaiters, compareTurns, type Contender, declaredLimit, laneOf, slotHolders, slotWaiters } from './slot-rows.ts';

/** Most waiting runs considered when one takes the place of others. */
const maxReplaced = 1_000;

export interface Decision {
  readonly run: Contender;
  readonly kind: 'taken' | 'waits' | 'skipped';
  /** One sentence; null if it has its slot. */
  readonly message: string | null;
}

export interface Decisions {
  readonly decisions: readonly Decision[];
  /** Runs to be ended to make room, with the message they get. */
  readonly toCancel: readonly { readonly run: Contender; readonly message: string }[];
}

/** Decides about runs that want a slot of one limit now. */
export async function decideSlots(db: Database, key: string, contenders: readonly Contender[]): Promise<Decisions> {
  const [first] = contenders;
  const declared = first === undefined ? null : await declaredLimit(db, key, first);
  if (declared === null) return { decisions: contenders.map((run) => ({ run, kind: 'taken', message: null })), toCancel: [] };
  const asking = new Set(contenders.map(({ id }) => id));
  const holders = (await slotHolders(db, key)).filter(({ id }) => !asking.has(id));
  const places = new Places(db, key, declared, holders);
  const turns = [...contenders].sort(compareTurns);
  if (declared.onConflict === 'cancel-running') return await replaceOldest(places, turns);
  return { decisions: await inTurn(places, turns), toCancel: [] };
}

/** Slots of a limit while they are given out. */
class Places {
  readonly key: string;
  readonly declared: Concurrency;
  readonly holders: readonly Contender[];
  readonly #db: Database;
  free: number;

  constructor(db: Database, key: string, declared: Concurrency, holders: readonly Contender[]) {
    this.#db = db;
    this.key = key;
    this.declared = declared;
    this.holders = holders;
    this.free = Math.max(0, declared.limit - holders.length);
  }

  /** The first in line of a lane, including the askers. */
  async firstOf(lane: string | null, asking: readonly Contender[]): Promise<readonly Contender[]> {
    if (this.free === 0) return [];
    const standing = await slotWaiters(this.#db, this.key, lane, this.free + asking.length);
    const ids = new Set(asking.map(({ id }) => id));
    return [...standing.filter(({ id }) => !ids.has(id)), ...asking].sort(compareTurns).slice(0, this.free);
  }

  /** Waiters in any lane, longest waiting first. */
  waiters(): Promise<readonly Contender[]> {
    return allWaiters(this.#db, this.key, maxReplaced);
  }

  message(taken: readonly Contender[]): string {
    const all = [...this.holders, ...taken];
    return waitText(this.key, all.length, this.declared.limit, namesOf(all));
  }

  skipMessage(taken: readonly Contender[]): string {
    const all = [...this.holders, ...taken];
    return `The limit ${this.key} was used up (${takenText(all.length, this.declared.limit, namesOf(all))}), and its runs do not wait.`;
  }
}

/** Each in its turn. Only a run that never began can be dropped. */
async function inTurn(places: Places, turns: readonly Contender[]): Promise<Decision[]> {
  const lanes = new Map<string | null, Contender[]>();
  for (const run of turns) lanes.set(laneOf(run), [...(lanes.get(laneOf(run)) ?? []), run]);
  const taken: Contender[] = [];
  for (const [lane, asking] of lanes) {
    const granted = new Set((await places.firstOf(lane, asking)).map(({ id }) => id));
    for (const run of asking) {
      if (!granted.has(run.id)) continue;
      taken.push(run);
      places.free--;
    }
  }
  const skips = places.declared.onConflict === 'skip';
  return turns.map((run) => {
    if (taken.includes(run)) return { run, kind: 'taken', message: null };
    if (skips && run.started_at === null) return { run, kind: 'skipped', message: places.skipMessage(taken) };
    return { run, kind: 'waits', message: places.message(taken) };
  });
}

/** One after the other: each that never began ends as many of the oldest others as stand in its way. */
async function replaceOldest(places: Places, turns: readonly Contender[]): Promise<Decisions> {
  const { declared, key } = places;
  const decisions = new Map<string, Decision>();
  const toCancel: { run: Contender; message: string }[] = [];
  const active = [...places.holders.filter(({ state_type }) => state_type !== 'CANCELLING')];
  const asking = new Set(turns.map(({ id }) => id));
  const waiting = (await places.waiters()).filter(({ id }) => !asking.has(id));
  active.push(...waiting);
  const taken: Contender[] = [];
  for (const run of [...turns].sort((a, b) => a.since - b.since || compareTurns(a, b))) {
    const isNew = run.started_at === null && run.state_name !== 'AwaitingSlot';
    const excess = isNew ? active.length + 1 - declared.limit : 0;
    for (const old of active.splice(0, Math.max(0, excess))) {
      const message = `It made room for ${run.name} under the limit ${key}.`;
      const at = taken.indexOf(old);
      if (at >= 0) {
        taken.splice(at, 1);
        places.free++;
      }
      if (decisions.has(old.id)) decisions.set(old.id, { run: old, kind: 'skipped', message });
      else toCancel.push({ run: old, message });
    }
    active.push(run);
    const ahead = active.filter(
      (other) => other !== run && !taken.includes(other) && !places.holders.includes(other) && laneOf(other) === laneOf(run),
    );
    if (places.free > ahead.filter((other) => compareTurns(other, run) < 0).length) {
      places.free--;
      taken.push(run);
      decisions.set(run.id, { run, kind: 'taken', message: null });
    } else decisions.set(run.id, { run, kind: 'waits', message: places.message(taken) });
  }
  return { decisions: turns.flatMap(({ id }) => decisions.get(id) ?? []), toCancel };
}

function namesOf(runs: readonly Contender[]): string[] {
  return runs.map(({ name }) => name);
}
