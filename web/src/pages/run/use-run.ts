/** The run on display, live: its head and its task runs. */
import { type UseQueryResult, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { isTerminal } from '../../../../src/model/state.ts';
import { useLive, useLiveRun } from '../../api/live.ts';
import type { RunEvent } from '../../api/wire-types.ts';
import { loadRunningTaskRuns, loadTaskRuns, type RunDetail, runQuery, type TaskGroups, taskGroupsQuery } from './run-data.ts';
import { type TaskEvent, TaskRunList, type TaskRunView } from './task-run-list.ts';

/** Changes within this time are drawn together, ms. */
const gatherMs = 250;
/** Least interval between reads of rows, ms. */
const readAgainMs = 1_000;
/** Poll interval of a running run, in case events are missed, ms. */
const netMs = 15_000;
/** Poll interval of the progress of running tasks, which no event carries, ms. */
const progressMs = 2_000;

/** The run, fetched again when an event reports that it or one of its tasks has changed. */
export function useRun(id: string): UseQueryResult<RunDetail> {
  const client = useQueryClient();
  const result = useQuery({
    ...runQuery(id),
    refetchInterval: ({ state: { data } }) => (data && isTerminal(data.run.state.type) ? false : netMs),
  });
  const refresh = useThrottled(() => client.invalidateQueries({ queryKey: ['run', id], exact: true }), gatherMs);
  useLiveRun(id);
  useLive<RunEvent>('run', (event) => {
    if (event?.id === id || event?.id === result.data?.run.parentRunId) refresh();
    // Once the run has ended, its panels must not show anything as running.
    if (event?.id === id && isTerminal(event.state.type)) void client.invalidateQueries({ queryKey: ['run', id] });
  });
  useLive<TaskEvent>('task', (event) => {
    if (event?.runId === id) refresh();
  });
  // The stream is reopened for this run: events between the request and the opening of the stream are lost.
  useLive('hello', () => {
    if (result.data && !isTerminal(result.data.run.state.type)) void client.invalidateQueries({ queryKey: ['run', id] });
  });
  return result;
}

interface TaskRunsWish {
  readonly version: string;
  readonly ended: boolean;
  readonly wanted: boolean;
}

/**
 * The task runs of a run counted by task, fetched again at most once a second when an event reports a change: the size of the answer
 * depends on the number of tasks, not task runs. Queries about one task are refreshed with it.
 */
export function useTaskGroups(id: string, { ended, wanted }: Omit<TaskRunsWish, 'version'>): UseQueryResult<TaskGroups> {
  const client = useQueryClient();
  const result = useQuery({
    ...taskGroupsQuery(id),
    enabled: wanted,
    // No event carries the progress of a task.
    refetchInterval: ({ state: { data } }) => (!ended && data?.items.some(({ single }) => single?.progress) ? progressMs : false),
  });
  const refresh = useThrottled(() => client.invalidateQueries({ queryKey: ['run', id, 'groups'] }), readAgainMs);
  useLive<TaskEvent>('task', (event) => {
    if (event?.runId === id && wanted) refresh();
  });
  useLive('gap', () => refresh());
  return result;
}

const none: TaskRunView = { rows: [], complete: false, cut: false, error: null };

/**
 * The task runs of a run. A change of `version` (attempt and state of the run) makes it read all again. Those of a run that has
 * `ended` are not read again when the stream opens: nothing can have been missed. While not `wanted`, none are read.
 */
export function useTaskRuns(id: string, { version, ended, wanted }: TaskRunsWish): TaskRunView & { readonly reload: () => void } {
  const [store] = useState(() => new TaskRunStore());
  useEffect(() => (wanted ? store.open(id) : undefined), [store, id, wanted]);
  useEffect(() => store.reload(), [store, id, version, wanted]);
  useLive<TaskEvent>('task', (event) => {
    if (event?.runId === id && wanted) store.take(event);
  });
  useLive('gap', () => store.reload());
  useLive('hello', () => {
    if (!ended) store.reload();
  });
  useEffect(() => {
    if (ended) return;
    const timer = setInterval(() => {
      if (!document.hidden) void store.readProgress();
    }, progressMs);
    return () => clearInterval(timer);
  }, [store, ended]);
  const view = useSyncExternalStore(store.watch, () => store.view);
  return { ...view, reload: () => store.reload() };
}

/** Batches events for a list and re-renders. */
class TaskRunStore {
  #list: TaskRunList | null = null;
  #runId = '';
  #stop = new AbortController();
  #isReadingProgress = false;
  #events: TaskEvent[] = [];
  #watchers = new Set<() => void>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reader: ReturnType<typeof setTimeout> | undefined;

  readonly watch = (onChange: () => void): (() => void) => {
    this.#watchers.add(onChange);
    return () => void this.#watchers.delete(onChange);
  };

  get view(): TaskRunView {
    return this.#list?.view ?? none;
  }

  open(id: string): () => void {
    const list = new TaskRunList(
      (cursor, signal) => loadTaskRuns(id, cursor, signal),
      () => {
        for (const onChange of this.#watchers) onChange();
      },
    );
    this.#list = list;
    this.#runId = id;
    const stop = new AbortController();
    this.#stop = stop;
    return () => {
      list.close();
      stop.abort();
      clearTimeout(this.#timer);
      clearTimeout(this.#reader);
      this.#timer = this.#reader = undefined;
      this.#events = [];
      if (this.#list === list) this.#list = null;
    };
  }

  reload(): void {
    void this.#list?.load('start');
  }

  /** Reads progress; on failure the next call tries again. */
  async readProgress(): Promise<void> {
    const list = this.#list;
    if (list === null || this.#isReadingProgress || !list.isMoving) return;
    this.#isReadingProgress = true;
    const rows = await loadRunningTaskRuns(this.#runId, this.#stop.signal).catch(() => []);
    this.#isReadingProgress = false;
    if (list === this.#list) list.takeProgress(rows);
  }

  take(event: TaskEvent): void {
    this.#events.push(event);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const stale = this.#list?.apply(this.#events) ?? false;
      this.#events = [];
      if (stale)
        this.#reader ??= setTimeout(() => {
          this.#reader = undefined;
          void this.#list?.load('tail');
        }, readAgainMs);
    }, gatherMs);
  }
}

/** A call that happens at most once in `ms`; the last one always happens. */
export function useThrottled(call: () => unknown, ms: number): () => void {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const latest = useRef(call);
  useEffect(() => {
    latest.current = call;
  });
  useEffect(() => () => clearTimeout(timer.current), []);
  return () => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      latest.current();
    }, ms);
  };
}
