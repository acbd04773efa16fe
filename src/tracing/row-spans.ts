/** The spans of runs, task runs and their attempts, built from flat rows. Pure. */
import { attemptSpanIdBelow, spanIdOf } from '../model/trace.ts';
import { internalSpan, producerSpan, type SpanLink, type SpanRecord, type SpanValue } from '../model/span.ts';
import type { RunRow, RunTrace, SpanRow, SubmitRow, TaskRow } from './span-sink.ts';

// Field by field: spread costs several times as much, and there may be a hundred thousand.

type Attributes = Record<string, SpanValue>;

/** Shared by most spans. */
const noLinks: readonly SpanLink[] = [];

/** The spans of one row, outermost first. */
export function spansOfRow(trace: RunTrace, row: SpanRow): SpanRecord[] {
  if (row[0] === 'run') return [spanOfRun(trace, row)];
  if (row[0] === 'submit') return [spanOfSubmit(trace, row)];
  return spansOfTask(trace, row);
}

function spanOfRun({ runId, flow, traceId, parentSpanId, owner }: RunTrace, row: RunRow): SpanRecord {
  const [, name, attempts, recoveries, startMs, endMs, stateType, stateName, message, deployment, parentRunId, tags] = row;
  const hasFailed = isFailure(stateType);
  const attributes: Attributes = {
    'batuta.flow': flow,
    'batuta.run.id': runId,
    'batuta.run.name': name,
    'batuta.state': stateName,
    'batuta.run.attempts': attempts,
    'batuta.run.recoveries': recoveries,
    'batuta.worker': owner,
  };
  if (deployment !== null) attributes['batuta.deployment'] = deployment;
  if (parentRunId !== null) attributes['batuta.parent_run.id'] = parentRunId;
  if (tags !== null) attributes['batuta.tags'] = tags;
  return {
    name: `run ${flow}`,
    kind: internalSpan,
    traceId,
    spanId: spanIdOf(runId),
    parentSpanId,
    startMs,
    endMs,
    hasFailed,
    message: hasFailed ? message : null,
    links: noLinks,
    attributes,
  };
}

function spanOfSubmit({ runId, flow, traceId, parentSpanId: spanId, owner }: RunTrace, [, parentSpanId, at]: SubmitRow): SpanRecord {
  return {
    name: `submit ${flow}`,
    kind: producerSpan,
    traceId,
    spanId: spanId ?? '',
    parentSpanId,
    startMs: at,
    endMs: at,
    hasFailed: false,
    message: null,
    links: noLinks,
    attributes: { 'batuta.flow': flow, 'batuta.run.id': runId, 'batuta.process': owner },
  };
}

function spansOfTask(trace: RunTrace, row: TaskRow): SpanRecord[] {
  const [kind, taskRunId] = row;
  const own = spanIdOf(taskRunId);
  if (kind === 'task') return [spanOfTask(trace, row, own), spanOfAttempt(trace, row, own)];
  return [kind === 'unrun' ? spanOfTask(trace, row, own) : spanOfAttempt(trace, row, own)];
}

function spanOfTask(trace: RunTrace, row: TaskRow, spanId: string): SpanRecord {
  const [, , task, index, attempt, , startedAt, , at, stateType, stateName, message] = row;
  const hasFailed = isFailure(stateType);
  const attributes = attributesOf(trace, row);
  attributes['batuta.state'] = stateName;
  attributes['batuta.attempts'] = attempt;
  return {
    name: index === null ? `task ${task}` : `task ${task}[${index}]`,
    kind: internalSpan,
    traceId: trace.traceId,
    spanId,
    parentSpanId: spanIdOf(trace.runId),
    startMs: startedAt ?? at,
    endMs: at,
    hasFailed,
    message: hasFailed ? message : null,
    links: noLinks,
    attributes,
  };
}

function spanOfAttempt(trace: RunTrace, row: TaskRow, own: string): SpanRecord {
  const [kind, , task, index, attempt, isRecovery, startedAt, attemptStartedAt, at, stateType, stateName, message] = row;
  const { traceId } = trace;
  const isLost = kind === 'lost';
  const hasFailed = kind === 'attempt' || isLost || isFailure(stateType);
  const attributes = attributesOf(trace, row);
  attributes['batuta.attempt'] = attempt;
  attributes['batuta.state'] = isLost ? 'Lost' : kind === 'attempt' ? 'Failed' : stateName;
  return {
    name: index === null ? `attempt ${attempt} of ${task}` : `attempt ${attempt} of ${task}[${index}]`,
    kind: internalSpan,
    traceId,
    spanId: attemptSpanIdBelow(own, attempt),
    parentSpanId: own,
    startMs: attemptStartedAt ?? startedAt ?? at,
    endMs: at,
    hasFailed,
    message: isLost ? 'Its process was lost, or handed it to another.' : hasFailed ? message : null,
    links:
      attempt > 1
        ? [
            {
              traceId,
              spanId: attemptSpanIdBelow(own, attempt - 1),
              attributes: { 'batuta.link': isRecovery ? 'recovery' : 'retry' },
            },
          ]
        : noLinks,
    attributes,
  };
}

function attributesOf({ flow, runId }: RunTrace, [, taskRunId, task, index]: TaskRow): Attributes {
  const attributes: Attributes = { 'batuta.flow': flow, 'batuta.run.id': runId, 'batuta.task': task, 'batuta.task_run.id': taskRunId };
  if (index !== null) attributes['batuta.task.index'] = index;
  return attributes;
}

function isFailure(stateType: string): boolean {
  return stateType === 'FAILED' || stateType === 'CRASHED';
}
