/** The spans of runs, task runs and their attempts, made of flat rows. Pure. */
import { attemptSpanIdOf, spanIdOf } from '../model/trace.ts';
import { internalSpan, producerSpan, type SpanAttributes, type SpanLink, type SpanRecord } from '../model/span.ts';
import type { RunRow, RunTrace, SpanRow, SubmitRow, TaskRow } from './span-sink.ts';

/** The spans of one row, outermost first. */
export function spansOfRow(trace: RunTrace, row: SpanRow): SpanRecord[] {
  if (row[0] === 'run') return [spanOfRun(trace, row)];
  if (row[0] === 'submit') return [spanOfSubmit(trace, row)];
  return spansOfTask(trace, row);
}

function spanOfRun({ runId, flow, traceId, parentSpanId, owner }: RunTrace, row: RunRow): SpanRecord {
  const [, name, attempts, recoveries, startMs, endMs, stateType, stateName, message, deployment, parentRunId, tags] = row;
  const hasFailed = isFailure(stateType);
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
    links: [],
    attributes: {
      'batuta.flow': flow,
      'batuta.run.id': runId,
      'batuta.run.name': name,
      'batuta.state': stateName,
      'batuta.run.attempts': attempts,
      'batuta.run.recoveries': recoveries,
      'batuta.worker': owner,
      ...(deployment === null ? {} : { 'batuta.deployment': deployment }),
      ...(parentRunId === null ? {} : { 'batuta.parent_run.id': parentRunId }),
      ...(tags === null ? {} : { 'batuta.tags': tags }),
    },
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
    links: [],
    attributes: { 'batuta.flow': flow, 'batuta.run.id': runId, 'batuta.process': owner },
  };
}

function spansOfTask(trace: RunTrace, row: TaskRow): SpanRecord[] {
  const [kind, taskRunId, task, index, attempt, isRecovery, startedAt, attemptStartedAt, at, stateType, stateName, message] = row;
  const { runId, flow, traceId } = trace;
  const shown = index === null ? task : `${task}[${index}]`;
  const hasFailed = isFailure(stateType);
  const shared: SpanAttributes = {
    'batuta.flow': flow,
    'batuta.run.id': runId,
    'batuta.task': task,
    'batuta.task_run.id': taskRunId,
    ...(index === null ? {} : { 'batuta.task.index': index }),
  };
  const taskSpanId = spanIdOf(taskRunId);
  const spans: SpanRecord[] = [];
  if (kind === 'task' || kind === 'unrun')
    spans.push({
      ...{ name: `task ${shown}`, kind: internalSpan, traceId, spanId: taskSpanId, parentSpanId: spanIdOf(runId) },
      ...{ startMs: startedAt ?? at, endMs: at, hasFailed, message: hasFailed ? message : null, links: [] },
      attributes: { ...shared, 'batuta.state': stateName, 'batuta.attempts': attempt },
    });
  if (kind === 'unrun') return spans;
  const isLost = kind === 'lost';
  const links: SpanLink[] =
    attempt > 1
      ? [{ traceId, spanId: attemptSpanIdOf(taskRunId, attempt - 1), attributes: { 'batuta.link': isRecovery ? 'recovery' : 'retry' } }]
      : [];
  const failed = kind === 'attempt' || isLost || hasFailed;
  spans.push({
    ...{ name: `attempt ${attempt} of ${shown}`, kind: internalSpan, traceId, spanId: attemptSpanIdOf(taskRunId, attempt) },
    ...{ parentSpanId: taskSpanId, startMs: attemptStartedAt ?? startedAt ?? at, endMs: at, links, hasFailed: failed },
    message: isLost ? 'Its process was lost, or left it to another.' : failed ? message : null,
    attributes: { ...shared, 'batuta.attempt': attempt, 'batuta.state': isLost ? 'Lost' : kind === 'attempt' ? 'Failed' : stateName },
  });
  return spans;
}

function isFailure(stateType: string): boolean {
  return stateType === 'FAILED' || stateType === 'CRASHED';
}
