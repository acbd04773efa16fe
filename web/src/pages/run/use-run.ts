/** A run that is looked at, live: its head, and its task runs. */
import { type UseQueryResult, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { isTerminal } from '../../../../src/model/state.ts';
import { useLive, useLiveRun } from '../../api/live.ts';
import type { RunEvent } from '../../api/wire-types.ts';
import { loadRunningTaskRuns, loadTaskRuns, type RunDetail, runQuery, type TaskGroups, taskGroupsQuery } from './run-data.ts';
import { type TaskEvent, TaskRunList, type TaskRunView } from './task-run-list.ts';

/** Changes that come close together are drawn together, ms. */
const gatherMs = 250;
/** Rows are read again at most so often, ms. */
const readAgainMs = 1_000;
/** A run that moves is asked for again so often should events fail to come, ms. */
const netMs = 15_000;
/** How often the progress of running tasks is asked for, which no event carries, ms. */
const progressMs = 2_000;

/** The run, asked for again when an event says that it or one of its tasks has changed. */
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
  // The stream is opened anew for this run: events after it was asked for and before the stream was there are lost.
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
 * The task runs of a run counted by task, asked for again at most once a second when an event says that one has changed: the answer is
 * as large as the run has tasks, not task runs. What is asked of one task goes with it.
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
 * The task runs of a run. `version` makes it read all anew when it changes: the attempt and state of the run. Those of a run that has
 * `ended` are not read again when the stream opens: nothing can have been missed. While they are not `wanted` none are read.
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

/** Gathers events for a list and re-renders. */
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

  /** What cannot be had just now is had the next time. */
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

/** A call that happens at most once in `ms`, the last one surely. */
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
