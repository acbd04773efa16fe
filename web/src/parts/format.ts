/** Numbers, sizes, durations and times as text. Pure. */
import { byteSize } from '../../../src/base/byte-size.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

const monthFormat = new Intl.DateTimeFormat('en-GB', { month: 'long', timeZone: 'UTC' });

/** A duration in ms: `340 ms`, `4.2 s`, `1 m 12 s`, `3 h 5 m`, `2 d 4 h`; a dash for null. Never negative. */
export function durationText(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || Number.isNaN(ms)) return '–';
  const length = Math.max(0, ms);
  if (length < second) return `${Math.round(length)} ms`;
  if (length < 10 * second) return `${(Math.floor(length / 100) / 10).toFixed(1)} s`;
  if (length < minute) return `${Math.floor(length / second)} s`;
  if (length < hour) return pair(length, minute, 'm', second, 's');
  if (length < day) return pair(length, hour, 'h', minute, 'm');
  return pair(length, day, 'd', hour, 'h');
}

/** An exact duration as people type it, which the server parses to the same value: `10m`, `36h`, `1500ms`. */
export function typedDuration(ms: number): string {
  const units = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;
  const [unit, size] = ms === 0 ? ['s', 1] : (Object.entries(units).find(([, one]) => ms % one === 0) ?? ['ms', 1]);
  return `${ms / size}${unit}`;
}

/** A size in bytes: `96.0 MiB`; a dash for null. */
export function bytesText(bytes: number | null | undefined): string {
  return bytes === null || bytes === undefined ? '–' : byteSize(bytes);
}

/** Like `durationText`, in whole seconds, for running things: it does not flicker. */
export function runningText(ms: number): string {
  return ms < second ? '0 s' : durationText(Math.floor(ms / second) * second).replace(/\.\d s$/, ' s');
}

function pair(ms: number, big: number, bigUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((ms % big) / small);
  return `${Math.floor(ms / big)} ${bigUnit}${rest === 0 ? '' : ` ${rest} ${smallUnit}`}`;
}

/** `3 min ago`, `in 42 s`, `now` within a day of `now`, else the local date and time. All epoch ms. */
export function relativeText(at: number, now: number): string {
  const distance = Math.abs(at - now);
  if (distance >= day) return dateTimeText(at, now);
  if (distance < second) return 'now';
  const length =
    distance < minute
      ? `${Math.floor(distance / second)} s`
      : distance < hour
        ? `${Math.floor(distance / minute)} min`
        : `${Math.floor(distance / hour)} h`;
  return at > now ? `in ${length}` : `${length} ago`;
}

/** Local date and time: `15:04` today, `21 Nov 15:04` this year, else with the year; the clock with seconds if asked for. */
export function dateTimeText(at: number, now: number, withSeconds = false): string {
  const date = new Date(at);
  const clock = clockText(at, withSeconds);
  if (date.toDateString() === new Date(now).toDateString()) return clock;
  const dayText = `${date.getDate()} ${shortMonthNames[date.getMonth()] ?? ''}`;
  return date.getFullYear() === new Date(now).getFullYear() ? `${dayText} ${clock}` : `${dayText} ${date.getFullYear()} ${clock}`;
}

/** `15:04`, local; with seconds `15:04:09`. */
export function clockText(at: number, withSeconds = false): string {
  const date = new Date(at);
  const parts = [date.getHours(), date.getMinutes(), ...(withSeconds ? [date.getSeconds()] : [])];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}

/** `January` to `December`. */
export const monthNames: readonly string[] = Array.from({ length: 12 }, (_, month) => monthFormat.format(Date.UTC(2026, month)));

/** `Jan` to `Dec`. */
export const shortMonthNames: readonly string[] = monthNames.map((name) => name.slice(0, 3));

/** Both clocks, for hovering: the viewer's zone, then UTC. */
export function bothClocks(at: number): { readonly local: string; readonly utc: string } {
  const local = localFormat.format(at);
  return { local: `${local} ${zone}`, utc: `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC` };
}

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
// Created once: creating one takes longer than drawing a row.
const localFormat = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium', timeZone: zone });

/** A count with thin spaces between thousands: `12 345`. */
export function countText(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** Any number, with thousands separated as in a count: `12 345.5`, `-0.25`. */
export function numberText(value: number): string {
  const [whole = '', rest = ''] = value.toLocaleString('en', { useGrouping: false, maximumFractionDigits: 3 }).split('.');
  return `${whole.replace(/\B(?=(\d{3})+$)/g, '\u202f')}${rest === '' ? '' : `.${rest}`}`;
}

/** `1 run`, `12 runs`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}

/** A share from 0 to 1: `98.8 %`; never rounded to 100 % or 0 % unless it is. */
export function percentText(share: number): string {
  const tenths = Math.round(share * 1000) / 10;
  const shown = share < 1 && tenths === 100 ? 99.9 : share > 0 && tenths === 0 ? 0.1 : tenths;
  return `${shown} %`;
}
