/** Differences between a version of a deployment and the previous one, as lines for people. Pure. */
import { durationText } from '../../parts/format.ts';
import { cutText } from '../../../../src/base/cut-text.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Longest value shown, in characters. */
const mostChars = 80;

/** Labels of members whose names are unclear. */
const names: Readonly<Record<string, string>> = {
  catchupWindowMs: 'catchup window',
  retentionMs: 'retention',
  runName: 'run name',
};

/** One line per change, e.g. `queue: default → heavy`, `schedule nightly: 0 2 * * * → 0 3 * * *`, `parameter a: 1 → 2`. */
export function specChanges(before: unknown, after: unknown): readonly string[] {
  const [old, now] = [fieldsOf(before), fieldsOf(after)];
  if (old === null || now === null) return before === after ? [] : [`all of it: ${shown(before)} → ${shown(after)}`];
  return [
    ...differences(membersOf(old), membersOf(now)),
    ...differences(paramsOf('parameter', old['params']), paramsOf('parameter', now['params'])),
    ...scheduleChanges(schedulesOf(old), schedulesOf(now)),
  ];
}

/** Members without special treatment. */
function membersOf(spec: Fields): Map<string, string> {
  const apart = new Set(['params', 'schedules', 'complete']);
  return new Map(
    Object.entries(spec)
      .filter(([name]) => !apart.has(name))
      .map(([name, value]) => [names[name] ?? name, name.endsWith('Ms') && typeof value === 'number' ? durationText(value) : shown(value)]),
  );
}

/** One line per parameter, so that a change of one does not show all. They are stored as the text of `{ json, meta? }`. */
function paramsOf(what: string, params: unknown): Map<string, string> {
  const value = typeof params === 'string' ? jsonIn(params) : params;
  const fields = fieldsOf(value);
  if (fields === null) return new Map([[`${what}s`, shown(value)]]);
  return new Map(Object.entries(fields).map(([name, member]) => [`${what} ${name}`, JSON.stringify(member) ?? 'none']));
}

function jsonIn(text: string): unknown {
  try {
    return fieldsOf(JSON.parse(text))?.['json'] ?? null;
  } catch {
    return text;
  }
}

/** By slug. */
function schedulesOf({ schedules }: Fields): ReadonlyMap<string, Fields> {
  const list: readonly unknown[] = Array.isArray(schedules) ? schedules : [];
  return new Map(list.flatMap((item) => (fieldsOf(item) === null ? [] : [[String(fieldsOf(item)?.['slug']), fieldsOf(item) ?? {}]])));
}

function scheduleChanges(before: ReadonlyMap<string, Fields>, after: ReadonlyMap<string, Fields>): string[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((slug) => {
    const [was, is] = [before.get(slug), after.get(slug)];
    const what = `schedule ${slug}`;
    if (was === undefined || is === undefined) return [`${what}: ${wholeOf(was)} → ${wholeOf(is)}`];
    return [
      ...differences(scheduleMembers(what, was), scheduleMembers(what, is)),
      ...differences(paramsOf(`${what} parameter`, was['params']), paramsOf(`${what} parameter`, is['params'])),
    ];
  });
}

function scheduleMembers(what: string, { schedule, jitterMs }: Fields): Map<string, string> {
  const { timezone, start, end, anchor } = fieldsOf(schedule) ?? {};
  return new Map([
    [what, ruleOf(schedule)],
    [`${what} timezone`, shown(timezone)],
    [`${what} anchor`, instantOf(anchor)],
    [`${what} start`, instantOf(start)],
    [`${what} end`, instantOf(end)],
    [`${what} jitter`, typeof jitterMs === 'number' && jitterMs > 0 ? durationText(jitterMs) : 'none'],
  ]);
}

function wholeOf(item: Fields | undefined): string {
  if (item === undefined) return 'none';
  const { timezone } = fieldsOf(item['schedule']) ?? {};
  return timezone === undefined || timezone === 'UTC' ? ruleOf(item['schedule']) : `${ruleOf(item['schedule'])} in ${shown(timezone)}`;
}

/** `0 2 * * *`, `every 15 m`, `every 2 days`, the lines of a recurrence rule. */
function ruleOf(schedule: unknown): string {
  const { expression, rule, every } = fieldsOf(schedule) ?? {};
  if (expression !== undefined) return shown(expression);
  if (rule !== undefined) return shown(rule).replaceAll('\n', ' ');
  const { ms, days } = fieldsOf(every) ?? {};
  if (typeof ms === 'number') return `every ${durationText(ms)}`;
  if (typeof days === 'number') return days === 1 ? 'every day' : `every ${days} days`;
  return shown(schedule);
}

function instantOf(at: unknown): string {
  return typeof at === 'number' ? new Date(at).toISOString() : shown(at);
}

function differences(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((what) => {
    const [old, now] = [before.get(what) ?? 'none', after.get(what) ?? 'none'];
    return old === now ? [] : [`${what}: ${cut(old)} → ${cut(now)}`];
  });
}

function fieldsOf(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

function shown(value: unknown): string {
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) return 'none';
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function cut(text: string): string {
  return cutText(text, mostChars, '…');
}
