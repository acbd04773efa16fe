/** Schedules and clock changes in plain English. */
import { periodWords } from '../../base/duration.ts';
import type { TickMark, TouchedChange } from './changes.ts';
import { cronWords } from './cron-words.ts';
import { dateText, timeText, weekdayNames as weekdays } from './phrases.ts';
import { describeRecurrence } from './rrule.ts';
import type { Schedule } from './schedule.ts';
import { localAt } from './zone.ts';

/** One line without a full stop, e.g. `At 02:30, only on Monday, in Europe/Lisbon`. Never throws. */
export function describeSchedule(schedule: Schedule): string {
  try {
    return `${describeRule(schedule)}, in ${schedule.timezone}`;
  } catch {
    return 'A rule that cannot be read';
  }
}

/** What a clock change does to ticks, as a sentence. */
export function describeChange({ at, offsetBefore, offsetAfter, effect, local }: TouchedChange): string {
  const turned = offsetAfter > offsetBefore ? 'forward' : 'back';
  const clocks = `On ${dateText(at + offsetBefore)} clocks go ${turned} from ${timeText(at + offsetBefore)} to ${endText(at, offsetBefore, offsetAfter)}`;
  const time = timeText(local);
  switch (effect) {
    case 'moved':
      return `${clocks}: ${time} does not exist that day, so its tick moves forward.`;
    case 'skipped':
      return `${clocks}: ticks from ${time} on that do not exist that day are left out.`;
    case 'once':
      return `${clocks}: ${time} comes twice, and its tick fires once, the first time.`;
    case 'twice':
      return `${clocks}: ${time} comes twice, and its tick fires both times.`;
  }
}

/** Effect on one tick, in a few words. */
export function describeMark(mark: TickMark): string {
  return {
    moved: 'moved: its time does not exist this day',
    only: 'its time comes twice; fires this once',
    first: 'its time comes twice; the first',
    second: 'its time comes twice; the second',
  }[mark];
}

/** Wall clock and offset of an instant: `Sun 2026-03-08 03:00:00 -04:00`. */
export function wallText(instant: number, timezone: string): string {
  const local = localAt(timezone, instant);
  const offset = Math.round((local - Math.floor(instant / 1_000) * 1_000) / 60_000);
  const size = Math.abs(offset);
  const two = (value: number): string => String(value).padStart(2, '0');
  const sign = `${offset < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
  return `${(weekdays[new Date(local).getUTCDay()] ?? '').slice(0, 3)} ${dateText(local)} ${new Date(local).toISOString().slice(11, 19)} ${sign}`;
}

function describeRule(schedule: Schedule): string {
  switch (schedule.kind) {
    case 'cron':
      return cronWords(schedule.expression);
    case 'rrule':
      return describeRecurrence(schedule.rule, schedule.timezone);
    case 'interval': {
      const { anchor, every, timezone } = schedule;
      const local = localAt(timezone, anchor);
      if ('ms' in every) return `Every ${periodWords(every.ms)} of elapsed time, counted from ${dateText(local)} ${timeText(local)}`;
      if (every.days === 1) return `Every day at ${timeText(local)}`;
      if (every.days % 7 !== 0) return `Every ${every.days} days at ${timeText(local)}, counted from ${dateText(local)}`;
      const weeks = every.days / 7;
      const day = weekdays[new Date(local).getUTCDay()] ?? '';
      return `Every ${weeks === 1 ? 'week' : `${weeks} weeks`} on ${day} at ${timeText(local)}${weeks === 1 ? '' : `, counted from ${dateText(local)}`}`;
    }
  }
}

/** Names a day if the clock jumps to another one. */
function endText(at: number, offsetBefore: number, offsetAfter: number): string {
  const [before, after] = [dateText(at + offsetBefore), dateText(at + offsetAfter)];
  return before === after ? timeText(at + offsetAfter) : `${timeText(at + offsetAfter)} of ${after}`;
}
