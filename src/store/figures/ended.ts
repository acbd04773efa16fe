/** Ended runs from the sums as far as they reach, and otherwise from the runs. */
import type { Connection } from '../connection.ts';
import type { EndedRuns, EndedRunsWish } from './contract.ts';
import { hourMs, liveEnded, mergeEnded, type Stretch } from './live.ts';
import { readDone, readSums, staleHours, type Done } from './sums.ts';

/** Attempts to read while a process sums up, which happens once a minute. */
const maxLooks = 4;
/** Beyond this many, all between the first and the last is counted from the runs. */
const maxStale = 24;

/** See `FigureStore.ended`. */
export async function endedRuns(connection: Connection, wish: EndedRunsWish): Promise<EndedRuns[]> {
  for (let look = 1; ; look += 1) {
    const done = await readDone(connection);
    const rows = await readOnce(connection, wish, done);
    const after = await readDone(connection);
    if (look >= maxLooks || (after.createdUntil === done.createdUntil && after.endedUntil === done.endedUntil)) return rows;
  }
}

async function readOnce(connection: Connection, wish: EndedRunsWish, done: Done): Promise<EndedRuns[]> {
  const summed = summedPart(wish, done);
  if (summed === null) return await liveEnded(connection, wish, [wish]);
  const stale = await staleHours(connection, summed, Number.MAX_SAFE_INTEGER);
  const gaps = stretchesOf(stale);
  const live = [{ fromAt: wish.fromAt, untilAt: summed.fromAt }, { fromAt: summed.untilAt, untilAt: wish.untilAt }, ...gaps];
  return mergeEnded([
    ...(await readSums(connection, wish, summed, gaps)),
    ...(await liveEnded(connection, wish, live.filter(isSome))),
    ...(await liveEnded(connection, { ...wish, endedFrom: done.endedUntil }, between(summed, gaps).filter(isSome))),
  ]);
}

/** Whole hours of a stretch that are summed up; null if there are none. */
function summedPart({ fromAt, untilAt }: Stretch, { createdUntil }: Done): Stretch | null {
  const summed = {
    fromAt: Math.ceil(fromAt / hourMs) * hourMs,
    untilAt: Math.min(Math.floor(untilAt / hourMs) * hourMs, createdUntil),
  };
  return isSome(summed) ? summed : null;
}

function isSome({ fromAt, untilAt }: Stretch): boolean {
  return fromAt < untilAt;
}

/** Hours, oldest first, as stretches: adjacent ones are merged. */
function stretchesOf(hours: readonly number[]): Stretch[] {
  const stretches: { fromAt: number; untilAt: number }[] = [];
  for (const at of hours) {
    const last = stretches.at(-1);
    if (last !== undefined && last.untilAt === at) last.untilAt = at + hourMs;
    else stretches.push({ fromAt: at, untilAt: at + hourMs });
  }
  const [first] = stretches;
  const last = stretches.at(-1);
  if (stretches.length <= maxStale || first === undefined || last === undefined) return stretches;
  return [{ fromAt: first.fromAt, untilAt: last.untilAt }];
}

/** The parts of a stretch between its gaps. */
function between({ fromAt, untilAt }: Stretch, gaps: readonly Stretch[]): Stretch[] {
  const starts = [fromAt, ...gaps.map((gap) => gap.untilAt)];
  const ends = [...gaps.map((gap) => gap.fromAt), untilAt];
  return starts.map((start, index) => ({ fromAt: start, untilAt: ends[index] ?? untilAt }));
}
