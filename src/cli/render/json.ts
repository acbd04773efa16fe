/** The shapes `--json` prints. Times are ISO 8601 in UTC, or null. */
import type { RollbackSummary } from '../../model/rollback.ts';
import type { RunInspection } from '../../client/client.ts';
import { submittedOf, traceIdOfRun } from '../../model/submitted.ts';
import { traceUrlOf } from '../../model/trace.ts';
import type { WaitReason } from '../../client/fleet-client.ts';
import { toWire } from '../../client/wire.ts';
import type { ListedRun, Owner, Run, TaskRun, Transition } from '../../model/run.ts';
import { resourceTimes } from '../../model/resource-use.ts';
import { parseRef } from '../../model/result-ref.ts';
import { runTimes, spentTimes, type TimedRun } from '../../model/run-times.ts';
import type { StoredLogLine } from '../../store/store.ts';
import { whyFailed } from './failure.ts';
import { levelName } from './log-line.ts';
import { plainJson } from './plain-json.ts';
import { isoOrNull } from './times.ts';

/** A run in a list: `{ id, flow, name, deployment, state, scheduledFor, createdAt, startedAt, endedAt, durationMs, attempt, tags, waitingMs, wallMs }`. */
export function runListJson(run: ListedRun): object {
  const { id, flow, name, deployment, scheduledFor, createdAt, startedAt, endedAt, attempt, tags } = run;
  const { durationMs, waitingMs, wallMs } = timesJson(run);
  return toWire({
    ...{ id, flow, name, deployment, state: stateJson(run), scheduledFor, createdAt, startedAt, endedAt },
    ...{ durationMs, attempt, tags, waitingMs, wallMs },
  });
}

/** What `run --json` prints: `{ id, flow, name, state, result, error, startedAt, endedAt, durationMs, tasks }`, tasks in start order. */
export function runOutcomeJson({ run, taskRuns, result }: Pick<RunInspection, 'run' | 'taskRuns' | 'result'>): object {
  const { id, flow, name, error, startedAt, endedAt } = run;
  return {
    ...{ id, flow, name, state: stateJson(run), result: plainJson(result), error },
    ...toWire({ startedAt, endedAt }),
    durationMs: timesJson(run).durationMs,
    tasks: inStartOrder(taskRuns).map(taskJson),
  };
}

/** What `runs inspect --json` prints: the run as in a list, with everything known about it. @param traceUrl see the setting */
export function inspectionJson(inspection: RunInspection, why: WaitReason | null, traceUrl: string | null = null): object {
  const { run, taskRuns, transitions, artifacts, resources, children, params, result, pin } = inspection;
  const { flowVersion, source, parentRunId, recoveries, owner, error } = run;
  const histories = historiesOf(transitions);
  return {
    ...runListJson(run),
    ...{ flowVersion, source, parentRunId, recoveries },
    owner: owner === null ? null : ownerJson(owner),
    dueAt: isoOrNull(run.dueAt),
    submitted: toWire(submittedOf(run)),
    trace: { id: traceIdOfRun(run), url: traceUrlOf(traceUrl, traceIdOfRun(run)) },
    ...{ params: plainJson(params), result: plainJson(result), error },
    failure: whyFailed(run, inspection.alike),
    rollback: inspection.rollback && rollbackJson(inspection.rollback),
    pin: pin === null ? null : toWire(pin),
    alike: inspection.alike === null ? null : { others: inspection.alike.others, since: isoOrNull(inspection.alike.sinceAt) },
    why: why === null ? null : { ...why, untilAt: isoOrNull(why.untilAt) },
    suspendedMs: run.endedAt === null ? null : (spentTimes(histories.get(null) ?? [], run.endedAt)?.suspendedMs ?? null),
    tasks: inStartOrder(taskRuns).map((taskRun) => taskDetailJson(taskRun, histories.get(taskRun.id) ?? [])),
    transitions: transitions.map(transitionJson),
    artifacts: artifacts.map(({ runId: _runId, ref: _ref, ...artifact }) => toWire(artifact)),
    resources: resources.map(({ runId: _, ...use }) => ({ ...toWire(use), ...resourceTimes(use) })),
    children: children.map(runListJson),
    ...(inspection.isHidden === true ? { hidden: true } : {}),
  };
}

/** `{ id, host, pid }`, plus `reporter` if the run runs elsewhere. */
function ownerJson({ id, host, pid, reporter }: Owner): object {
  return { id, host, pid, ...(reporter && { reporter }) };
}

/** `{ rollback, undone, remaining }`, `rollback` being begun, complete or incomplete. */
function rollbackJson({ stage, undone, remaining }: RollbackSummary): object {
  return { rollback: stage, undone, remaining };
}

/** One line of `runs logs --json`: `{ seq, at, level, taskRunId, task, message, fields }`. */
export function logLineJson({ seq, at, level, taskRunId, message, fields }: StoredLogLine, task: string | null): object {
  return toWire({ seq, at, level: levelName(level), taskRunId, task, message, fields });
}

/** Transitions by task run; null for those of the run itself. */
export function historiesOf(transitions: readonly Transition[]): ReadonlyMap<string | null, readonly Transition[]> {
  const histories = new Map<string | null, Transition[]>();
  for (const transition of transitions) {
    const history = histories.get(transition.taskRunId);
    if (history === undefined) histories.set(transition.taskRunId, [transition]);
    else history.push(transition);
  }
  return histories;
}

/** Task runs by start time; those that never started come last, in recorded order. */
export function inStartOrder(taskRuns: readonly TaskRun[]): TaskRun[] {
  const startOf = (taskRun: TaskRun): number => taskRun.startedAt ?? Number.POSITIVE_INFINITY;
  return [...taskRuns].sort((a, b) => (startOf(a) === startOf(b) ? 0 : startOf(a) - startOf(b)));
}

function taskJson(taskRun: TaskRun): object {
  const { id, name, index, attempt, startedAt, endedAt, error } = taskRun;
  return { ...{ id, name, index, state: stateJson(taskRun), attempts: attempt }, ...toWire({ startedAt, endedAt }), error };
}

/** `durationMs`: execution time, without waits between attempts. */
function taskDetailJson(taskRun: TaskRun, history: readonly Transition[]): object {
  const spent = taskRun.endedAt === null ? null : spentTimes(history, taskRun.endedAt);
  const times = { durationMs: spent?.executingMs ?? null, suspendedMs: spent?.suspendedMs ?? null, waitingMs: spent?.waitingMs ?? null };
  const { key, displayName, progress, metrics, childRunId, dependsOn, callArgs, cachedFrom = null } = taskRun;
  const { cpuMs = null, peakBytes = null, usageScope = null } = taskRun;
  return {
    ...taskJson(taskRun),
    key,
    displayName,
    ...times,
    progress,
    metrics,
    ...{ cpuMs, peakBytes, usageScope },
    dependsOn,
    childRunId,
    callArgs,
    cachedFrom: cachedFrom && toWire(cachedFrom),
    resultBytes: resultBytesOf(taskRun),
  };
}

/** Size of a large result; null for smaller ones, or if unknown. */
export function resultBytesOf({ resultRef, resultBytes = null }: TaskRun): number | null {
  return resultRef === null ? resultBytes : parseRef(resultRef).bytes;
}

function transitionJson(transition: Transition): object {
  const { taskRunId, type, name, message, attempt, owner } = transition;
  return { at: isoOrNull(transition.at), taskRunId, state: { type, name, message }, attempt, owner };
}

function stateJson({ state }: Pick<Run, 'state'>): object {
  return { type: state.type, name: state.name, message: state.message };
}

/** Time a run was executed, time it waited in between, and both; null while it has not ended or if it never started. */
function timesJson(run: TimedRun): {
  readonly durationMs: number | null;
  readonly waitingMs: number | null;
  readonly wallMs: number | null;
} {
  const times = run.endedAt === null ? null : runTimes(run, run.endedAt);
  return { durationMs: times?.executingMs ?? null, waitingMs: times?.waitingMs ?? null, wallMs: times?.wallMs ?? null };
}
