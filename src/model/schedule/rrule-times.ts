/** The times of day of a recurrence rule, computed: never listed. */
import { BatutaError } from '../../base/errors.ts';
import { type ClockTimes, clockTimes } from './clock-times.ts';
import { numbersOf } from './rrule-days.ts';
import type { Recurrence } from './rrule-read.ts';

const daySeconds = 86_400;
/** Most steps per search, some hundredths of a second; ordinary rules need few. */
const maxSteps = 300_000;

/** Counts the steps of one search. */
export interface Steps {
  /** @throws BatutaError SCHEDULE_TOO_COSTLY after too many */
  take(): void;
}

/** Times of day in seconds. */
export interface TimesOfDay {
  /** The first of a day at or after `second`; null if there is none. */
  firstOf(day: number, second: number, steps: Steps): number | null;
  /** How many a day has. */
  countOf(day: number, steps: Steps): number;
  /** The one at index `place`; for rules whose days all have the same times. */
  nth(place: number): number;
}

/** A fresh count for one search. */
export function countSteps(): Steps {
  let taken = 0;
  return {
    take() {
      taken += 1;
      if (taken <= maxSteps) return;
      throw new BatutaError(
        'SCHEDULE_TOO_COSTLY',
        `Finding the next tick of the rrule takes more than ${maxSteps.toLocaleString('en')} steps. Give it a smaller INTERVAL, or fewer BY parts that seldom meet it.`,
      );
    },
  };
}

/** Reads the parts once. HOURLY and faster rules count their INTERVAL across days, the others have the same times every day. */
export function timesOfDay({ start, parts }: Recurrence): TimesOfDay {
  const unitSeconds = { HOURLY: 3_600, MINUTELY: 60, SECONDLY: 1 }[parts.get('FREQ') ?? ''] ?? daySeconds;
  const interval = Number(parts.get('INTERVAL') ?? 1);
  const first = new Date(start);
  const allowed = allowedTimes(parts, unitSeconds, first);
  const firstUnit = Math.floor(start / 1_000 / unitSeconds);
  const unitsADay = daySeconds / unitSeconds;
  /** Units from midnight of a day to the next step of the rule. */
  const phaseOf = (day: number): number => (((firstUnit - day * unitsADay) % interval) + interval) % interval;

  const firstOf = (day: number, second: number, steps: Steps): number | null => {
    const phase = unitSeconds === daySeconds ? 0 : phaseOf(day);
    for (let time = allowed.next(second); time !== null; time = allowed.next(time)) {
      if (unitSeconds === daySeconds) return time;
      const unit = Math.floor(time / unitSeconds);
      const aligned = unit <= phase ? phase : phase + Math.ceil((unit - phase) / interval) * interval;
      if (aligned === unit) return time;
      steps.take();
      time = aligned * unitSeconds;
      if (time >= daySeconds) return null;
    }
    return null;
  };
  /** By phase: days of the same phase have the same times. */
  const counted = new Map<number, number>();
  return {
    firstOf,
    nth: allowed.nth,
    countOf(day, steps) {
      if (unitSeconds === daySeconds) return allowed.count;
      const phase = phaseOf(day);
      const known = counted.get(phase);
      if (known !== undefined) return known;
      let count = 0;
      for (let time = firstOf(day, 0, steps); time !== null; time = firstOf(day, time + 1, steps)) count += 1;
      counted.set(phase, count);
      return count;
    },
  };
}

/** Parts that a rule lacks come from DTSTART, or are any within its steps. */
function allowedTimes(parts: Recurrence['parts'], unitSeconds: number, first: Date): ClockTimes {
  return clockTimes({
    hours: numbersOf(parts, 'BYHOUR') ?? (unitSeconds > 3_600 ? [first.getUTCHours()] : null),
    minutes: numbersOf(parts, 'BYMINUTE') ?? (unitSeconds > 60 ? [first.getUTCMinutes()] : null),
    seconds: numbersOf(parts, 'BYSECOND') ?? (unitSeconds > 1 ? [first.getUTCSeconds()] : null),
  });
}
