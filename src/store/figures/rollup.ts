/**
 * Keeps the sums over ended runs.
 *
 * A sum holds the runs that were created in its hour and had ended before `endedUntil`; of all hours before `createdUntil` there are sums.
 * Both instants move on together, in one transaction with the sums, so whoever reads adds exactly what is missing: runs that were
 * created later, and runs that ended later. They stay 10 minutes behind the clock, for the end of a run is stamped before it is
 * recorded, and by another machine. Deleting or opening an ended run by hand marks its hour, which is then summed up again; what retention
 * deletes stays in the sums.
 */
import type { Connection, Query } from '../connection.ts';
import { forUpdate } from '../sql.ts';
import type { FigureKind } from './contract.ts';
import { dayMs, hourMs, liveEnded, mergeEnded, type LiveWish, type Stretch } from './live.ts';
import { readAllSums, readDone, staleHours, writeSums, type Done, type Sum } from './sums.ts';

const kinds: readonly FigureKind[] = ['all', 'flow', 'deployment'];
/** Time by which the record of an end may be behind its stamp. */
const settleMs = 600_000;
/** Sums are kept for a year and a month. */
const keepMs = 400 * dayMs;

/** See `FigureStore.rollUp`. */
export async function rollUp(connection: Connection, maxHours: number): Promise<{ readonly doneUntil: number; readonly more: boolean }> {
  return await connection.transaction(async (query) => {
    const before = await readDone(query, forUpdate(connection));
    const [clock] = await query<{ now: number }>(`select ${connection.fragments.now(1)} as now`, [connection.now()]);
    const endedUntil = Math.max(before.endedUntil, (clock?.now ?? 0) - settleMs);
    const until = Math.max(before.createdUntil, Math.floor(endedUntil / hourMs) * hourMs);

    const late = await addLateEnds(connection, query, before, endedUntil);
    const stale = await staleHours(query, { fromAt: 0, untilAt: before.createdUntil }, maxHours);
    for (const at of stale) await sumAgain(connection, query, at, endedUntil);
    const fresh = await nextStretch(query, before.createdUntil, until, maxHours - stale.length);
    await writeSums(connection, query, await summed(connection, query, { endedUntil }, fresh));
    const done: Done = { createdUntil: fresh.untilAt, endedUntil };

    await sumDays(connection, query, daysOf([...late, ...stale], fresh, done));
    await query('update run_figures_done set created_until = $1, ended_until = $2 where id = 1', [done.createdUntil, done.endedUntil]);
    await query('delete from run_figures where at < $1', [done.createdUntil - keepMs]);
    return { doneUntil: done.createdUntil, more: done.createdUntil < until || stale.length >= maxHours };
  });
}

/** Adds to hours that are summed up what has ended since; gives these hours. */
async function addLateEnds(connection: Connection, query: Query, before: Done, endedUntil: number): Promise<number[]> {
  const added = await summed(connection, query, { endedFrom: before.endedUntil, endedUntil }, { fromAt: 0, untilAt: before.createdUntil });
  const hours = [...new Set(added.map(({ at }) => at))];
  for (const at of hours) {
    const held = await readAllSums(query, hourMs, { fromAt: at, untilAt: at + hourMs });
    const changed = added.filter((sum) => sum.at === at);
    await writeSums(
      connection,
      query,
      kinds.flatMap((kind) =>
        together(
          kind,
          hourMs,
          [...held, ...changed].filter((sum) => sum.kind === kind),
        ),
      ),
    );
  }
  return hours;
}

async function sumAgain(connection: Connection, query: Query, at: number, endedUntil: number): Promise<void> {
  await query('delete from run_figures_stale where at = $1', [at]);
  await query('delete from run_figures where span = $1 and at = $2', [hourMs, at]);
  await writeSums(connection, query, await summed(connection, query, { endedUntil }, { fromAt: at, untilAt: at + hourMs }));
}

/** The next hours that are over; those before the first run are passed over. */
async function nextStretch(query: Query, from: number, until: number, maxHours: number): Promise<Stretch> {
  const [next] = await query<{ at: number | null }>('select min(created_at) as at from runs where created_at >= $1 and created_at < $2', [
    from,
    until,
  ]);
  if (next === undefined || next.at === null) return { fromAt: until, untilAt: until };
  const first = Math.max(from, next.at - (next.at % hourMs));
  return { fromAt: first, untilAt: Math.min(until, first + Math.max(0, maxHours) * hourMs) };
}

async function summed(
  connection: Connection,
  query: Query,
  ended: Pick<LiveWish, 'endedFrom' | 'endedUntil'>,
  stretch: Stretch,
): Promise<Sum[]> {
  if (stretch.fromAt >= stretch.untilAt) return [];
  const sums: Sum[] = [];
  for (const kind of kinds) {
    const rows = await liveEnded(connection, query, { kind, by: 'hour', ...ended }, [stretch]);
    sums.push(...rows.map((row) => ({ ...row, kind, span: hourMs })));
  }
  return sums;
}

/** Days that are summed up as a whole, of which some hours have changed. */
function daysOf(hours: readonly number[], fresh: Stretch, { createdUntil }: Done): number[] {
  const days = new Set(hours.map((at) => at - (at % dayMs)));
  for (let day = fresh.fromAt - (fresh.fromAt % dayMs); day < fresh.untilAt; day += dayMs) days.add(day);
  return [...days].filter((day) => day + dayMs <= createdUntil);
}

async function sumDays(connection: Connection, query: Query, days: readonly number[]): Promise<void> {
  for (const day of days) {
    await query('delete from run_figures where span = $1 and at = $2', [dayMs, day]);
    const hours = (await readAllSums(query, hourMs, { fromAt: day, untilAt: day + dayMs })).map((sum) => ({ ...sum, at: day }));
    await writeSums(
      connection,
      query,
      kinds.flatMap((kind) =>
        together(
          kind,
          dayMs,
          hours.filter((sum) => sum.kind === kind),
        ),
      ),
    );
  }
}

function together(kind: FigureKind, span: number, sums: readonly Sum[]): Sum[] {
  return mergeEnded(sums).map((row) => ({ ...row, kind, span }));
}
