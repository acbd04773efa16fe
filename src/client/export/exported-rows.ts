/** The rows of each export and their columns: flat, with the names used in the API, instants as dates. */
import type { ParquetType } from '../../kit/streams/index.ts';
import { letOthersIn } from '../../base/clock.ts';
import { percentilesOf } from '../../model/duration-ranges.ts';
import type { Failure } from '../../model/failure.ts';
import type { ListedRun } from '../../model/run.ts';
import { runTimes } from '../../model/run-times.ts';
import type { EndedRuns, ExportedTaskRun, Store } from '../../store/store.ts';
import type { ExportFilter, ExportKind } from './export-client.ts';

export type ExportRow = Readonly<Record<string, unknown>>;
export type ExportColumns = Readonly<Record<string, ParquetType>>;

/** Runs read at once. */
const pageRuns = 1_000;
const dayMs = 86_400_000;

const failureColumns = { errorName: 'STRING', errorMessage: 'STRING', errorCode: 'STRING' } as const;
const stateColumns = { stateType: 'STRING', stateName: 'STRING', stateMessage: 'STRING' } as const;

export const exportColumns: Readonly<Record<ExportKind, ExportColumns>> = {
  runs: {
    ...{ id: 'STRING', flow: 'STRING', flowVersion: 'STRING', name: 'STRING', deployment: 'STRING', parentRunId: 'STRING' },
    ...stateColumns,
    ...{
      attempt: 'INT32',
      recoveries: 'INT32',
      queue: 'STRING',
      priority: 'INT32',
      tags: 'JSON',
      scheduleId: 'STRING',
      backfillId: 'STRING',
    },
    ...{ scheduledFor: 'TIMESTAMP', createdAt: 'TIMESTAMP', startedAt: 'TIMESTAMP', endedAt: 'TIMESTAMP' },
    ...{ durationMs: 'INT64', waitingMs: 'INT64', wallMs: 'INT64' },
    ...failureColumns,
  },
  'task-runs': {
    ...{ id: 'STRING', runId: 'STRING', flow: 'STRING', task: 'STRING', key: 'STRING', index: 'INT32', displayName: 'STRING' },
    ...stateColumns,
    ...{ attempt: 'INT32', startedAt: 'TIMESTAMP', endedAt: 'TIMESTAMP', wallMs: 'INT64', cpuMs: 'INT64', peakBytes: 'INT64' },
    ...{ childRunId: 'STRING', metrics: 'JSON' },
    ...failureColumns,
  },
  transitions: {
    ...{ runId: 'STRING', seq: 'INT64', flow: 'STRING', taskRunId: 'STRING', at: 'TIMESTAMP' },
    ...stateColumns,
    ...{ attempt: 'INT32', owner: 'STRING' },
  },
  logs: {
    ...{
      runId: 'STRING',
      seq: 'INT64',
      flow: 'STRING',
      taskRunId: 'STRING',
      at: 'TIMESTAMP',
      level: 'INT32',
      message: 'STRING',
      fields: 'JSON',
    },
  },
  statistics: {
    ...{ at: 'TIMESTAMP', kind: 'STRING', name: 'STRING', stateType: 'STRING', runs: 'INT64', timed: 'INT64', totalMs: 'INT64' },
    ...{ p50Ms: 'INT64', p95Ms: 'INT64', p99Ms: 'INT64' },
  },
};

interface Export {
  /** When it begins, UTC epoch ms. */
  readonly now: number;
  /** The consumer may have left while there was nothing to read. */
  readonly signal: AbortSignal | undefined;
}

/** The rows, read on demand. @throws the reason of `signal` */
export async function* exportedRows(
  store: Store,
  kind: ExportKind,
  filter: ExportFilter,
  { now, signal }: Export,
): AsyncGenerator<ExportRow, void, void> {
  if (kind === 'statistics') return yield* statisticRows(store, filter, { now, signal });
  const { minLevel, by: _by, ...runFilter } = filter;
  for (let cursor: string | null | undefined; cursor !== null; ) {
    signal?.throwIfAborted();
    const page = await store.exports.runs({
      ...runFilter,
      until: Math.min(runFilter.until ?? now, now),
      limit: pageRuns,
      ...(cursor && { cursor }),
    });
    cursor = page.next;
    if (kind === 'runs') yield* page.items.map(runRow);
    else yield* rowsOfRuns(store, kind, page.items, minLevel, signal);
    // A store in this process answers within the turn.
    await letOthersIn();
  }
}

async function* rowsOfRuns(
  { exports }: Store,
  kind: Exclude<ExportKind, 'runs' | 'statistics'>,
  runs: readonly ListedRun[],
  minLevel: number | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<ExportRow, void, void> {
  const flowOf = new Map(runs.map(({ id, flow }) => [id, flow]));
  const ids = [...flowOf.keys()];
  if (kind === 'task-runs')
    for await (const rows of until(signal, exports.taskRuns(ids))) yield* rows.map((row) => taskRunRow(row, flowOf.get(row.runId) ?? null));
  else if (kind === 'transitions')
    for await (const rows of until(signal, exports.transitions(ids)))
      yield* rows.map(({ type, name, message, at, ...row }) => ({
        ...{ ...row, flow: flowOf.get(row.runId) ?? null, at: new Date(at) },
        ...{ stateType: type, stateName: name, stateMessage: message },
      }));
  else
    for await (const rows of until(signal, exports.logs(ids, minLevel)))
      yield* rows.map(({ at, ...row }) => ({ ...row, flow: flowOf.get(row.runId) ?? null, at: new Date(at) }));
}

/** @throws the reason of `signal`, before the next read */
async function* until<T>(signal: AbortSignal | undefined, reads: AsyncIterable<T>): AsyncGenerator<T> {
  for await (const read of reads) {
    yield read;
    await letOthersIn();
    signal?.throwIfAborted();
  }
}

function runRow({ state, error, createdAt, startedAt, endedAt, scheduledFor, ...run }: ListedRun): ExportRow {
  const timed = { state, startedAt, endedAt, executedMs: run.executedMs, resumedAt: run.resumedAt };
  const times = endedAt === null ? null : runTimes(timed, endedAt);
  return {
    ...run,
    ...stateOf(state),
    ...{ scheduledFor: dateOf(scheduledFor), createdAt: dateOf(createdAt), startedAt: dateOf(startedAt), endedAt: dateOf(endedAt) },
    ...{ durationMs: times?.executingMs ?? null, waitingMs: times?.waitingMs ?? null, wallMs: times?.wallMs ?? null },
    ...failureOf(error),
  };
}

function taskRunRow({ name: task, state, startedAt, endedAt, error, ...row }: ExportedTaskRun, flow: string | null): ExportRow {
  return {
    ...{ ...row, task, flow, ...stateOf(state), startedAt: dateOf(startedAt), endedAt: dateOf(endedAt) },
    wallMs: startedAt === null || endedAt === null ? null : Math.max(0, endedAt - startedAt),
    ...failureOf(error),
  };
}

/** Ended runs by flow and by deployment, oldest first. */
async function* statisticRows(
  store: Store,
  { by = 'day', ...filter }: ExportFilter,
  { now, signal }: Export,
): AsyncGenerator<ExportRow, void, void> {
  const kinds =
    filter.deployment !== undefined
      ? (['deployment'] as const)
      : filter.flow !== undefined
        ? (['flow'] as const)
        : (['flow', 'deployment'] as const);
  const untilAt = Math.min(filter.until ?? now, now);
  // Month by month: all durations at once could be too many.
  const stepMs = 30 * dayMs;
  const oldest = (await store.exports.oldest()) ?? untilAt;
  const first = Math.max(filter.since ?? oldest, oldest);
  for (let fromAt = first - (first % dayMs); fromAt < untilAt; fromAt += stepMs) {
    signal?.throwIfAborted();
    const rows: { readonly kind: string; readonly sum: EndedRuns }[] = [];
    for (const kind of kinds) {
      const name = kind === 'flow' ? filter.flow : filter.deployment;
      const wish = {
        kind,
        by,
        fromAt: Math.max(fromAt, first),
        untilAt: Math.min(fromAt + stepMs, untilAt),
        ...(name !== undefined && { name }),
      };
      for (const sum of await store.figures.ended(wish)) rows.push({ kind, sum });
    }
    rows.sort(
      (a, b) => a.sum.at - b.sum.at || compare(a.kind, b.kind) || compare(a.sum.name, b.sum.name) || compare(a.sum.type, b.sum.type),
    );
    yield* rows.map(({ kind, sum }) => statisticRow(kind, sum));
    await letOthersIn();
  }
}

function statisticRow(kind: string, { at, name, type, runs, timed, totalMs, durations }: EndedRuns): ExportRow {
  const [p50Ms, p95Ms, p99Ms] = percentilesOf(durations, [0.5, 0.95, 0.99]);
  return { at: new Date(at), kind, name, stateType: type, runs, timed, totalMs, p50Ms, p95Ms, p99Ms };
}

function stateOf({ type, name, message }: ListedRun['state']): ExportRow {
  return { stateType: type, stateName: name, stateMessage: message };
}

function failureOf(error: Failure | null): ExportRow {
  return { errorName: error?.name ?? null, errorMessage: error?.message ?? null, errorCode: error?.code ?? null };
}

function dateOf(at: number | null): Date | null {
  return at === null ? null : new Date(at);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
