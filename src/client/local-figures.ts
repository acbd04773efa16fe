/** Figures over many runs, from an open store. */
import { checkFilter } from '../model/list-filters.ts';
import type { Clock } from '../base/clock.ts';
import { reporterState } from '../model/report.ts';
import type { Owner } from '../model/run.ts';
import { isTerminal } from '../model/state.ts';
import type { StateType } from '../model/state.ts';
import { addDurations, percentilesOf } from '../model/duration-ranges.ts';
import type { Durations } from '../model/duration-ranges.ts';
import type { EndedRuns, Store, TaskCounts } from '../store/store.ts';
import { alikeTo } from './alike.ts';
import { attentionOf } from './attention.ts';
import { localFlows } from './local-flows.ts';
import { livingWorkers, taskWorkerViews, workerViews } from './worker-views.ts';
import type { DayFigures, Figures, FiguresClient, WaitReason } from './fleet-client.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const overviewBuckets = 60;
const shownRuns = 20;
const shownTicks = 20;
const mostFacets = 200;
const noTasks: TaskCounts = { total: 0, ended: 0, failed: 0, stopped: 0, underWay: 0 };

export interface LocalFiguresOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** A worker that has been silent for longer is lost, ms. */
  readonly leaseMs: number;
  readonly isOwnerGone: (owner: Owner) => boolean;
  /** Why a run does not run. */
  readonly why: (runId: string) => Promise<WaitReason | null>;
}

export function localFigures({ store, clock, leaseMs, isOwnerGone, why }: LocalFiguresOptions): FiguresClient {
  const fleet = { store, leaseMs, isOwnerGone };
  const since = (sinceAt: number | undefined): number => sinceAt ?? clock.now() - 30 * dayMs;
  const endedOf = (name: string | undefined, sinceAt: number | undefined): Promise<readonly EndedRuns[]> => {
    const wish = { kind: 'flow', fromAt: since(sinceAt), untilAt: clock.now() + 1, by: 'all' } as const;
    return store.figures.ended(name === undefined ? wish : { ...wish, name });
  };
  const figures: FiguresClient = {
    async overview(options = {}) {
      const { upcomingTicks } = await import('./upcoming.ts');
      const untilAt = clock.now();
      const sinceAt = options.sinceAt ?? untilAt - dayMs;
      const [histogram, open, running, ticks, workers, queues] = await Promise.all([
        figures.histogram({}, { fromAt: sinceAt, untilAt: untilAt + 1, buckets: overviewBuckets }),
        store.figures.open(),
        figures.runs({ states: ['RUNNING', 'CANCELLING'], limit: shownRuns }),
        upcomingTicks(store, untilAt, { limit: shownTicks, nextOnly: true }),
        figures.workers(),
        figures.queues(),
      ]);
      const created = (...types: readonly StateType[]): number =>
        sum(histogram.flatMap(({ counts }) => types.map((type) => counts[type] ?? 0)));
      const openOf = (...types: readonly StateType[]): number =>
        sum(open.filter(({ type }) => types.includes(type)).map(({ count }) => count));
      return {
        sinceAt,
        untilAt,
        runs: sum(histogram.flatMap(({ counts }) => Object.values(counts))),
        completed: created('COMPLETED'),
        failed: created('FAILED', 'CRASHED'),
        late: sum(open.filter(({ name }) => name === 'Late').map(({ count }) => count)),
        running: openOf('RUNNING', 'CANCELLING'),
        waiting: openOf('SCHEDULED', 'PENDING'),
        next: ticks[0] ?? null,
        histogram,
        attention: await attentionOf(store, { fromAt: sinceAt, untilAt, workers, queues, why }),
        runningNow: running.items,
        upcoming: ticks,
        workers,
        queues,
      };
    },
    async runs(filter = {}) {
      checkFilter('runs', filter);
      const { items, next } = await store.runs.list(filter);
      const begun = items.filter(({ startedAt }) => startedAt !== null).map(({ id }) => id);
      const [counts, pins, alike] = await Promise.all([
        store.figures.taskCounts(items.map(({ id }) => id)),
        store.pins.ofRuns(begun),
        alikeTo(
          store,
          items.filter(({ state }) => isTerminal(state.type)),
        ),
      ]);
      return {
        items: items.map(({ params: _params, result: _result, resultRef: _resultRef, ...run }) => ({
          ...run,
          tasks: counts.get(run.id) ?? noTasks,
          alike: alike.get(run.id) ?? null,
          pinnedTo: pins.get(run.id)?.version ?? null,
        })),
        next,
      };
    },
    histogram(filter = {}, options = {}) {
      const untilAt = options.untilAt ?? filter.until ?? clock.now() + 1;
      const fromAt = options.fromAt ?? filter.since ?? untilAt - dayMs;
      checkFilter('runs', filter);
      return store.figures.histogram(filter, { fromAt, untilAt, buckets: options.buckets ?? overviewBuckets });
    },
    async flows(options = {}) {
      const [known, ended] = await Promise.all([store.flows.list(), endedOf(undefined, options.sinceAt)]);
      const names = new Set([...known.map(({ name }) => name), ...ended.map(({ name }) => name)]);
      return [...names].sort().map((name) =>
        figuresOf(
          name,
          ended.filter((row) => row.name === name),
        ),
      );
    },
    async flow(name, options = {}) {
      const [ended, tasks] = await Promise.all([endedOf(name, options.sinceAt), store.figures.tasks(name, since(options.sinceAt))]);
      if (ended.length === 0) await localFlows(store).get(name);
      const taskFigures = tasks.map((task) => {
        const [cpuP50Ms = null, cpuP95Ms = null] = percentilesOf(task.cpuTimes, [0.5, 0.95]);
        return { ...timesOf(task), cpuP50Ms, cpuP95Ms, peakBytes: task.peakBytes };
      });
      return { ...figuresOf(name, ended), tasks: taskFigures.sort((left, right) => (right.p50Ms ?? -1) - (left.p50Ms ?? -1)) };
    },
    async taskWorkers(name, options = {}) {
      const rows = await store.figures.taskWorkers(name, since(options.sinceAt));
      if (rows.length === 0) await localFlows(store).get(name);
      return taskWorkerViews(rows);
    },
    async days({ flow, deployment }) {
      const name = deployment ?? flow;
      const kind = deployment !== undefined ? 'deployment' : flow !== undefined ? 'flow' : 'all';
      const untilAt = clock.now() + 1;
      const fromAt = Math.floor((untilAt - 365 * dayMs) / dayMs) * dayMs;
      const rows = await store.figures.ended({ kind, ...(name === undefined ? {} : { name }), fromAt, untilAt, by: 'day' });
      const days = new Map<number, EndedRuns[]>();
      for (const row of rows) days.set(row.at, [...(days.get(row.at) ?? []), row]);
      return [...days].sort(([left], [right]) => left - right).map(([startAt, ended]) => dayOf(startAt, ended));
    },
    async queues() {
      const [queues, alive] = await Promise.all([store.figures.queues(), livingWorkers(fleet)]);
      const served = (name: string): number => alive.filter((worker) => worker.queues.includes(name)).length;
      const idle = [...new Set(alive.flatMap((worker) => worker.queues))].filter((name) => !queues.some((queue) => queue.name === name));
      const rows = [
        ...queues.filter((queue) => queue.waiting + queue.delayed + queue.running + queue.inLastMinute + queue.outLastMinute > 0),
        ...idle.map((name) => ({ name, waiting: 0, delayed: 0, running: 0, oldestAt: null, inLastMinute: 0, outLastMinute: 0 })),
      ];
      return rows.map((queue) => ({ ...queue, workers: served(queue.name) })).sort((left, right) => (left.name < right.name ? -1 : 1));
    },
    workers: () => workerViews(fleet),
    reporters: async () => (await store.reports.list()).map((reporter) => ({ ...reporter, state: reporterState(reporter) })),
    facets: () => store.figures.facets(mostFacets),
  };
  return figures;
}

function figuresOf(name: string, ended: readonly EndedRuns[]): Figures {
  return timesOf({
    name,
    runs: sum(ended.map(({ runs }) => runs)),
    failures: sum(ended.filter(({ type }) => isFailure(type)).map(({ runs }) => runs)),
    timed: sum(ended.map(({ timed }) => timed)),
    totalMs: sum(ended.map(({ totalMs }) => totalMs)),
    durations: durationsOf(ended),
  });
}

interface Timed extends Pick<Figures, 'name' | 'runs' | 'failures'> {
  readonly timed: number;
  readonly totalMs: number;
  readonly durations: Durations;
}

function timesOf({ name, runs, failures, timed, totalMs, durations }: Timed): Figures {
  // For a single duration the sum is exact, the range is not: people would see an impossible median next to the mean.
  const [p50Ms = null, p95Ms = null] = timed === 1 ? [totalMs, totalMs] : percentilesOf(durations, [0.5, 0.95]);
  return { name, runs, failures, meanMs: timed === 0 ? null : totalMs / timed, p50Ms, p95Ms };
}

function dayOf(startAt: number, ended: readonly EndedRuns[]): DayFigures {
  const of = (...types: readonly StateType[]): number => sum(ended.filter(({ type }) => types.includes(type)).map(({ runs }) => runs));
  const [p50Ms = null, p95Ms = null] = percentilesOf(durationsOf(ended), [0.5, 0.95]);
  return { startAt, completed: of('COMPLETED'), failed: of('FAILED', 'CRASHED'), cancelled: of('CANCELLED'), p50Ms, p95Ms };
}

function durationsOf(ended: readonly EndedRuns[]): Durations {
  const durations = new Map<number, number>();
  for (const row of ended) if (isTerminal(row.type)) addDurations(durations, row.durations);
  return durations;
}

function isFailure(type: StateType): boolean {
  return type === 'FAILED' || type === 'CRASHED';
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
