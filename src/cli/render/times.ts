/** Instants as people read them. Durations are `formatDuration` of the base. */
import { formatDuration } from '../../base/duration.ts';
import type { Run } from '../../model/run.ts';
import { runTimes, type TimedRun } from '../../model/run-times.ts';

const secondMs = 1_000;
const minuteMs = 60_000;
const hourMs = 3_600_000;
const dayMs = 86_400_000;

/** An instant, relative within a day (`just now`, `3 min ago`, `in a moment`, `in 2 h`), else `2026-03-01 14:05` in local time. */
export function agoText(at: number, now: number): string {
  const distance = Math.abs(now - at);
  if (distance >= dayMs) return localMinute(at);
  // The clock of the database may be a little ahead of this one.
  if (distance < 5 * secondMs) return at - now > secondMs ? 'in a moment' : 'just now';
  const text =
    distance < minuteMs
      ? `${Math.floor(distance / secondMs)} s`
      : distance < hourMs
        ? `${Math.floor(distance / minuteMs)} min`
        : `${Math.floor(distance / hourMs)} h`;
  return at <= now ? `${text} ago` : `in ${text}`;
}

/** When a run started; if it has not, when it is due, `not yet` or, once it has ended, `never`. */
export function startText(run: Pick<Run, 'startedAt' | 'endedAt' | 'dueAt'>, now: number): string {
  if (run.startedAt !== null) return agoText(run.startedAt, now);
  if (run.endedAt !== null) return 'never';
  return run.dueAt === null ? 'not yet' : `due ${agoText(run.dueAt, now)}`;
}

/** How long a run was executed, so far or in total; empty before it has started. */
export function tookText(run: TimedRun, now: number): string {
  const times = runTimes(run, now);
  return times === null ? '' : formatDuration(times.executingMs);
}

/** Local wall clock of an instant: `14:05:09`. */
export function localSecond(at: number): string {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(pad).join(':');
}

/** Local wall clock with milliseconds: `14:05:09.120`. */
export function localMillisecond(at: number): string {
  return `${localSecond(at)}.${String(new Date(at).getMilliseconds()).padStart(3, '0')}`;
}

/** Local date and time to the minute: `2026-03-01 14:05`. */
export function localMinute(at: number): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${pad(date.getHours())}:${pad(date.getMinutes())}`;
}

/** ISO 8601 in UTC with milliseconds, or null for none. */
export function isoOrNull(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
