/**
 * When a schedule ticks. Pure: the same schedule and instant always have the same next tick, so any number of schedulers agree.
 *
 * Clock changes are described with each kind: cron.ts, interval.ts, rrule.ts.
 */
import { BatutaError } from '../../base/errors.ts';
import { checkCron, nextCron } from './cron.ts';
import { dayRule, type Every, nextElapsed, readEvery } from './interval.ts';
import { nextInstant } from './local-rule.ts';
import { checkRecurrence, recurrenceRule } from './rrule.ts';
import { checkZone, instantOfLocal, localAt, readInstant, readLocalTime } from './zone.ts';

/** First and last time of ticks. */
export interface Bounds {
  /** Name of the IANA time zone whose wall clock counts. */
  readonly timezone: string;
  /** No tick before this, UTC epoch ms; null: none. */
  readonly start: number | null;
  /** No tick at or after this, UTC epoch ms; null: none. */
  readonly end: number | null;
}

/** A checked schedule; plain data that can be stored as JSON. */
export type Schedule =
  | (Bounds & { readonly kind: 'cron'; readonly expression: string })
  | (Bounds & { readonly kind: 'interval'; readonly every: Every /** An instant it ticks at, UTC epoch ms. */; readonly anchor: number })
  | (Bounds & { readonly kind: 'rrule' /** Lines of RFC 5545, DTSTART first. */; readonly rule: string });

/** A schedule as users write it: exactly one of `cron`, `interval` and `rrule`. */
export interface ScheduleInput {
  readonly cron?: string | undefined;
  /** A duration, or a number of seconds. */
  readonly interval?: string | undefined;
  /** An RRULE, or several lines with DTSTART, RRULE, RDATE and EXDATE. */
  readonly rrule?: string | undefined;
  /** Default: that of DTSTART, else UTC. */
  readonly timezone?: string | undefined;
  /** For intervals, and for an RRULE without DTSTART: a time it ticks at. Default: Monday 2001-01-01, midnight in the zone. */
  readonly anchor?: string | undefined;
  readonly start?: string | undefined;
  readonly end?: string | undefined;
}

/** A Monday, so that weeks begin where people expect. */
const defaultAnchorLocal = Date.UTC(2001, 0, 1);
const dayMs = 86_400_000;

/**
 * Parses a schedule.
 *
 * @throws BatutaError SCHEDULE_INVALID whose message says which part is wrong and what is allowed
 */
export function parseSchedule(input: ScheduleInput): Schedule {
  const given = (['cron', 'interval', 'rrule'] as const).filter((kind) => input[kind] !== undefined);
  if (given.length === 0) throw new BatutaError('SCHEDULE_INVALID', 'A schedule needs one of cron, interval and rrule.');
  if (given.length > 1) {
    throw new BatutaError('SCHEDULE_INVALID', `A schedule takes one of cron, interval and rrule, not ${given.join(' and ')}.`);
  }
  const zone = input.timezone === undefined ? undefined : checkZone(input.timezone);
  if (input.rrule !== undefined) {
    const anchorText = input.anchor;
    const anchorLocal =
      anchorText === undefined ? defaultAnchorLocal : (timezone: string): number => readLocalTime('anchor', anchorText, timezone);
    const { rule, timezone } = checkRecurrence(input.rrule, zone, anchorLocal);
    return { kind: 'rrule', rule, ...boundsOf(input, timezone) };
  }
  const bounds = boundsOf(input, zone ?? 'UTC');
  const { timezone } = bounds;
  if (input.cron !== undefined) {
    if (input.anchor !== undefined)
      throw new BatutaError('SCHEDULE_INVALID', 'A cron expression takes no anchor; only an interval or an rrule does.');
    return { kind: 'cron', expression: checkCron(input.cron), ...bounds };
  }
  const every = readEvery(input.interval ?? '');
  return { kind: 'interval', every, anchor: anchorOf(input.anchor, every, timezone), ...bounds };
}

/** An instant at which the clock shows the anchor's time: if skipped on the day itself, one some intervals before. */
function anchorOf(text: string | undefined, every: Every, timezone: string): number {
  const local = text === undefined ? defaultAnchorLocal : readLocalTime('anchor', text, timezone);
  const step = 'days' in every ? every.days * dayMs : 0;
  for (let before = 0; before < 2; before++) {
    const instant = instantOfLocal(timezone, local - before * step);
    if (localAt(timezone, instant) === local - before * step)
      return text === undefined || before > 0 ? instant : readInstant('anchor', text, timezone);
  }
  throw new BatutaError(
    'SCHEDULE_INVALID',
    `The anchor ${text ?? ''} does not exist in ${timezone}: clocks skip it that day. Take another day or time, or add Z or an offset.`,
    { details: { anchor: text } },
  );
}

/** First tick strictly after an instant, null if there is none. Both UTC epoch ms. */
export function nextAfter(schedule: Schedule, instant: number): number | null {
  const from = schedule.start === null ? instant : Math.max(instant, schedule.start - 1);
  const tick = unboundedNext(schedule, from);
  return tick === null || (schedule.end !== null && tick >= schedule.end) ? null : tick;
}

/** The next ticks strictly after `from`, oldest first; fewer than `count` if the schedule ends. UTC epoch ms. */
export function nextTicks(schedule: Schedule, from: number, count: number): number[] {
  const ticks: number[] = [];
  for (let tick = nextAfter(schedule, from); tick !== null && ticks.length < count; tick = nextAfter(schedule, tick)) ticks.push(tick);
  return ticks;
}

function unboundedNext(schedule: Schedule, from: number): number | null {
  const { timezone } = schedule;
  switch (schedule.kind) {
    case 'cron':
      return nextCron(schedule.expression, timezone, from);
    case 'interval': {
      const { every, anchor } = schedule;
      return 'ms' in every
        ? nextElapsed(every.ms, anchor, from)
        : nextInstant(dayRule(every.days, localAt(timezone, anchor)), timezone, from);
    }
    case 'rrule':
      return nextInstant(recurrenceRule(schedule.rule, timezone), timezone, from);
  }
}

function boundsOf({ start, end }: ScheduleInput, timezone: string): Bounds {
  const bounds = {
    timezone,
    start: start === undefined ? null : readInstant('start', start, timezone),
    end: end === undefined ? null : readInstant('end', end, timezone),
  };
  if (bounds.start !== null && bounds.end !== null && bounds.end <= bounds.start) {
    throw new BatutaError('SCHEDULE_INVALID', `The schedule ends (${end}) before it starts (${start}).`);
  }
  return bounds;
}
