/** What the sentence of a schedule claims, held against its ticks by a reader who knows the sentence alone. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextTicks, parseSchedule, type ScheduleInput } from '../../../src/model/schedule/schedule.ts';
import { describeSchedule } from '../../../src/model/schedule/words.ts';
import { randomRules } from '../../support/random-rules.ts';

const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = [
  ...['January', 'February', 'March', 'April', 'May', 'June', 'July'],
  ...['August', 'September', 'October', 'November', 'December'],
];
const unitSeconds = { second: 1, minute: 60, hour: 3_600, day: 86_400, week: 604_800 };
const dayMs = 86_400_000;
const shown = 100;

describe('the sentence of a schedule', () => {
  it.each<[ScheduleInput, string]>([
    [{ rrule: 'FREQ=MONTHLY;BYDAY=TU;BYSETPOS=-1' }, 'Every month on the last Tuesday at 00:00, in UTC'],
    [{ rrule: 'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1' }, 'Every month on the 1st day from Monday to Friday at 00:00, in UTC'],
    [{ rrule: 'FREQ=MINUTELY;INTERVAL=15;BYHOUR=8,9' }, 'Every 15 minutes from 08:00 to 09:45, in UTC'],
    [{ rrule: 'FREQ=HOURLY;BYHOUR=9,10,11;BYDAY=MO,TU' }, 'On Monday and Tuesday at 09:00, 10:00 and 11:00, in UTC'],
    [{ rrule: 'FREQ=DAILY;BYHOUR=9,17;BYMINUTE=15,45' }, 'Every day at 09:15, 09:45, 17:15 and 17:45, in UTC'],
    [
      { rrule: 'FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=1;BYHOUR=6;BYMINUTE=30' },
      'Every 3 months on the 1st at 06:30, counted from 2001-01-01, in UTC',
    ],
    [{ rrule: 'FREQ=SECONDLY;INTERVAL=30;BYHOUR=12' }, 'Every 30 seconds from 12:00 to 12:59:30, in UTC'],
    [
      { rrule: 'FREQ=MINUTELY;INTERVAL=7', timezone: 'Europe/Lisbon' },
      'Every 7 minutes on the wall clock, counted from 2001-01-01 00:00, in Europe/Lisbon',
    ],
    [{ rrule: 'DTSTART:20260101T091500 RRULE:FREQ=DAILY;COUNT=3' }, 'Every day at 09:15, 3 times from 2026-01-01 09:15 on, in UTC'],
    [{ rrule: 'FREQ=YEARLY;BYWEEKNO=20' }, 'By the rule FREQ=YEARLY;BYWEEKNO=20, in UTC'],
    [{ rrule: 'FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR' }, 'By the rule FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR, in UTC'],
    [{ cron: '*/47 * * * * *' }, 'At 0 and 47 seconds past the minute, in UTC'],
    [{ cron: '*/7 * * * *' }, 'At 0, 7, 14, 21, 28, 35, 42, 49, and 56 minutes past the hour, in UTC'],
    [{ cron: '0 9 * * */2' }, 'At 09:00, only on Sunday, Tuesday, Thursday, and Saturday, in UTC'],
    [{ cron: '0 9 * */3 *' }, 'At 09:00, only in January, April, July, and October, in UTC'],
    [{ cron: '*/10 9,17 * * *' }, 'By the cron expression */10 9,17 * * *, in UTC'],
    [{ cron: '*/15 * * * *' }, 'Every 15 minutes, in UTC'],
    // Every Friday, not the first one.
    [{ cron: '0 9 * * MON#1,FRI' }, 'By the cron expression 0 9 * * MON#1,FRI, in UTC'],
    // Either day will do, not both at once.
    [{ cron: '0 9 1,15 * MON-FRI' }, 'By the cron expression 0 9 1,15 * MON-FRI, in UTC'],
    [{ cron: '0 9 1 * 0-6' }, 'At 09:00, in UTC'],
    [{ cron: '0 9 1-31 * +MON' }, 'By the cron expression 0 9 1-31 * +MON, in UTC'],
    [{ cron: '0 9 1 * *,1' }, 'At 09:00, in UTC'],
    [{ cron: '0 9 * * MON-SUN' }, 'At 09:00, in UTC'],
    [{ cron: '0 9 * * FRI-SUN' }, 'At 09:00, Friday through Sunday, in UTC'],
    [{ cron: '0 9 * * 0,7' }, 'At 09:00, only on Sunday, in UTC'],
    [{ cron: '0,0 9 * * *' }, 'At 09:00, in UTC'],
    [{ cron: '0 9 L,15 * *' }, 'At 09:00, on day 15 and the last day of the month, in UTC'],
    [
      { rrule: 'FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU' },
      'Every 2 weeks on Monday and Sunday at 00:00, counted from 2001-01-01 in weeks that start on Sunday, in UTC',
    ],
    [
      { rrule: 'DTSTART:20261101T000000 RRULE:FREQ=HOURLY;COUNT=5', timezone: 'America/New_York' },
      'Every hour at :00, 5 times of the wall clock from 2026-11-01 00:00 on, in America/New_York',
    ],
    [{ rrule: 'DTSTART:20260101T091500 RRULE:FREQ=DAILY EXDATE:20260102' }, 'Every day at 09:15, except on 1 named day, in UTC'],
  ])('of %j is %s', (input, words) => {
    expect(describeSchedule(parseSchedule(input))).toBe(words);
  });

  it('holds for every tick of 1,000 random rules', { timeout: 300_000 }, () => {
    let told = 0;
    for (const { rule, from } of randomRules(47, 1_000)) told += holds({ rrule: rule }, from * 1_000) ? 1 : 0;
    // Most random rules have more parts than a sentence takes.
    expect(told).toBeGreaterThan(130);
  });

  it('holds for every tick of cron expressions with steps, lists and ranges', { timeout: 300_000 }, () => {
    const field = (first: number, last: number): fc.Arbitrary<string> => {
      const value = fc.integer({ min: first, max: last });
      const step = fc.integer({ min: 1, max: last - first });
      return fc.oneof(
        { arbitrary: fc.constant('*'), weight: 3 },
        { arbitrary: value.map(String), weight: 3 },
        step.map((by) => `*/${by}`),
        fc.tuple(value, value).map(([one, other]) => `${Math.min(one, other)},${Math.max(one, other)}`),
        fc.tuple(value, value).map(([one, other]) => `${Math.min(one, other)}-${Math.max(one, other)}`),
      );
    };
    const expression = fc.tuple(field(0, 59), field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6));
    fc.assert(
      fc.property(expression, (parts) => {
        holds({ cron: parts.join(' ') }, Date.UTC(2026, 0, 1));
      }),
      { numRuns: 500 },
    );
  });
});

/** Whether there is a sentence, which then holds. */
function holds(input: ScheduleInput, from: number): boolean {
  const schedule = readable(input);
  if (schedule === null) return false;
  const sentence = describeSchedule(schedule).replace(/, in UTC$/, '');
  if (sentence.startsWith('By the ')) return false;
  const ticks = nextTicks(schedule, from, shown);
  const what = `${JSON.stringify(input)}: ${sentence}`;
  for (const tick of ticks) {
    const wrong = contradiction(sentence, tick);
    if (wrong !== null) expect.fail(`${what}; at ${new Date(tick).toISOString()}: ${wrong}`);
  }
  checkSpacing(sentence, ticks, what);
  return true;
}

function readable(input: ScheduleInput) {
  try {
    return parseSchedule(input);
  } catch (error) {
    if (/never comes/.test(String(error))) return null;
    throw error;
  }
}

/** What the sentence says that is untrue of a tick. */
function contradiction(sentence: string, tick: number): string | null {
  const date = new Date(tick);
  const time = date.toISOString().slice(11, 19);
  const claims = sentence.replace(/, (counted|until|\d+ times? from|first) .*$/, '');
  const times = claims.match(/(?<=(at|At|,|and) )\d\d:\d\d(:\d\d)?/g)?.map((text) => (text.length === 5 ? `${text}:00` : text));
  const isPlainTime = !/past the|between|Every \d* ?(second|minute)|from \d\d:/.test(claims);
  if (times !== undefined && isPlainTime && !times.includes(time)) return `the time is ${time}`;
  const places = claims.match(/(?<= )(:\d\d){1,2}(?=,| |$)/g);
  if (places !== null && !places.some((place) => time.slice(2) === `${place}:00`.slice(0, 6))) return `the place in the hour is ${time}`;
  const window = /from (\d\d:\d\d(?::\d\d)?) to (\d\d:\d\d(?::\d\d)?)/.exec(claims);
  if (window !== null && (time < `${window[1]}:00`.slice(0, 8) || time > `${window[2]}:00`.slice(0, 8)))
    return `outside the hours: ${time}`;
  // Cron says "on day 1 of the month, and on Monday" where either will do.
  if (/of the month, and /.test(claims) || /through/.test(claims)) return null;
  const day = weekdays[date.getUTCDay()] ?? '';
  const named = weekdays.filter((name) => claims.includes(name));
  const isRange = claims.includes('day from Monday to Friday');
  if (isRange ? [0, 6].includes(date.getUTCDay()) : named.length > 0 && !named.includes(day)) return `the day is ${day}`;
  const month = months[date.getUTCMonth()] ?? '';
  const inMonths = months.filter((name) => claims.includes(name));
  if (inMonths.length > 0 && !inMonths.includes(month)) return `the month is ${month}`;
  return isPlace(claims, date) ? null : `the date is ${date.getUTCDate()}`;
}

/** `on the 15th and the last day of the month`, `on the 2nd Friday and the last Monday`. */
function isPlace(claims: string, date: Date): boolean {
  const length = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  const at = date.getUTCDate();
  const day = weekdays[date.getUTCDay()];
  if (/on the .*day from Monday/.test(claims)) return true;
  const phrases = claims.match(/the (\d+(st|nd|rd|th)|last)( to last)?( [A-Z][a-z]+day| day of the month)?/g) ?? [];
  if (phrases.length === 0 || claims.startsWith('At')) return true;
  return phrases.some((phrase) => {
    const [, number, fromEnd, of] = /the (?:(\d+)(?:st|nd|rd|th)|last)( to last)?(?: (.*))?$/.exec(phrase) ?? [];
    const nth = number === undefined ? 1 : Number(number);
    if (of === undefined) return at === nth;
    if (of === 'day of the month') return at === length;
    const isFromEnd = number === undefined || fromEnd !== undefined;
    return of === day && nth === (isFromEnd ? Math.ceil((length - at + 1) / 7) : Math.ceil(at / 7));
  });
}

/** `Every 15 minutes`: ticks that are no day or window apart are exactly so far apart. */
function checkSpacing(sentence: string, ticks: readonly number[], what: string): void {
  const [, count = '1', unit = ''] = /^Every (?:(\d+) )?(second|minute|hour|day|week)s?\b/.exec(sentence) ?? [];
  if (unit === '' || / at .* and |past the/.test(sentence)) return;
  const stepMs = Number(count) * unitSeconds[unit as keyof typeof unitSeconds] * 1_000;
  const isLimited = /\bon\b|\bin\b|from \d\d:|between|, at|only/.test(sentence);
  for (const [at, tick] of ticks.entries()) {
    const next = ticks[at + 1];
    if (next === undefined) return;
    const gap = next - tick;
    const isWithin = Math.floor(next / dayMs) === Math.floor(tick / dayMs);
    const isSpaced = !isLimited || (unit !== 'day' && unit !== 'week' && isWithin && !/between|, at/.test(sentence));
    if (isSpaced && gap !== stepMs) expect.fail(`${what}; ${gap} ms after ${new Date(tick).toISOString()}`);
  }
}
