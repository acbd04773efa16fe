/** What a deploy changes, in words for people. Pure. */
import { forPeople } from '../model/sensitive.ts';
import { durationWords, periodWords } from '../base/duration.ts';
import type { Concurrency } from '../model/deployment.ts';
import { type Rate, rateText } from '../model/rate.ts';
import type { Schedule } from '../model/schedule/schedule.ts';
import { decodeValue } from '../model/values.ts';
import { type DeclaredDeployment, type DeclaredSchedule, keptForever } from './declared-deployment.ts';
import type { DeployChange } from './deployments-client.ts';
import { cutText } from '../base/cut-text.ts';
import { triggerText } from '../model/triggers/words.ts';
import type { DeclaredTrigger } from './declared-triggers.ts';

/** What is compared besides the declaration. */
export interface DeployedFacts {
  readonly flowVersion: string;
  readonly source: string | null;
  readonly origin: string;
}

/** Longest value shown, in characters. */
const maxChars = 60;

type Shown = readonly [what: string, text: string | null];

/** The changes from one declaration to the next, in a fixed order; empty if they are the same. */
export function deployChanges(
  before: DeclaredDeployment & DeployedFacts,
  after: DeclaredDeployment & DeployedFacts,
): readonly DeployChange[] {
  return [
    ...differences(shownFields(before), shownFields(after)),
    ...differences(shownParams('parameter', before.params), shownParams('parameter', after.params)),
    ...scheduleChanges(before.schedules, after.schedules),
    ...differences(shownTriggers(before.triggers), shownTriggers(after.triggers)),
  ];
}

const declaredBy: Readonly<Partial<Record<string, string>>> = { config: 'the configuration file', command: 'a command', code: 'a program' };

function shownFields(one: DeclaredDeployment & DeployedFacts): Shown[] {
  return [
    ['flow', one.flow],
    ['flow version', one.flowVersion],
    ['source', one.source],
    ['declared by', declaredBy[one.origin] ?? null],
    ['description', one.description],
    ['tags', one.tags.length === 0 ? null : one.tags.join(', ')],
    ['queue', one.queue],
    ['priority', String(one.priority)],
    ['concurrency', concurrencyText(one.concurrency)],
    ['rate limit', rateLimitText(one.rateLimit ?? null)],
    ['fairness', one.fairness ?? null],
    ['slots', one.slots === undefined ? null : String(one.slots)],
    ['catchup', one.catchup],
    ['catchup window', durationWords(one.catchupWindowMs)],
    ['overlap', one.overlap],
    ['retention', one.retentionMs === null ? null : one.retentionMs === keptForever ? 'forever' : durationWords(one.retentionMs)],
    ['run name', one.runName],
  ];
}

/** One line per parameter, so that one change does not show all. */
function shownParams(what: string, params: string | null): Shown[] {
  const value = decodeValue(params === null ? null : forPeople(params, 'hash'));
  if (value === undefined) return [];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[`${what}s`, valueText(value)]];
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => [`${what} ${name}`, valueText(member)]);
}

function scheduleChanges(before: readonly DeclaredSchedule[], after: readonly DeclaredSchedule[]): DeployChange[] {
  const slugs = [...new Set([...before, ...after].map(({ slug }) => slug))].sort();
  return slugs.flatMap((slug) => {
    const [was, is] = [before, after].map((list) => list.find((one) => one.slug === slug));
    const what = `schedule ${slug}`;
    if (!was || !is) return [{ what, before: was ? wholeText(was.schedule) : null, after: is ? wholeText(is.schedule) : null }];
    return differences(shownSchedule(what, was), shownSchedule(what, is));
  });
}

function shownSchedule(what: string, { schedule, params, jitterMs }: DeclaredSchedule): Shown[] {
  return [
    [what, ruleText(schedule)],
    [`${what} timezone`, schedule.timezone],
    [`${what} anchor`, schedule.kind === 'interval' ? instantText(schedule.anchor) : null],
    [`${what} start`, instantText(schedule.start)],
    [`${what} end`, instantText(schedule.end)],
    [`${what} jitter`, jitterMs === 0 ? null : durationWords(jitterMs)],
    ...shownParams(`${what} parameter`, params),
  ];
}

/** One line per trigger; filters and mappings as JSON. */
function shownTriggers(triggers: readonly DeclaredTrigger[] = []): Shown[] {
  return triggers.map(({ slug, rule }) => [`trigger ${slug}`, triggerText(rule)]);
}

function differences(before: readonly Shown[], after: readonly Shown[]): DeployChange[] {
  const [was, is] = [new Map(before), new Map(after)];
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((what) => {
    const [old, now] = [was.get(what) ?? null, is.get(what) ?? null];
    return old === now ? [] : [{ what, before: old === null ? null : cut(old), after: now === null ? null : cut(now) }];
  });
}

/** The rule of a schedule in brief: `0 0 * * *`, `every hour`, the lines of an RRULE. */
export function ruleText(schedule: Schedule): string {
  switch (schedule.kind) {
    case 'cron':
      return schedule.expression;
    case 'rrule':
      return schedule.rule.replaceAll('\n', ' ');
    case 'interval': {
      const { every } = schedule;
      if ('ms' in every) return `every ${periodWords(every.ms)}`;
      return every.days === 1 ? 'every day' : `every ${every.days} days`;
    }
  }
}

function wholeText(schedule: Schedule): string {
  return cut(schedule.timezone === 'UTC' ? ruleText(schedule) : `${ruleText(schedule)} in ${schedule.timezone}`);
}

function rateLimitText(rate: Rate | null): string | null {
  if (rate === null) return null;
  return `${rateText(rate.limit, rate.perMs)}${rate.key === null ? '' : ` for each ${rate.key}`}`;
}

function concurrencyText(concurrency: Concurrency | null): string | null {
  if (concurrency === null) return null;
  const { limit, key, onConflict } = concurrency;
  const others = { queue: 'others wait', skip: 'others are dropped', 'cancel-running': 'a new one cancels the oldest' }[onConflict];
  return `${limit} at a time${key === null ? '' : ` for each ${key}`}, ${others}`;
}

function instantText(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString().replace('.000Z', 'Z');
}

function valueText(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  return JSON.stringify(value, (_key, member: unknown) => (typeof member === 'bigint' ? `${member}n` : member)) ?? String(value);
}

function cut(text: string): string {
  return cutText(text, maxChars, '…');
}
