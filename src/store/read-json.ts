/**
 * Reads JSON of columns so that one unreadable row fails no list and no batch.
 *
 * What this program writes is always JSON; a file may be edited by hand, or hold what an older version left. Such a column is read as
 * empty. Where that would be wrong (the rule of a schedule, a limit), the caller sets the row aside by its name instead.
 */
import type { Concurrency } from '../model/deployment.ts';
import type { Owner } from '../model/run.ts';
import type { Rate } from '../model/rate.ts';
import type { Schedule } from '../model/schedule/schedule.ts';

/** What a column holds; null if that is nothing or not JSON. */
export function readJson<T>(text: string | null): T | null {
  if (text === null) return null;
  try {
    return JSON.parse(text) as T;
  } catch {
    return null;
  }
}

/** The texts of a list; empty if the column holds none. */
export function readTexts(text: string | null): readonly string[] {
  const list = readJson<unknown>(text);
  return Array.isArray(list) ? list.filter((entry): entry is string => typeof entry === 'string') : [];
}

/** The objects of a list; empty if the column holds none. */
export function readObjects<T extends object>(text: string | null): readonly T[] {
  const list = readJson<unknown>(text);
  return Array.isArray(list) ? list.filter((entry): entry is T => typeof entry === 'object' && entry !== null) : [];
}

/** The fields of an object; null if the column holds none. */
export function readFields<T extends object>(text: string | null): T | null {
  const value = readJson<unknown>(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as T) : null;
}

/** The fields of an object that has fields of these kinds at least; null if the column holds none. */
export function readShaped<T extends object>(text: string | null, kinds: Readonly<Record<string, 'string' | 'number'>>): T | null {
  const fields = readFields<Record<string, unknown>>(text);
  return fields !== null && Object.entries(kinds).every(([key, kind]) => typeof fields[key] === kind) ? (fields as T) : null;
}

/** An owner; one without all that identifies a process is none. */
export function readOwner(text: string | null): Owner | null {
  return readShaped<Owner>(text, { id: 'string', host: 'string', pid: 'number', processStartedAt: 'number' });
}

/** Numbers by name; what is no number is left out. Null if the column holds no object. */
export function readNumbers(text: string | null): Record<string, number> | null {
  const fields = readFields<Record<string, unknown>>(text);
  if (fields === null || Object.values(fields).every((value) => typeof value === 'number')) return fields as Record<string, number> | null;
  return Object.fromEntries(Object.entries(fields).filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
}

/** How far a task has got. */
export function readProgress(text: string | null): { readonly done: number; readonly total: number | null } | null {
  const read = readShaped<{ readonly done: number; readonly total?: unknown }>(text, { done: 'number' });
  return read === null ? null : { done: read.done, total: typeof read.total === 'number' ? read.total : null };
}

/** Name of an owner for messages; an unreadable one has a name all the same. */
export function ownerName(text: string | null): string {
  return text === null ? '' : (readOwner(text)?.id ?? 'of an owner that cannot be read');
}

/** A limit as declared. An unreadable one allows one active run: none would be wrong, and many would be dangerous. */
export function readConcurrency(text: string): Concurrency {
  const read = readFields<Concurrency>(text);
  return typeof read?.limit === 'number' ? read : { limit: 1, key: null, onConflict: 'queue' };
}

/** A rate as declared. An unreadable one lets one begin a minute, for the same reason. */
export function readRate(text: string): Rate {
  const read = readFields<Rate>(text);
  return typeof read?.limit === 'number' && typeof read.perMs === 'number' ? read : { limit: 1, perMs: 60_000, key: null };
}

/** The rule of a schedule; an unreadable one is a cron expression that says so, which is refused when its ticks are computed. */
export function readSchedule(text: string): Schedule {
  const read = readFields<Schedule>(text);
  return read !== null && typeof read.kind === 'string' ? read : unreadableSchedule;
}

const unreadableSchedule: Schedule = { kind: 'cron', expression: '(cannot be read)', timezone: 'UTC', start: null, end: null };
