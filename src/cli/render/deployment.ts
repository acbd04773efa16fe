/** Deployments and their schedules, for people and as JSON. */
import { forPeople } from '../../model/sensitive.ts';
import { durationWords } from '../../base/duration.ts';
import type { DeployChange, DeploymentView, DeployReport, GraphChange, LastRun, TouchedRuns } from '../../client/deployments-client.ts';
import { toWire } from '../../client/wire.ts';
import type { DeploymentSchedule } from '../../model/deployment.ts';
import { markOf, touchedChanges } from '../../model/schedule/changes.ts';
import { describeMark, describeSchedule, wallText } from '../../model/schedule/words.ts';
import { nextTicks, type Schedule } from '../../model/schedule/schedule.ts';
import { decodeValue } from '../../model/values.ts';
import { countOf } from './bar.ts';
import { plainJson } from './plain-json.ts';
import type { Paint } from './shapes.ts';
import { triggerJson, triggerLines } from './triggers.ts';
import { agoText, isoOrNull } from './times.ts';
import { oneLine } from './width.ts';

/** A deployment with its schedules and newest run. */
export function deploymentJson(view: DeploymentView): object {
  const {
    id,
    name,
    flow,
    flowVersion,
    source,
    version,
    description,
    tags,
    queue,
    priority,
    concurrency,
    catchup,
    rateLimit = null,
    slots = 1,
    fairness = null,
  } = view;
  return {
    ...{ id, name, flow, flowVersion, source, version, description },
    params: plainJson(decodeValue(forPeople(view.params))),
    ...{
      tags,
      queue,
      priority,
      concurrency,
      rateLimit,
      slots,
      fairness,
      catchup,
      catchupWindowMs: view.catchupWindowMs,
      overlap: view.overlap,
    },
    // JSON has no number for it.
    retentionMs: view.retentionMs === Number.MAX_SAFE_INTEGER ? 'forever' : view.retentionMs,
    runName: view.runName,
    paused: view.pausedAt !== null,
    pausedAt: isoOrNull(view.pausedAt),
    origin: view.origin,
    createdAt: isoOrNull(view.createdAt),
    updatedAt: isoOrNull(view.updatedAt),
    nextTickAt: isoOrNull(nextTickOf(view)),
    schedules: view.schedules.map(scheduleJson),
    triggers: (view.triggers ?? []).map(triggerJson),
    lastRun: view.lastRun && lastRunJson(view.lastRun),
  };
}

/** Result of a deploy: the deployment with `outcome`, `changes`, `graph` and `touched`. */
export function reportJson({ deployment, outcome, changes, graph, touched }: DeployReport): object {
  return { ...deploymentJson(deployment), outcome, changes, graph, touched };
}

/** Earliest next tick of its schedules that are not paused; null if it is paused itself, or there is none. */
export function nextTickOf({ pausedAt, schedules }: Pick<DeploymentView, 'pausedAt' | 'schedules'>): number | null {
  if (pausedAt !== null) return null;
  const ticks = schedules.flatMap((schedule) => (schedule.pausedAt === null && schedule.nextTickAt !== null ? [schedule.nextTickAt] : []));
  return ticks.length === 0 ? null : Math.min(...ticks);
}

function scheduleJson({ id, slug, schedule, params, jitterMs, pausedAt, nextTickAt, fault }: DeploymentSchedule): object {
  const { kind, timezone, start, end } = schedule;
  return {
    ...{ id, slug, kind },
    ...(schedule.kind === 'cron' ? { cron: schedule.expression } : {}),
    ...(schedule.kind === 'interval' ? { every: schedule.every, anchor: isoOrNull(schedule.anchor) } : {}),
    ...(schedule.kind === 'rrule' ? { rrule: schedule.rule } : {}),
    timezone,
    words: describeSchedule(schedule),
    start: isoOrNull(start),
    end: isoOrNull(end),
    params: params === null ? null : plainJson(decodeValue(forPeople(params))),
    jitterMs,
    paused: pausedAt !== null,
    pausedAt: isoOrNull(pausedAt),
    nextTickAt: isoOrNull(nextTickAt),
    ...(fault === undefined ? {} : { fault }),
  };
}

function lastRunJson({ id, name, state, scheduledFor, createdAt, startedAt, endedAt }: LastRun): object {
  return toWire({ id, name, state, scheduledFor, createdAt, startedAt, endedAt });
}

const signs = { created: '+', changed: '~', unchanged: '=', deleted: '-' } as const;
const hues = { created: 'green', changed: 'yellow', unchanged: 'dim', deleted: 'red' } as const;

/** Title and changes; with `ticks` also its schedules in words and their next ticks. */
export function deployLines(report: DeployReport, now: number, paint: Paint, options: { readonly ticks: boolean }): string[] {
  const { outcome, deployment, changes, graph, touched } = report;
  const title = `${paint[hues[outcome]](`${signs[outcome]} ${outcome}`)}  ${paint.bold(deployment.name)}`;
  const about = outcome === 'deleted' ? '' : `  ${paint.dim(`flow ${oneLine(deployment.flow)}, version ${deployment.version}`)}`;
  const paused = deployment.pausedAt !== null && outcome !== 'deleted' ? [paint.cyan('‖ paused: its schedules make no runs')] : [];
  const below = [
    ...changes.map((change) => changeLine(change, paint)),
    ...(graph ? graphLines(graph, paint) : []),
    ...(touched ? touchedLines(touched, paint) : []),
    ...paused,
    ...(options.ticks ? deployment.schedules.flatMap((schedule) => scheduleLines(schedule, now, paint)) : []),
    ...(options.ticks ? triggerLines(deployment, paint).map((line) => `on ${line}`) : []),
  ];
  return [`${title}${about}`, ...below.map((line) => `  ${line}`)];
}

/** `5 unfinished runs began with another version and continue with this one: 3 Suspended, 2 Running`, and the same of those that are pinned. */
function touchedLines({ continuing, pinned }: TouchedRuns, paint: Paint): string[] {
  const line = (counts: TouchedRuns['pinned'], one: string, many: string): string[] => {
    const states = Object.entries(counts);
    const runs = states.reduce((sum, [, count]) => sum + count, 0);
    if (runs === 0) return [];
    const what =
      runs === 1
        ? `1 unfinished run began with another version and ${one}`
        : `${countOf(runs)} unfinished runs began with another version and ${many}`;
    return [`${paint.yellow(what)}: ${states.map(([state, count]) => `${countOf(count)} ${state}`).join(', ')}`];
  };
  return [
    ...line(continuing, 'continues with this one', 'continue with this one'),
    ...line(pinned, 'stays pinned to it', 'stay pinned to it'),
  ];
}

/** `2 created, 1 unchanged`; zero counts are left out. */
export function countLine(reports: readonly DeployReport[], dryRun: boolean): string {
  const counts = (['created', 'changed', 'deleted', 'unchanged'] as const)
    .map((outcome) => [outcome, reports.filter((report) => report.outcome === outcome).length] as const)
    .filter(([, count]) => count > 0)
    .map(([outcome, count]) => `${countOf(count)} ${outcome}`);
  return `${counts.length === 0 ? 'Nothing to deploy' : counts.join(', ')}${dryRun ? '; nothing was written (--dry-run)' : ''}.`;
}

/** `schedule nightly  0 0 * * * → 0 1 * * *`. */
export function changeLine({ what, before, after }: DeployChange, paint: Paint): string {
  const text = (value: string | null): string => (value === null ? paint.dim('none') : oneLine(value));
  if (before === null) return `${what}  ${paint.green(`+ ${text(after)}`)}`;
  if (after === null) return `${what}  ${paint.red(`- ${text(before)}`)}`;
  return `${what}  ${text(before)} ${paint.dim('→')} ${text(after)}`;
}

/** One line per task that was added, removed or rewired. */
export function graphLines({ added, removed, rewired }: GraphChange, paint: Paint): string[] {
  const list = (names: readonly string[]): string => (names.length === 0 ? 'nothing' : names.map(oneLine).join(', '));
  return [
    ...added.map((task) => `task ${oneLine(task)}  ${paint.green('+ added')}`),
    ...removed.map((task) => `task ${oneLine(task)}  ${paint.red('- removed')}`),
    ...rewired.map(({ task, before, after }) => `task ${oneLine(task)}  needs ${list(before)} ${paint.dim('→')} ${list(after)}`),
  ];
}

/** Number of ticks shown of each schedule. */
const shownTicks = 3;

/** One line in words with its bounds, then the next ticks after `now`, the first with the time until it. */
export function scheduleLines(one: DeploymentSchedule, now: number, paint: Paint): string[] {
  const { slug, schedule, jitterMs, pausedAt, fault } = one;
  if (fault !== undefined)
    return [slug, `  ${paint.red(`Set aside: ${oneLine(fault)}`)}`, '  It ticks again once it is deployed or resumed.'];
  const jitter = jitterMs > 0 ? `, up to ${durationWords(jitterMs)} later` : '';
  const head = `${describeSchedule(schedule)}${jitter}${boundsText(schedule)}  ${paint.dim(slug)}${pausedAt === null ? '' : `  ${paint.cyan('‖ paused')}`}`;
  const ticks = nextTicks(schedule, now, shownTicks);
  if (ticks.length === 0) return [head, `  ${paint.yellow('It never ticks again.')}`];
  const changes = touchedChanges(schedule, now, ticks);
  return [
    head,
    ...ticks.map((tick, at) => {
      const mark = markOf(tick, schedule, changes);
      const distance = at === 0 && tick - now < 86_400_000 ? `  ${paint.dim(agoText(tick, now))}` : '';
      return `  ${wallText(tick, schedule.timezone)}${distance}${mark === null ? '' : `  ${paint.yellow(describeMark(mark))}`}`;
    }),
  ];
}

/** `, from Fri 2027-01-01 00:00:00 +00:00 on, before Mon 2027-02-01 00:00:00 +00:00`; a bound that is not set is left out. */
function boundsText({ start, end, timezone }: Schedule): string {
  const from = start === null ? '' : `, from ${wallText(start, timezone)} on`;
  return end === null ? from : `${from}, before ${wallText(end, timezone)}`;
}
