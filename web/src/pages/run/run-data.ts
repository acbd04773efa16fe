/** Queries of the run page. Instants are epoch ms from here on. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import superjson, { type SuperJSONResult } from 'superjson';
import type { PinView } from '../../../../src/client/client.ts';
import type { WaitReason } from '../../../../src/client/fleet-client.ts';
import { readLines } from '../../../../src/client/read-lines.ts';
import { fromWire, type Wire } from '../../../../src/client/wire.ts';
import type { Emission } from '../../../../src/model/emission.ts';
import type { DeadLetter, RejectCounts, RejectFilter } from '../../../../src/model/dead-letters.ts';
import type { Alike } from '../../../../src/model/failure-sentence.ts';
import type { SpentTimes } from '../../../../src/model/run-times.ts';
import type { ResourceUse } from '../../../../src/model/resource-use.ts';
import type { Submitted } from '../../../../src/model/submitted.ts';
import { isTerminal } from '../../../../src/model/state.ts';
import type { Artifact, Run, TaskRun, Transition } from '../../../../src/model/run.ts';
import type { EmissionStream, StoredFlow, StoredLogLine, TaskGroup } from '../../../../src/store/store.ts';
import { get } from '../../api/http.ts';
import { loadAll } from '../../api/load-all.ts';
import type { ListPage, RunRow } from '../../api/wire-types.ts';

/** Lines the server returns by default. */
const usualLines = 1_000;

/** A run without its values. */
export type RunFacts = Omit<Run, 'params' | 'result' | 'resultRef'>;
/** A task run without its result. */
export type TaskRunRow = Omit<TaskRun, 'result' | 'resultRef' | 'itemHash'>;

/** A value that is too large to be included. */
export interface CutValue {
  readonly cut: { readonly bytes: number /** Its own URL, `/api/…`. */; readonly download: string };
}

/** A user's value on the wire: superjson, so that dates, maps and similar survive; or a link to it. */
export type SuperValue = SuperJSONResult | CutValue;

export interface TaskCount {
  readonly name: string;
  /** Name of the state. */
  readonly state: string;
  readonly count: number;
}

export interface RunDetail {
  readonly run: RunFacts;
  /** Options given at submit; null for none. */
  readonly submitted: Submitted | null;
  /** The URL is null if no trace viewer is configured. */
  readonly trace: { readonly id: string; readonly url: string | null };
  readonly times: SpentTimes | null;
  readonly params: SuperValue | null;
  readonly result: SuperValue | null;
  readonly children: readonly RunFacts[];
  readonly why: WaitReason | null;
  /** For a failed run: how many others failed alike, and since when. */
  readonly alike: Alike | null;
  /** Version of its flow to which it is pinned; null if it is not, or has not begun. */
  readonly pin: PinView | null;
  readonly counts: readonly TaskCount[];
  /** The flow as currently stored; null if it never was. */
  readonly flow: StoredFlow | null;
}

export interface TaskRunDetail {
  readonly taskRun: TaskRunRow;
  readonly times: SpentTimes | null;
  readonly result: SuperValue | null;
  /** Task runs whose results it received, in a code flow. */
  readonly inputs: readonly TaskRunRow[];
}

export function runQuery(id: string) {
  return queryOptions({
    queryKey: ['run', id],
    // Large parts that do not change while it runs are fetched once, and again after its end.
    queryFn: async ({ signal, client }): Promise<RunDetail> => {
      const known = client.getQueryData<RunDetail>(['run', id]);
      if (known !== undefined && !isTerminal(known.run.state.type)) {
        const facts = fromWire<RunDetail>(await get<Wire<RunDetail>>(runPath(id), { values: false }, signal));
        if (!isTerminal(facts.run.state.type)) return { ...known, ...facts };
      }
      return fromWire<RunDetail>(await get<Wire<RunDetail>>(runPath(id), undefined, signal));
    },
  });
}

/** Name of a run, from the list: a deleted run yields null instead of an error. */
export function runNameQuery(id: string) {
  return queryOptions({
    queryKey: ['run-name', id],
    queryFn: async ({ signal }) => (await get<ListPage<RunRow>>('/runs', { search: id, limit: 1 }, signal)).items[0] ?? null,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function taskRunQuery(runId: string, taskRunId: string) {
  return queryOptions({
    queryKey: ['run', runId, 'task', taskRunId],
    queryFn: async ({ signal }): Promise<TaskRunDetail> =>
      fromWire<TaskRunDetail>(
        await get<Wire<TaskRunDetail>>(`${runPath(runId)}/tasks/${encodeURIComponent(taskRunId)}`, undefined, signal),
      ),
  });
}

/** History of the run with its task runs, or of one task run. */
export function transitionsQuery(runId: string, taskRunId?: string) {
  return queryOptions({
    queryKey: ['run', runId, 'transitions', taskRunId ?? ''],
    queryFn: ({ signal }) => loadAll<Transition>(`${runPath(runId)}/transitions`, { task: taskRunId }, signal),
  });
}

/** Resources opened by the run and its tasks, in the order opening began. */
export function resourcesQuery(runId: string) {
  return queryOptions({
    queryKey: ['run', runId, 'resources'],
    queryFn: ({ signal }) => loadAll<ResourceUse>(`${runPath(runId)}/resources`, {}, signal),
  });
}

export function artifactsQuery(runId: string) {
  return queryOptions({
    queryKey: ['run', runId, 'artifacts'],
    queryFn: ({ signal }) => loadAll<Artifact>(`${runPath(runId)}/artifacts`, {}, signal),
  });
}

/** Number of records the run rejected, by task and reason. */
export function rejectCountsQuery(runId: string) {
  return queryOptions({
    queryKey: ['run', runId, 'reject-counts'],
    queryFn: ({ signal }) => get<RejectCounts>(`${runPath(runId)}/rejects/counts`, undefined, signal),
  });
}

/** The rejected records, page by page, in stored order. */
export function rejectsQuery(runId: string, filter: RejectFilter) {
  return infiniteQueryOptions({
    queryKey: ['run', runId, 'rejects', filter],
    queryFn: ({ pageParam, signal }) =>
      get<ListPage<DeadLetter>>(`${runPath(runId)}/rejects`, { ...filter, limit: 50, cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
  });
}

/** A value that the run emitted. */
export interface EmissionRow extends Omit<Emission, 'value'> {
  readonly value: SuperValue | null;
  readonly isMissing?: true;
}

/** Streams on which the run has emitted values. Polled while the run is running. */
export function streamsQuery(runId: string, isOver: boolean) {
  return queryOptions({
    queryKey: ['run', runId, 'streams'],
    queryFn: async ({ signal }): Promise<readonly EmissionStream[]> =>
      fromWire<{ readonly items: readonly EmissionStream[] }>(
        await get<Wire<{ readonly items: readonly EmissionStream[] }>>(`${runPath(runId)}/streams`, undefined, signal),
      ).items,
    // Every request counts them.
    refetchInterval: ({ state: { data = [] } }) => {
      if (isOver) return false;
      return data.reduce((values, { count }) => values + count, 0) > manyEmissions ? 5_000 : 1_000;
    },
  });
}

/** The streams of a run with more values are polled less often. */
const manyEmissions = 10_000;
/** Values per page of a stream. */
const pageEmissions = 100;

/** The values, page by page, in order. */
export function emissionsQuery(runId: string, stream: string) {
  return infiniteQueryOptions({
    queryKey: ['run', runId, 'streams', stream],
    queryFn: async ({ pageParam, signal }): Promise<{ readonly items: readonly EmissionRow[]; readonly next: number | null }> => {
      const path = `${runPath(runId)}/streams/${encodeURIComponent(stream)}`;
      const { items, next } = await get<{ readonly items: readonly SentEmission[]; readonly next: number | null }>(
        path,
        { after: pageParam, limit: pageEmissions },
        signal,
      );
      return { items: items.map(({ value, ...sent }) => ({ ...fromWire<Omit<EmissionRow, 'value'>>(sent), value })), next };
    },
    initialPageParam: 0,
    getNextPageParam: (last) => last.next ?? undefined,
  });
}

type SentEmission = Wire<Omit<EmissionRow, 'value'>> & Pick<EmissionRow, 'value'>;

/** Task runs counted by task: the data for the graph of a large run. */
export interface TaskGroups {
  readonly items: readonly TaskGroup[];
  /** For a code flow: which task's results went to which, by task name. */
  readonly given: readonly { readonly from: string; readonly to: string }[];
}

export function taskGroupsQuery(runId: string) {
  return queryOptions({
    queryKey: ['run', runId, 'groups'],
    queryFn: async ({ signal }): Promise<TaskGroups> =>
      fromWire<TaskGroups>(await get<Wire<TaskGroups>>(`${runPath(runId)}/graph`, undefined, signal)),
  });
}

/** Most task runs listed of one task; the tab Tasks has them all. */
export const listedOfTask = 100;

/** Those of one task, in one state, or failed and running ones first; at most as many as listed. */
export function taskRunsOfQuery(runId: string, name: string, state: string | null) {
  const load = async (states: string | readonly string[] | undefined, signal: AbortSignal): Promise<readonly TaskRunRow[]> => {
    const query = { name, limit: listedOfTask, ...(states === undefined ? {} : { state: states }) };
    const { items } = await get<Wire<ListPage<TaskRunRow>>>(`${runPath(runId)}/tasks`, query, signal);
    return fromWire<readonly TaskRunRow[]>(items);
  };
  return queryOptions({
    queryKey: ['run', runId, 'groups', name, state ?? ''],
    queryFn: async ({ signal }): Promise<readonly TaskRunRow[]> => {
      if (state !== null) return load(state, signal);
      const first = await load(['FAILED', 'CRASHED', 'RUNNING', 'CANCELLING'], signal);
      if (first.length === listedOfTask) return first;
      const ids = new Set(first.map(({ id }) => id));
      return [...first, ...(await load(undefined, signal)).filter(({ id }) => !ids.has(id))].slice(0, listedOfTask);
    },
  });
}

/** A page of task runs, in recorded order. */
export async function loadTaskRuns(runId: string, cursor: string | null, signal: AbortSignal): Promise<ListPage<TaskRunRow>> {
  const query = { limit: 1000, ...(cursor === null ? {} : { cursor }) };
  return fromWire<ListPage<TaskRunRow>>(await get<Wire<ListPage<TaskRunRow>>>(`${runPath(runId)}/tasks`, query, signal));
}

/** The running task runs, at most 1,000. */
export async function loadRunningTaskRuns(runId: string, signal: AbortSignal): Promise<readonly TaskRunRow[]> {
  const { items } = await get<Wire<ListPage<TaskRunRow>>>(`${runPath(runId)}/tasks`, { state: 'RUNNING', limit: 1000 }, signal);
  return fromWire<readonly TaskRunRow[]>(items);
}

/** Which lines of a log to fetch. */
export interface LogQuery {
  readonly task?: string | undefined;
  /** Lowest level, in pino's numbers. */
  readonly level?: number | undefined;
  readonly search?: string | undefined;
  readonly after?: number | undefined;
  readonly before?: number | undefined;
  readonly tail?: number | undefined;
  readonly limit?: number | undefined;
}

export async function loadLogs(runId: string, query: LogQuery, signal?: AbortSignal): Promise<readonly StoredLogLine[]> {
  return await readLines(query, query.tail ?? query.limit ?? usualLines, async (stretch) => {
    const { items, next } = await get<{ items: Wire<readonly StoredLogLine[]>; next: number | null }>(
      `${runPath(runId)}/logs`,
      { ...stretch },
      signal,
    );
    return { lines: fromWire<readonly StoredLogLine[]>(items), hasMore: next !== null };
  });
}

/** Whether a value was left out because of its size. */
export function isCut(value: SuperValue | null): value is CutValue {
  return value !== null && 'cut' in value;
}

/** The decoded value; one that cannot be decoded is returned raw. Undefined if there is none, or it was left out. */
export function readValue(value: SuperValue | null): unknown {
  if (value === null || isCut(value)) return undefined;
  try {
    return superjson.deserialize(value);
  } catch {
    return value.json;
  }
}

/** `/runs/:id`, for the API. */
export function runPath(id: string): string {
  return `/runs/${encodeURIComponent(id)}`;
}
