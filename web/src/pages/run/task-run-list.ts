/**
 * The task runs of a run, as held by the page: read page by page, then changed in place by live events.
 *
 * An event announces a change before the row is read again, so rows are patched at once; task runs not read yet are shown with
 * the event's data until the end of the list is read again.
 */
import { isTerminal, type State } from '../../../../src/model/state.ts';
import type { ListPage } from '../../api/wire-types.ts';
import type { TaskRunRow } from './run-data.ts';

/** Live event: a task run changed. */
export interface TaskEvent {
  readonly runId: string;
  readonly id: string;
  readonly name: string;
  readonly index: number | null;
  readonly state: State;
  readonly attempt: number;
  readonly at: string;
}

export interface TaskRunView {
  /** In recorded order. */
  readonly rows: readonly TaskRunRow[];
  /** Whether all have been read, or as many as can be held. */
  readonly complete: boolean;
  /** Whether there are more than can be held. */
  readonly cut: boolean;
  readonly error: unknown;
}

/** Most rows held. */
export const mostRows = 20_000;

/** A code flow with more task runs is never drawn with one card each. */
export const mostTaskRuns = 1_000;

type LoadPage = (cursor: string | null, signal: AbortSignal) => Promise<ListPage<TaskRunRow>>;

export class TaskRunList {
  readonly #loadPage: LoadPage;
  readonly #onChange: () => void;
  #rows = new Map<string, TaskRunRow>();
  #lastCursor: string | null = null;
  #stop = new AbortController();
  #view: TaskRunView = { rows: [], complete: false, cut: false, error: null };
  #loading = false;
  #again = false;

  constructor(loadPage: LoadPage, onChange: () => void) {
    this.#loadPage = loadPage;
    this.#onChange = onChange;
  }

  get view(): TaskRunView {
    return this.#view;
  }

  /** Reads on from the last page, or everything again. A call during a read is run after it. */
  async load(from: 'tail' | 'start'): Promise<void> {
    if (this.#loading) {
      this.#again = true;
      return;
    }
    this.#loading = true;
    const { signal } = this.#stop;
    try {
      do {
        this.#again = false;
        await this.#read(from, signal);
      } while (this.#again && !signal.aborted);
    } catch (error) {
      if (!signal.aborted) this.#show({ error });
    } finally {
      this.#loading = false;
    }
  }

  /** Applies changes; returns whether a row must be read again, because it is new here or has ended. */
  apply(events: readonly TaskEvent[]): boolean {
    let stale = false;
    for (const event of events) {
      const known = this.#rows.get(event.id);
      if (!known && this.#rows.size >= mostRows) continue;
      stale ||= !known || isTerminal(event.state.type);
      this.#rows.set(event.id, patched(known ?? newRow(event), event));
    }
    if (events.length > 0) this.#show({});
    return stale;
  }

  /** Whether anything is running, which may report progress. */
  get isMoving(): boolean {
    return [...this.#rows.values()].some(({ state }) => state.type === 'RUNNING');
  }

  /** Takes progress and metrics of rows; everything else comes from events, which may be newer. */
  takeProgress(rows: readonly TaskRunRow[]): void {
    let changed = false;
    for (const { id, attempt, progress, metrics } of rows) {
      const known = this.#rows.get(id);
      if (known?.state.type !== 'RUNNING' || known.attempt !== attempt || isAsFar(known, { progress, metrics })) continue;
      this.#rows.set(id, { ...known, progress, metrics });
      changed = true;
    }
    if (changed) this.#show({});
  }

  close(): void {
    this.#stop.abort();
  }

  async #read(from: 'tail' | 'start', signal: AbortSignal): Promise<void> {
    let cursor = from === 'start' ? null : this.#lastCursor;
    for (;;) {
      const page = await this.#loadPage(cursor, signal);
      if (signal.aborted) return;
      this.#lastCursor = cursor;
      for (const row of page.items) this.#rows.set(row.id, row);
      const cut = page.next !== null && this.#rows.size >= mostRows;
      this.#show({ complete: page.next === null || cut, cut, error: null });
      if (page.next === null || cut) return;
      cursor = page.next;
    }
  }

  #show(change: Partial<TaskRunView>): void {
    this.#view = { ...this.#view, ...change, rows: [...this.#rows.values()] };
    this.#onChange();
  }
}

type Reported = Pick<TaskRunRow, 'progress' | 'metrics'>;

function isAsFar(one: Reported, other: Reported): boolean {
  if (one.progress?.done !== other.progress?.done || one.progress?.total !== other.progress?.total) return false;
  const names = Object.keys({ ...one.metrics, ...other.metrics });
  return names.every((name) => one.metrics?.[name] === other.metrics?.[name]);
}

/** The row with a change applied; a change older than the row is ignored. */
function patched(row: TaskRunRow, { state, attempt, at }: TaskEvent): TaskRunRow {
  if (attempt < row.attempt) return row;
  const instant = Date.parse(at);
  const ended = isTerminal(state.type);
  return {
    ...row,
    state,
    attempt,
    startedAt: row.startedAt ?? (state.type === 'RUNNING' ? instant : null),
    endedAt: ended ? instant : null,
    progress: attempt > row.attempt ? null : row.progress,
  };
}

function newRow({ id, runId, name, index, state, attempt }: TaskEvent): TaskRunRow {
  return {
    id,
    runId,
    name,
    key: index === null ? name : `${name}[${index}]`,
    displayName: null,
    index,
    state,
    attempt,
    startedAt: null,
    endedAt: null,
    dueAt: null,
    dependsOn: null,
    progress: null,
    metrics: null,
    error: null,
    childRunId: null,
    callArgs: null,
  };
}
