/**
 * Maintains the sums over ended runs.
 *
 * A sum holds the runs that were created in its hour and had ended before `endedUntil`; every hour before `createdUntil` has sums. Both
 * instants move on together, in one transaction with the sums, so readers add exactly what is missing: runs created later, and runs that
 * ended later. They stay 10 minutes behind the clock, because the end of a run is stamped before it is recorded, and on another machine.
 * Deleting or opening an ended run by hand marks its hour, which is then summed up again; what retention deletes stays in the sums.
 */
import { clockOf, forUpdate } from '../sql.ts';
import type { Database, Connection } from '../connection.ts';
import type { FigureKind } from './contract.ts';
import { dayMs, hourMs, liveEnded, mergeEnded, type LiveWish, type Stretch } from './live.ts';
import { readAllSums, readDone, staleHours, writeSums, type Done, type Sum } from './sums.ts';

const kinds: readonly FigureKind[] = ['all', 'flow', 'deployment'];
/** How far the record of an end may be behind its stamp. */
const settleMs = 600_000;
/** Sums are kept for 400 days. */
const keepMs = 400 * dayMs;

/** See `FigureStore.rollUp`. */
export async function rollUp(connection: Connection, maxHours: number): Promise<{ readonly doneUntil: number; readonly more: boolean }> {
  return await connection.transaction(async (db) => {
    const before = await readDone(db, forUpdate(db));
    const endedUntil = Math.max(before.endedUntil, (await clockOf(db)) - settleMs);
    const until = Math.max(before.createdUntil, Math.floor(endedUntil / hourMs) * hourMs);

    const late = await addLateEnds(db, before, endedUntil);
    const stale = await staleHours(db, { fromAt: 0, untilAt: before.createdUntil }, maxHours);
    for (const at of stale) await sumAgain(db, at, endedUntil);
    const fresh = await nextStretch(db, before.createdUntil, until, maxHours - stale.length);
    await writeSums(db, await summed(db, { endedUntil }, fresh));
    const done: Done = { createdUntil: fresh.untilAt, endedUntil };

    await sumDays(db, daysOf([...late, ...stale], fresh, done));
    await db.query('update run_figures_done set created_until = $1, ended_until = $2 where id = 1', [done.createdUntil, done.endedUntil]);
    await db.query('delete from run_figures where at < $1', [done.createdUntil - keepMs]);
    return { doneUntil: done.createdUntil, more: done.createdUntil < until || stale.length >= maxHours };
  });
}

/** Adds runs that ended since to hours already summed up; returns these hours. */
async function addLateEnds(db: Database, before: Done, endedUntil: number): Promise<number[]> {
  const added = await summed(db, { endedFrom: before.endedUntil, endedUntil }, { fromAt: 0, untilAt: before.createdUntil });
  const hours = [...new Set(added.map(({ at }) => at))];
  for (const at of hours) {
    const held = await readAllSums(db, hourMs, { fromAt: at, untilAt: at + hourMs });
    await writeSums(db, together(hourMs, [...held, ...added.filter((sum) => sum.at === at)]));
  }
  return hours;
}

async function sumAgain(db: Database, at: number, endedUntil: number): Promise<void> {
  await db.query('delete from run_figures_stale where at = $1', [at]);
  await db.query('delete from run_figures where span = $1 and at = $2', [hourMs, at]);
  await writeSums(db, await summed(db, { endedUntil }, { fromAt: at, untilAt: at + hourMs }));
}

/** The next past hours; those before the first run are skipped. */
async function nextStretch({ query }: Database, from: number, until: number, maxHours: number): Promise<Stretch> {
  const [next] = await query<{ at: number | null }>('select min(created_at) as at from runs where created_at >= $1 and created_at < $2', [
    from,
    until,
  ]);
  if (next === undefined || next.at === null) return { fromAt: until, untilAt: until };
  const first = Math.max(from, next.at - (next.at % hourMs));
  return { fromAt: first, untilAt: Math.min(until, first + Math.max(0, maxHours) * hourMs) };
}

async function summed(db: Database, ended: Pick<LiveWish, 'endedFrom' | 'endedUntil'>, stretch: Stretch): Promise<Sum[]> {
  if (stretch.fromAt >= stretch.untilAt) return [];
  const sums: Sum[] = [];
  for (const kind of kinds) {
    const rows = await liveEnded(db, { kind, by: 'hour', ...ended }, [stretch]);
    sums.push(...rows.map((row) => ({ ...row, kind, span: hourMs })));
  }
  return sums;
}

/** Complete days of which some hours have changed. */
function daysOf(hours: readonly number[], fresh: Stretch, { createdUntil }: Done): number[] {
  const days = new Set(hours.map((at) => at - (at % dayMs)));
  for (let day = fresh.fromAt - (fresh.fromAt % dayMs); day < fresh.untilAt; day += dayMs) days.add(day);
  return [...days].filter((day) => day + dayMs <= createdUntil);
}

async function sumDays(db: Database, days: readonly number[]): Promise<void> {
  for (const day of days) {
    await db.query('delete from run_figures where span = $1 and at = $2', [dayMs, day]);
    const hours = (await readAllSums(db, hourMs, { fromAt: day, untilAt: day + dayMs })).map((sum) => ({ ...sum, at: day }));
    await writeSums(db, together(dayMs, hours));
  }
}

function together(span: number, sums: readonly Sum[]): Sum[] {
  const ofKind = (kind: FigureKind): Sum[] => mergeEnded(sums.filter((sum) => sum.kind === kind)).map((row) => ({ ...row, kind, span }));
  return kinds.flatMap(ofKind);
}
