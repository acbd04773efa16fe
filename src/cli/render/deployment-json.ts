/** The shapes `--json` prints of deployments. Times are ISO 8601 in UTC, or null. */
import type { DeploymentView, DeployReport, LastRun } from '../../client/deployments-client.ts';
import type { DeploymentSchedule } from '../../model/deployment.ts';
import { describeSchedule } from '../../model/schedule-words.ts';
import { decodeValue } from '../../model/values.ts';
import { plainJson } from './plain-json.ts';
import { isoOrNull } from './times.ts';

/** A deployment with its schedules and newest run. */
export function deploymentJson(view: DeploymentView): object {
  const { id, name, flow, flowVersion, source, version, description, tags, queue, priority, concurrency, catchup } = view;
  return {
    ...{ id, name, flow, flowVersion, source, version, description },
    params: plainJson(decodeValue(view.params)),
    ...{ tags, queue, priority, concurrency, catchup, catchupWindowMs: view.catchupWindowMs, overlap: view.overlap },
    // What JSON has no number for.
    retentionMs: view.retentionMs === Number.MAX_SAFE_INTEGER ? 'forever' : view.retentionMs,
    runName: view.runName,
    paused: view.pausedAt !== null,
    pausedAt: isoOrNull(view.pausedAt),
    origin: view.origin,
    createdAt: isoOrNull(view.createdAt),
    updatedAt: isoOrNull(view.updatedAt),
    nextTickAt: isoOrNull(nextTickOf(view)),
    schedules: view.schedules.map(scheduleJson),
    lastRun: view.lastRun && lastRunJson(view.lastRun),
  };
}

/** What a deploy did: the deployment, and `outcome`, `changes` and `graph` beside it. */
export function reportJson({ deployment, outcome, changes, graph }: DeployReport): object {
  return { ...deploymentJson(deployment), outcome, changes, graph };
}

/** The next tick of all its schedules that are not paused; null when it is paused itself, or there is none. */
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
    params: params === null ? null : plainJson(decodeValue(params)),
    jitterMs,
    paused: pausedAt !== null,
    pausedAt: isoOrNull(pausedAt),
    nextTickAt: isoOrNull(nextTickAt),
    ...(fault === undefined ? {} : { fault }),
  };
}

function lastRunJson({ id, name, state, scheduledFor, createdAt, startedAt, endedAt }: LastRun): object {
  return {
    ...{ id, name, state },
    scheduledFor: isoOrNull(scheduledFor),
    createdAt: isoOrNull(createdAt),
    startedAt: isoOrNull(startedAt),
    endedAt: isoOrNull(endedAt),
  };
}
