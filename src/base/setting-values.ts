/** How the text of a setting becomes a value, and a value text. Readers throw an Error that says what the value must be. */
import { parseDuration } from './duration.ts';
import { maskAddress } from './mask.ts';

const dayMs = 86_400_000;
const hidden = '********';

/** Text that is not empty, without space around it. */
export function readText(value: unknown): string {
  if (typeof value === 'string' && value.trim() !== '') return value.trim();
  throw new Error('must be text that is not empty');
}

/** Reads a URL that starts in one of the given ways. */
export function readUrl(starts: readonly string[]): (value: unknown) => string {
  return (value) => {
    const text = readText(value);
    if (!starts.some((start) => text.startsWith(start) && text.length > start.length)) {
      throw new Error(`must start with ${starts.map((start) => `'${start}'`).join(' or ')} and go on after it`);
    }
    if (!text.startsWith('sqlite:') && !URL.canParse(text)) throw new Error('must be a URL');
    return text;
  };
}

/** A list of paths, or text that separates them by commas. Frozen, at least one. */
export function readPaths(value: unknown): readonly string[] {
  const parts: readonly unknown[] =
    typeof value === 'string' ? value.split(',').filter((part) => part.trim() !== '') : Array.isArray(value) ? value : [];
  if (parts.length === 0) throw new Error('must name at least one folder or file');
  return Object.freeze(parts.map(readText));
}

/** Reads a whole number from `min` to `max`, as a number or digits. */
export function readWhole(min: number, max: number): (value: unknown) => number {
  return (value) => {
    const number = typeof value === 'string' && /^\s*\d+\s*$/.test(value) ? Number(value) : value;
    if (typeof number === 'number' && Number.isInteger(number) && number >= min && number <= max) return number;
    throw new Error(`must be a whole number from ${min} to ${max}`);
  };
}

/** Reads a duration of at least `minMs`; bare digits are milliseconds. */
export function readDuration(minMs: number): (value: unknown) => number {
  return (value) => {
    const ms = parseDuration(typeof value === 'string' && /^\s*\d+\s*$/.test(value) ? Number(value) : value);
    if (ms < minMs) throw new Error(`must be at least ${showMs(minMs)}`);
    return ms;
  };
}

const units: Readonly<Record<string, number>> = { '': 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** Reads a size as `65536`, `64KiB`, `64 KB`, `64k`, `1.5MiB`; K, M and G are powers of 1024. Gives bytes. */
export function readBytes(min: number, max: number): (value: unknown) => number {
  return (value) => {
    const [, digits, unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*(?:([kmg])(?:i?b)?|b)?\s*$/i.exec(String(value)) ?? [];
    const bytes = digits === undefined ? Number.NaN : Number(digits) * (units[unit.toLowerCase()] ?? Number.NaN);
    if (Number.isInteger(bytes) && bytes >= min && bytes <= max) return bytes;
    throw new Error(`must be a size from ${showBytes(min)} to ${showBytes(max)}`);
  };
}

/** A size in the largest unit that says it exactly, in the form that is read back. */
export function showBytes(bytes: number): string {
  for (const [size, unit] of [
    [1024 ** 3, 'GiB'],
    [1024 ** 2, 'MiB'],
    [1024, 'KiB'],
  ] as const) {
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return `${bytes}`;
}

/** Reads one of some words, in any case. */
export function readOneOf<T extends string>(allowed: readonly T[]): (value: unknown) => T {
  return (value) => {
    const found = allowed.find((one) => typeof value === 'string' && one === value.trim().toLowerCase());
    if (found === undefined) throw new Error(`must be one of ${allowed.join(', ')}`);
    return found;
  };
}

/** True for true, 1, yes, on; false for false, 0, no, off; any case. */
export function readBoolean(value: unknown): boolean {
  const text = String(value).trim().toLowerCase();
  if (['true', '1', 'yes', 'on'].includes(text)) return true;
  if (['false', '0', 'no', 'off'].includes(text)) return false;
  throw new Error('must be true or false');
}

/** Stars in place of a secret; nothing when it is unset. */
export function hide(value: string | null): string {
  return value === null ? '' : hidden;
}

/** Hides the password of an address, and what its query calls a password. */
export function hidePassword(url: string): string {
  return maskAddress(url, hidden);
}

/** A length of time in the largest unit that says it exactly, in the form that is read back. */
export function showMs(ms: number): string {
  for (const [unitMs, unit] of [
    [dayMs, 'd'],
    [3_600_000, 'h'],
    [60_000, 'm'],
    [1_000, 's'],
  ] as const) {
    if (ms >= unitMs && ms % unitMs === 0) return `${ms / unitMs}${unit}`;
  }
  return `${ms}ms`;
}
