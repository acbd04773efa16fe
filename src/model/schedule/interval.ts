/** Intervals: whole days by wall clock, others in elapsed time. */
import { parseDuration } from '../../base/duration.ts';
import { BatutaError } from '../../base/errors.ts';
import type { LocalRule } from './local-rule.ts';

/** Spacing of ticks. */
export type Every = { readonly days: number } | { readonly ms: number };

const dayMs = 86_400_000;
const leastMs = 1_000;
const mostDays = 36_500;

/**
 * An interval from text such as `'1 hour'`, `'2 days'`, `'PT5M'`, or a number of seconds. A multiple of 24 hours is that many days.
 *
 * @throws BatutaError SCHEDULE_INVALID for a non-duration, 0 or less, under a second or over 100 years
 */
export function readEvery(text: string): Every {
  const trimmed = text.trim();
  const ms = /^[-+]?\d+(\.\d+)?$/.test(trimmed) ? Number(trimmed) * 1_000 : durationOrNaN(trimmed);
  if (Number.isNaN(ms)) {
    throw refuse(text, `The interval '${text}' is not a duration; write '15m', '1 hour', '2 days', 'PT5M', or a number of seconds.`);
  }
  if (ms <= 0) throw refuse(text, `The interval must be longer than 0, not '${text}'.`);
  if (ms < leastMs || ms > mostDays * dayMs) throw refuse(text, `The interval must be from 1 second to ${mostDays} days, not '${text}'.`);
  const whole = Math.round(ms);
  return whole % dayMs === 0 ? { days: whole / dayMs } : { ms: whole };
}

/** Exact elapsed time: the first instant after `instant` a whole number of `ms` from the anchor, in either direction. */
export function nextElapsed(ms: number, anchor: number, instant: number): number {
  return anchor + (Math.floor((instant - anchor) / ms) + 1) * ms;
}

/** The same wall-clock time every `days` days, before and after the anchor. */
export function dayRule(days: number, localAnchor: number): LocalRule {
  const ms = days * dayMs;
  return { next: (local) => localAnchor + Math.ceil((local - localAnchor) / ms) * ms, across: 'once' };
}

function durationOrNaN(text: string): number {
  if (text.startsWith('-') && !Number.isNaN(durationOrNaN(text.slice(1)))) return -1;
  try {
    return parseDuration(text);
  } catch {
    return Number.NaN;
  }
}

function refuse(interval: string, message: string): BatutaError {
  return new BatutaError('SCHEDULE_INVALID', message, { details: { interval } });
}
