/** Recurrence rules in plain English. A sentence is made only if true of every tick; any other rule is shown as written. */
import { countFrom, dateText, joinWords, monthNames, nthText, timeOfDayText, timeText, weekdayNames } from './phrases.ts';
import { numbersOf, weekdaysOf } from './rrule-days.ts';
import type { Recurrence } from './rrule-read.ts';

const daySeconds = 86_400;
const units: Readonly<Record<string, { readonly name: string; readonly seconds: number }>> = {
  YEARLY: { name: 'year', seconds: daySeconds },
  MONTHLY: { name: 'month', seconds: daySeconds },
  WEEKLY: { name: 'week', seconds: daySeconds },
  DAILY: { name: 'day', seconds: daySeconds },
  HOURLY: { name: 'hour', seconds: 3_600 },
  MINUTELY: { name: 'minute', seconds: 60 },
  SECONDLY: { name: 'second', seconds: 1 },
};
/** Too many times of day make no sentence. */
const maxTimes = 6;

/** E.g. `Every week on Friday at 09:30, except at 1 named time`, or `By the rule FREQ=YEARLY;BYWEEKNO=20`. */
export function recurrenceWords(recurrence: Recurrence, timezone: string): string {
  const { parts, added, excluded, start, until } = recurrence;
  const named = (count: number): string => `at ${count} named ${count === 1 ? 'time' : 'times'}`;
  const written = [...parts].map(([name, value]) => `${name}=${value}`).join(';');
  const sentence = sentenceOf(recurrence, timezone);
  const ending =
    sentence === null
      ? ''
      : parts.has('COUNT')
        ? `, ${countText(recurrence, timezone)} from ${momentText(start)} on`
        : until === null
          ? ''
          : `, until ${momentText(until)}`;
  const words = [
    ...(parts.size === 0 ? [] : [`${sentence ?? `By the rule ${written}`}${ending}`]),
    ...(added.length > 0 ? [`${parts.size > 0 ? 'and ' : ''}${named(added.length)}`] : []),
    ...(excluded.times.size > 0 ? [`except ${named(excluded.times.size)}`] : []),
    ...(excluded.days.size > 0 ? [`except on ${excluded.days.size} named ${excluded.days.size === 1 ? 'day' : 'days'}`] : []),
  ].join(', ');
  return capital(words);
}

/** HOURLY and faster count times of the wall clock, which come twice or not at all when it changes. */
function countText({ parts }: Recurrence, timezone: string): string {
  const count = parts.get('COUNT') ?? '';
  const isFast = units[parts.get('FREQ') ?? '']?.seconds !== daySeconds;
  return `${count} ${count === '1' ? 'time' : 'times'}${isFast && timezone !== 'UTC' ? ' of the wall clock' : ''}`;
}

function sentenceOf(recurrence: Recurrence, timezone: string): string | null {
  const { parts } = recurrence;
  if (parts.has('BYWEEKNO') || parts.has('BYYEARDAY')) return null;
  const unit = units[parts.get('FREQ') ?? ''];
  if (unit === undefined) return null;
  return unit.seconds === daySeconds ? slowSentence(recurrence) : fastSentence(recurrence, unit, timezone);
}

/** DAILY and slower. */
function slowSentence({ parts, start }: Recurrence): string | null {
  const frequency = parts.get('FREQ') ?? '';
  const times = timesText(parts, start, daySeconds);
  const days = daysText(parts, start);
  if (times === null || days === null || (parts.has('BYSETPOS') && times.count > 1)) return null;
  const interval = Number(parts.get('INTERVAL') ?? 1);
  const isDatedDaily = frequency === 'DAILY' && isDated(parts);
  if (isDatedDaily && interval > 1) return null;
  const counted = interval === 1 ? '' : `, counted from ${dateText(start)}${weekStart(parts)}`;
  if (isDatedDaily) return `${capital(days.trim())} ${times.words}`;
  return `Every ${countFrom(interval, units[frequency]?.name ?? '')}${days} ${times.words}${counted}`;
}

/** HOURLY and faster. */
function fastSentence(
  { parts, start }: Recurrence,
  unit: { readonly name: string; readonly seconds: number },
  timezone: string,
): string | null {
  const interval = Number(parts.get('INTERVAL') ?? 1);
  const days = daysText(parts, start);
  if (days === null) return null;
  // Hours that are all named are times of day.
  const times = interval === 1 && parts.has('BYHOUR') ? timesText(parts, start, unit.seconds) : null;
  if (times !== null) return `${isDated(parts) ? capital(days.trim()) : `Every day${days}`} ${times.words}`;
  if ((unit.seconds === 3_600 ? 24 : 60) % interval !== 0) {
    if ([...parts.keys()].some((name) => name.startsWith('BY'))) return null;
    const wall = timezone === 'UTC' ? '' : ' on the wall clock';
    return `Every ${countFrom(interval, unit.name)}${wall}, counted from ${momentText(start)}`;
  }
  if (unit.seconds === 3_600) {
    const places = hourPlaces(parts, start);
    const first = Math.floor(start / 3_600_000) % interval;
    if (places === null || parts.has('BYHOUR')) return null;
    const from = first === 0 ? '' : `, first in the hour of ${timeOfDayText(first * 3_600)}`;
    return `Every ${countFrom(interval, 'hour')} ${places}${from}${days}`;
  }
  return parts.has('BYSECOND') || parts.has('BYMINUTE') ? null : spanSentence({ parts, start }, unit, interval, days);
}

/** Every n minutes or seconds, all day or in consecutive hours. */
function spanSentence(
  { parts, start }: Pick<Recurrence, 'parts' | 'start'>,
  { name, seconds }: { readonly name: string; readonly seconds: number },
  interval: number,
  days: string,
): string | null {
  const hours = sorted(numbersOf(parts, 'BYHOUR'));
  const offset = Math.floor(start / 1_000) % (interval * seconds);
  const every = `Every ${countFrom(interval, name)}`;
  if (hours === null) return `${every}${offset === 0 ? '' : `, first at ${timeOfDayText(offset)}`}${days}`;
  const [first, last] = [hours[0] ?? 0, hours.at(-1) ?? 0];
  if (last - first !== hours.length - 1) return null;
  const end = last * 3_600 + offset + Math.floor((3_599 - offset) / (interval * seconds)) * interval * seconds;
  return `${every} from ${timeOfDayText(first * 3_600 + offset)} to ${timeOfDayText(end)}${days}`;
}

/** The minutes of each hour: `at :05 and :35`. */
function hourPlaces(parts: Recurrence['parts'], start: number): string | null {
  const date = new Date(start);
  const minutes = sorted(numbersOf(parts, 'BYMINUTE')) ?? [date.getUTCMinutes()];
  const seconds = sorted(numbersOf(parts, 'BYSECOND')) ?? [date.getUTCSeconds()];
  if (minutes.length * seconds.length > maxTimes) return null;
  const places = minutes.flatMap((minute) => seconds.map((second) => timeOfDayText(minute * 60 + second).slice(2)));
  return `at ${joinWords(places)}`;
}

/** `at 09:00 and 17:30`. */
function timesText(
  parts: Recurrence['parts'],
  start: number,
  unitSeconds: number,
): { readonly words: string; readonly count: number } | null {
  const date = new Date(start);
  const hours = sorted(numbersOf(parts, 'BYHOUR')) ?? [date.getUTCHours()];
  const minutes = sorted(numbersOf(parts, 'BYMINUTE')) ?? (unitSeconds > 60 ? [date.getUTCMinutes()] : null);
  const seconds = sorted(numbersOf(parts, 'BYSECOND')) ?? (unitSeconds > 1 ? [date.getUTCSeconds()] : null);
  if (minutes === null || seconds === null || hours.length * minutes.length * seconds.length > maxTimes) return null;
  const times = hours.flatMap((hour) => minutes.flatMap((minute) => seconds.map((second) => hour * 3_600 + minute * 60 + second)));
  return { words: `at ${joinWords(times.map(timeOfDayText))}`, count: times.length };
}

/** Which days, with a leading space; empty for all; null if that takes more than a phrase. */
function daysText(parts: Recurrence['parts'], start: number): string | null {
  const frequency = parts.get('FREQ') ?? '';
  const byday = parts.get('BYDAY');
  const asked = sorted(numbersOf(parts, 'BYMONTHDAY'));
  const isYearly = frequency === 'YEARLY';
  const months =
    sorted(numbersOf(parts, 'BYMONTH')) ?? (isYearly && byday === undefined && asked === null ? [new Date(start).getUTCMonth() + 1] : null);
  // Days that are both, places in a year, and days of the month in weeks.
  if ((byday !== undefined && asked !== null) || (isYearly && months === null) || (frequency === 'WEEKLY' && asked !== null)) return null;
  if (byday === undefined && parts.has('BYSETPOS')) return null;
  const takesDate = isYearly || frequency === 'MONTHLY';
  const dates = asked ?? (takesDate && byday === undefined ? [new Date(start).getUTCDate()] : null);
  const days = byday !== undefined ? weekdayText(parts, byday) : dates === null ? weekOf(frequency, start) : dateWords(dates);
  if (days === null) return null;
  return `${months === null ? '' : ` in ${joinWords(months.map((month) => monthNames[month - 1] ?? ''))}`}${days}`;
}

/** Where weeks begin, if that decides which days are in the same one. */
function weekStart(parts: Recurrence['parts']): string {
  const first = weekdaysOf(parts.get('WKST') ?? 'MO')[0]?.weekday ?? 1;
  if (parts.get('FREQ') !== 'WEEKLY' || first === 1 || !parts.has('BYDAY')) return '';
  return ` in weeks that start on ${weekdayNames[first]}`;
}

function weekOf(frequency: string, start: number): string {
  return frequency === 'WEEKLY' ? ` on ${weekdayNames[new Date(start).getUTCDay()]}` : '';
}

function dateWords(dates: readonly number[]): string | null {
  const words = dates.filter((date) => date > 0).map((date) => `the ${nthText(date)}`);
  if (dates.some((date) => date < -1)) return null;
  return ` on ${joinWords([...words, ...(dates.includes(-1) ? ['the last day of the month'] : [])])}`;
}

function weekdayText(parts: Recurrence['parts'], byday: string): string | null {
  const asked = weekdaysOf(byday);
  const places = numbersOf(parts, 'BYSETPOS');
  const isPlain = asked.every(({ nth }) => nth === null);
  const takesPlaces = /^(YEAR|MONTH)LY$/.test(parts.get('FREQ') ?? '');
  if (places === null && isPlain) {
    const days = joinWords(weekOrder(asked.map(({ weekday }) => weekday)).map((weekday) => weekdayNames[weekday] ?? ''));
    return takesPlaces ? ` on every ${days.replace(' and ', ' and every ').replaceAll(', ', ', every ')}` : ` on ${days}`;
  }
  if (places === null) {
    if (!takesPlaces || asked.some(({ nth }) => nth === null)) return null;
    return ` on ${joinWords(asked.map(({ weekday, nth }) => `the ${placeText(nth ?? 1)} ${weekdayNames[weekday]}`))}`;
  }
  const [place] = places;
  // Over several months, a position is one in the year.
  if (!isPlain || place === undefined || places.length > 1 || parts.get('FREQ') !== 'MONTHLY') return null;
  const weekdays = weekOrder(asked.map(({ weekday }) => weekday));
  const which =
    weekdays.length === 1 ? weekdayNames[weekdays[0] ?? 0] : weekdays.join() === '1,2,3,4,5' ? 'day from Monday to Friday' : null;
  return which === null ? null : ` on the ${placeText(place)} ${which}`;
}

function placeText(place: number): string {
  if (place === -1) return 'last';
  return place > 0 ? nthText(place) : `${nthText(-place)} to last`;
}

function isDated(parts: Recurrence['parts']): boolean {
  return parts.has('BYDAY') || parts.has('BYMONTHDAY');
}

function capital(words: string): string {
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}

/** Monday first, each once. */
function weekOrder(weekdays: readonly number[]): readonly number[] {
  return [...new Set(weekdays)].sort((a, b) => ((a + 6) % 7) - ((b + 6) % 7));
}

function sorted(values: readonly number[] | null): readonly number[] | null {
  return values === null ? null : [...new Set(values)].sort((a, b) => a - b);
}

function momentText(local: number): string {
  return `${dateText(local)} ${timeText(local)}`;
}
