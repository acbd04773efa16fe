/** A declared deployment: checked, with its defaults filled in. Kept with each version, so that two can be compared. */
import { parseDuration } from '../base/duration.ts';
import { BatutaError } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';
import { catchupPolicies, conflictPolicies, overlapPolicies } from '../model/deployment.ts';
import type { Catchup, Concurrency, Overlap } from '../model/deployment.ts';
import { checkFairTemplate } from '../model/fairness.ts';
import { checkRate, type Rate } from '../model/rate.ts';
import { isQueueName } from '../model/queue.ts';
import { maxSlots } from '../model/slots.ts';
import { parseSchedule, type Schedule } from '../model/schedule/schedule.ts';
import type { DeploymentSpec, ScheduleSpec } from './deployments-client.ts';
import { cutText } from '../base/cut-text.ts';
import { checkTriggers, type DeclaredTrigger } from './declared-triggers.ts';

/** Plain JSON. */
export interface DeclaredDeployment {
  readonly name: string;
  readonly flow: string;
  readonly description: string | null;
  /** Parameters as given, superjson text; null if none were. */
  readonly params: string | null;
  /** Whether they are all that a run needs; else each schedule has the rest. */
  readonly complete: boolean;
  /** Without those of the flow. */
  readonly tags: readonly string[];
  readonly queue: string;
  readonly priority: number;
  readonly concurrency: Concurrency | null;
  /** Missing if unlimited. */
  readonly rateLimit?: Rate | null;
  /** Missing: as in its flow. */
  readonly slots?: number;
  /** Missing: as in its flow, if that is a template. */
  readonly fairness?: string;
  readonly catchup: Catchup;
  readonly catchupWindowMs: number;
  readonly overlap: Overlap;
  /** Null: from the settings; `keptForever`: forever. */
  readonly retentionMs: number | null;
  readonly runName: string | null;
  /** By slug. */
  readonly schedules: readonly DeclaredSchedule[];
  /** By slug; missing if there are none. */
  readonly triggers?: readonly DeclaredTrigger[];
}

export interface DeclaredSchedule {
  readonly slug: string;
  readonly schedule: Schedule;
  /** Parameters as given, superjson text; null if none were. */
  readonly params: string | null;
  readonly jitterMs: number;
}

/** The parts that are declared without the flow. */
export type CheckedSpec = Omit<DeclaredDeployment, 'params' | 'complete' | 'schedules'> & {
  readonly paused: boolean;
  readonly schedules: readonly (Omit<DeclaredSchedule, 'params'> & {
    readonly params: Readonly<Record<string, unknown>> | undefined;
    readonly paused: boolean;
  })[];
};

/** A retention that never ends, ms: an instant that far back is before every run. */
export const keptForever = Number.MAX_SAFE_INTEGER;

const hourMs = 3_600_000;
const maxSchedules = 100;
const specNames = [
  'name',
  'flow',
  'description',
  'params',
  'tags',
  'queue',
  'priority',
  'concurrency',
  'rateLimit',
  'slots',
  'fairness',
  'catchup',
  'catchupWindow',
  'overlap',
  'retention',
  'runName',
  'paused',
  'schedules',
  'on',
] as const satisfies readonly (keyof DeploymentSpec)[];
const scheduleNames = [
  'cron',
  'interval',
  'rrule',
  'timezone',
  'anchor',
  'start',
  'end',
  'slug',
  'params',
  'jitter',
  'paused',
] as const satisfies readonly (keyof ScheduleSpec)[];

/**
 * Checks a spec, except its parameters, which are checked by the flow's schema.
 *
 * @param flow name of the flow. @throws BatutaError NAME_INVALID, OPTION_INVALID, OPTION_UNKNOWN, SCHEDULE_INVALID, TRIGGER_INVALID,
 *   DURATION_INVALID
 */
export function checkSpec(spec: DeploymentSpec, flow: string): CheckedSpec {
  const name = spec.name ?? flow;
  if (!isQueueName(name)) {
    const why = spec.name === undefined ? `The flow's name cannot be that of a deployment; give it one.` : '';
    throw new BatutaError(
      'NAME_INVALID',
      `${JSON.stringify(name)} is not a valid name for a deployment: use 1 to 100 letters, digits, _, . and -, and begin with a letter or digit. ${why}`.trim(),
      { details: { deployment: name } },
    );
  }
  const place = `Deployment ${name}`;
  refuseUnknown(place, spec, specNames);
  const { schedules = [], retention } = spec;
  if (!Array.isArray(schedules)) throw invalid(place, 'schedules', schedules, 'a list such as [{ cron: "0 0 * * *" }]');
  if (schedules.length > maxSchedules) throw invalid(place, 'schedules', `${schedules.length} of them`, `at most ${maxSchedules}`);
  const triggers = checkTriggers(place, spec.on);
  return {
    name,
    flow,
    description: textOf(place, 'description', spec.description),
    tags: tagsOf(place, spec.tags),
    queue: queueOf(place, spec.queue),
    priority: priorityOf(place, spec.priority),
    concurrency: concurrencyOf(place, spec.concurrency),
    ...(spec.rateLimit === undefined ? {} : { rateLimit: checkRate(place, spec.rateLimit) as Rate }),
    ...(spec.fairness === undefined ? {} : { fairness: checkFairTemplate(place, spec.fairness) }),
    ...(spec.slots === undefined ? {} : { slots: slotsOf(place, spec.slots) }),
    catchup: wordOf(place, 'catchup', spec.catchup, catchupPolicies) ?? 'latest',
    catchupWindowMs: durationOf(place, 'catchupWindow', spec.catchupWindow) ?? hourMs,
    overlap: wordOf(place, 'overlap', spec.overlap, overlapPolicies) ?? 'allow',
    retentionMs: retention === 'forever' ? keptForever : (durationOf(place, 'retention', retention) ?? null),
    runName: textOf(place, 'runName', spec.runName),
    paused: spec.paused ?? false,
    schedules: schedulesOf(place, schedules),
    ...(triggers.length === 0 ? {} : { triggers }),
  };
}

function schedulesOf(place: string, specs: readonly ScheduleSpec[]): CheckedSpec['schedules'] {
  const counts = { cron: 0, interval: 0, rrule: 0 };
  const checked = specs.map((spec) => {
    if (typeof spec !== 'object' || spec === null) throw invalid(place, 'schedules', spec, 'a list such as [{ cron: "0 0 * * *" }]');
    refuseUnknown(`${place}, a schedule`, spec, scheduleNames);
    for (const kind of ['cron', 'interval', 'rrule', 'timezone', 'anchor', 'start', 'end'] as const) {
      if (spec[kind] !== undefined && typeof spec[kind] !== 'string')
        throw new BatutaError('SCHEDULE_INVALID', `${place}: ${kind} of a schedule must be text, not ${shown(spec[kind])}.`);
    }
    const { slug, params, jitter, paused = false, ...input } = spec;
    const schedule = parseSchedule(input);
    counts[schedule.kind] += 1;
    const numbered = counts[schedule.kind] === 1 ? schedule.kind : `${schedule.kind}-${counts[schedule.kind]}`;
    if (params !== undefined && !isFields(params)) throw invalid(place, 'params of a schedule', params, 'an object of parameters');
    return { slug: slugOf(place, slug ?? numbered), schedule, params, jitterMs: durationOf(place, 'jitter', jitter) ?? 0, paused };
  });
  const sorted = checked.sort((a, b) => (a.slug < b.slug ? -1 : 1));
  const twice = sorted.find(({ slug }, at) => sorted[at + 1]?.slug === slug);
  if (twice) throw new BatutaError('NAME_INVALID', `${place} has two schedules called '${twice.slug}'; give each a slug of its own.`);
  return sorted;
}

function slugOf(place: string, slug: unknown): string {
  if (isQueueName(slug)) return slug;
  throw new BatutaError(
    'NAME_INVALID',
    `${place}: ${shown(slug)} is not a valid slug for a schedule; use 1 to 100 letters, digits, _, . and -, and begin with a letter or digit.`,
  );
}

function concurrencyOf(place: string, value: DeploymentSpec['concurrency']): Concurrency | null {
  if (value === undefined || value === null) return null;
  const { limit, key, onConflict }: { limit: unknown; key?: unknown; onConflict?: unknown } =
    typeof value === 'object' ? value : { limit: value };
  if (typeof value === 'object') refuseUnknown(`${place}, concurrency`, value, ['limit', 'key', 'onConflict']);
  if (typeof limit !== 'number' || !Number.isSafeInteger(limit) || limit < 1)
    throw invalid(place, 'concurrency', limit, 'a whole number from 1, or { limit, key, onConflict }');
  return {
    limit,
    key: textOf(place, 'key of concurrency', key),
    onConflict: wordOf(place, 'onConflict of concurrency', onConflict, conflictPolicies) ?? 'queue',
  };
}

function queueOf(place: string, queue: unknown): string {
  if (queue === undefined) return 'default';
  if (isQueueName(queue)) return queue;
  throw new BatutaError(
    'NAME_INVALID',
    `${place}: ${shown(queue)} is not a valid name for a queue; use 1 to 100 letters, digits, _, . and -.`,
  );
}

function priorityOf(place: string, priority: unknown): number {
  if (priority === undefined) return 0;
  if (typeof priority === 'number' && Number.isInteger(priority) && Math.abs(priority) <= 100) return priority;
  throw invalid(place, 'priority', priority, 'a whole number from -100 to 100');
}

function slotsOf(place: string, slots: unknown): number {
  if (typeof slots === 'number' && Number.isInteger(slots) && slots >= 1 && slots <= maxSlots) return slots;
  throw invalid(place, 'slots', slots, `a whole number from 1 to ${maxSlots}`);
}

function tagsOf(place: string, tags: unknown): readonly string[] {
  if (tags === undefined) return [];
  if (Array.isArray(tags) && tags.every((tag) => typeof tag === 'string' && tag !== '')) return [...new Set(tags as string[])];
  throw invalid(place, 'tags', tags, "a list of texts, e.g. ['sales', 'daily']");
}

function textOf(place: string, name: string, value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string' && value !== '') return value;
  throw invalid(place, name, value, 'text that is not empty');
}

function wordOf<T extends string>(place: string, name: string, value: unknown, allowed: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  const found = allowed.find((word) => word === value);
  if (found !== undefined) return found;
  const hint = typeof value === 'string' ? hintFor(value, allowed, 'Allowed are') : ` Allowed are: ${allowed.join(', ')}.`;
  throw new BatutaError('OPTION_INVALID', `${place}: ${name} cannot be ${shown(value)}.${hint}`, { details: { option: name } });
}

function durationOf(place: string, name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  try {
    return parseDuration(value);
  } catch (cause) {
    throw new BatutaError('DURATION_INVALID', `${place}: ${name} ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function refuseUnknown(place: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new BatutaError('OPTION_UNKNOWN', `${place}: there is no option '${unknown}'.${hintFor(unknown, known, 'The options are')}`, {
    details: { option: unknown },
  });
}

function invalid(place: string, name: string, value: unknown, wanted: string): BatutaError {
  return new BatutaError('OPTION_INVALID', `${place}: ${name} must be ${wanted}, not ${shown(value)}.`, { details: { option: name } });
}

function shown(value: unknown): string {
  if (typeof value === 'string') return `'${cutText(value, 60)}'`;
  if (typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined) return String(value);
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
