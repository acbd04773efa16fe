/** What the run page asks the server, as queries. Instants are epoch ms from here on. */
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

/** Lines that the server gives when no number is asked for. */
const usualLines = 1_000;

/** A run without its values. */
export type RunFacts = Omit<Run, 'params' | 'result' | 'resultRef'>;
/** A task run without its result. */
export type TaskRunRow = Omit<TaskRun, 'result' | 'resultRef' | 'itemHash'>;

/** A value that is too large to come along. */
export interface CutValue {
  readonly cut: { readonly bytes: number /** Where it can be had alone, `/api/…`. */; readonly download: string };
}

/** A value of a user as it travels: superjson, so that dates, maps and the like survive; or where it can be had. */
export type SuperValue = SuperJSONResult | CutValue;

export interface TaskCount {
  readonly name: string;
  /** Name of the state. */
  readonly state: string;
  readonly count: number;
}

export interface RunDetail {
  readonly run: RunFacts;
  /** What was said when it was submitted; null for nothing. */
  readonly submitted: Submitted | null;
  /** The address is null where nobody has said where traces are looked at. */
  readonly trace: { readonly id: string; readonly url: string | null };
  readonly times: SpentTimes | null;
  readonly params: SuperValue | null;
  readonly result: SuperValue | null;
  readonly children: readonly RunFacts[];
  readonly why: WaitReason | null;
  /** Of one that failed: how many others failed like it, since when. */
  readonly alike: Alike | null;
  /** To which version of its flow it is pinned; null for one that is not, or has not begun. */
  readonly pin: PinView | null;
  readonly counts: readonly TaskCount[];
  /** The flow as it is known now; null when it was never stored. */
  readonly flow: StoredFlow | null;
}

export interface TaskRunDetail {
  readonly taskRun: TaskRunRow;
  readonly times: SpentTimes | null;
  readonly result: SuperValue | null;
  /** Task runs whose results it was given, in a code flow. */
  readonly inputs: readonly TaskRunRow[];
}

export function runQuery(id: string) {
  return queryOptions({
    queryKey: ['run', id],
    // What never changes while it goes on, and may be large, is asked for once, and again when it has ended.
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

/** What a run is called, by way of the list: of one that was deleted it gives null and no error. */
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

/** What the run and its tasks have opened, in the order in which opening began. */
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

/** How many records the run has rejected, by task and reason. */
export function rejectCountsQuery(runId: string) {
  return queryOptions({
    queryKey: ['run', runId, 'reject-counts'],
    queryFn: ({ signal }) => get<RejectCounts>(`${runPath(runId)}/rejects/counts`, undefined, signal),
  });
}

/** The records, page by page, in the order in which they were kept. */
export function rejectsQuery(runId: string, filter: RejectFilter) {
  return infiniteQueryOptions({
    queryKey: ['run', runId, 'rejects', filter],
    queryFn: ({ pageParam, signal }) =>
      get<ListPage<DeadLetter>>(`${runPath(runId)}/rejects`, { ...filter, limit: 50, cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
  });
}

/** A value that the run gave out. */
export interface EmissionRow extends Omit<Emission, 'value'> {
  readonly value: SuperValue | null;
  readonly isMissing?: true;
}

/** By which streams the run has given out values. Asked for again and again while the run goes on. */
export function streamsQuery(runId: string, isOver: boolean) {
  return queryOptions({
    queryKey: ['run', runId, 'streams'],
    queryFn: async ({ signal }): Promise<readonly EmissionStream[]> =>
      fromWire<{ readonly items: readonly EmissionStream[] }>(
        await get<Wire<{ readonly items: readonly EmissionStream[] }>>(`${runPath(runId)}/streams`, undefined, signal),
      ).items,
    // They are counted each time.
    refetchInterval: ({ state: { data = [] } }) => {
      if (isOver) return false;
      return data.reduce((values, { count }) => values + count, 0) > manyEmissions ? 5_000 : 1_000;
    },
  });
}

/** Of a run with more values the streams are asked for less often. */
const manyEmissions = 10_000;
/** Values of one stream that a page of the list has. */
const pageEmissions = 100;

/** The values, page by page, in their order. */
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

/** Task runs counted by task: all that the picture of a large run is made of. */
export interface TaskGroups {
  readonly items: readonly TaskGroup[];
  /** Of a code flow: what was given to what, by the names of tasks. */
  readonly given: readonly { readonly from: string; readonly to: string }[];
}

export function taskGroupsQuery(runId: string) {
  return queryOptions({
    queryKey: ['run', runId, 'groups'],
    queryFn: async ({ signal }): Promise<TaskGroups> =>
      fromWire<TaskGroups>(await get<Wire<TaskGroups>>(`${runPath(runId)}/graph`, undefined, signal)),
  });
}

/** Task runs of one task that are listed; the tab Tasks has them all. */
export const listedOfTask = 100;

/** Those of one task, in one state or those with trouble and those that move first; no more than are listed. */
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

/** A page of task runs, in the order they were recorded. */
export async function loadTaskRuns(runId: string, cursor: string | null, signal: AbortSignal): Promise<ListPage<TaskRunRow>> {
  const query = { limit: 1000, ...(cursor === null ? {} : { cursor }) };
  return fromWire<ListPage<TaskRunRow>>(await get<Wire<ListPage<TaskRunRow>>>(`${runPath(runId)}/tasks`, query, signal));
}

/** The task runs that run now, 1,000 at most. */
export async function loadRunningTaskRuns(runId: string, signal: AbortSignal): Promise<readonly TaskRunRow[]> {
  const { items } = await get<Wire<ListPage<TaskRunRow>>>(`${runPath(runId)}/tasks`, { state: 'RUNNING', limit: 1000 }, signal);
  return fromWire<readonly TaskRunRow[]>(items);
}

/** Which lines of a log are asked for. */
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

/** Whether a value was left out for its size. */
export function isCut(value: SuperValue | null): value is CutValue {
  return value !== null && 'cut' in value;
}

/** The value that travelled; what cannot be read is shown as it came. Undefined where there is none, or it was left out. */
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
