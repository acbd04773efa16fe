/**
 * Prints a line when a run starts or ends, in any process. If many end at once, they are counted instead.
 *
 * It reads the numbered changes of the store when the file system reports a write; without such reports it polls, which costs microseconds.
 */
import type { Clock, Timer } from '../../base/clock.ts';
import { formatDuration } from '../../base/duration.ts';
import { type Loop, makeLoop } from '../../base/loop.ts';
import type { Failure } from '../../model/failure.ts';
import type { Run } from '../../model/run.ts';
import { isTerminal } from '../../model/state.ts';
import { Follower } from '../../client/follower.ts';
import type { RunEvent, Store } from '../../store/store.ts';
import { countOf } from '../render/bar.ts';
import { failureLines } from '../render/failure.ts';
import { shortId } from '../../model/ids.ts';
import { glyphOf, type Paint } from '../render/shapes.ts';
import { localSecond } from '../render/times.ts';
import { oneLine } from '../render/width.ts';
import type { RunLog } from './run-log.ts';

export interface RunNewsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: () => number;
  readonly paint: Paint;
  readonly cwd: string;
  readonly columns: () => number;
  /** Log of the runs of this process, printed in order with the news. */
  readonly log: RunLog;
  readonly line: (text: string) => void;
  /** Called after changes were printed, with whether any of the runs is waiting. */
  readonly onNews: (waits: boolean) => void;
  readonly onError: (error: unknown, failures: number) => void;
}

/** Poll interval if writes are not reported, ms. */
const lookMs = 200;
/** Poll interval if they are, and delay between a write and the read, ms. */
const netMs = 2_000;
const afterWriteMs = 50;
/** Polls after which it reads regardless of the data version. */
const looksPerNet = 10;
/** Most changes of one poll that are printed one by one. */
const maxSingle = 20;
const maxFailures = 5;
/** Waiting states whose reason people want to know. */
const printedWaits: ReadonlySet<string> = new Set(['AwaitingRetry', 'AwaitingSlot', 'Suspended', 'Late', 'Resuming']);

export class RunNews {
  readonly #options: RunNewsOptions;
  #loop: Loop | null = null;
  #stopWatching: (() => void) | null = null;
  #timer: Timer | undefined;
  #follower: Follower<RunEvent> | null = null;
  #version: number | null = null;
  #looks = 0;

  constructor(options: RunNewsOptions) {
    this.#options = options;
  }

  /** Prints changes from now on. */
  async start(): Promise<void> {
    const { store, clock, random, onError } = this.#options;
    this.#follower = new Follower((after, limit) => store.events.runs(after, limit), clock, await store.events.place());
    this.#stopWatching = store.watchWrites(() => this.#lookSoon());
    const intervalMs = this.#stopWatching === null ? lookMs : netMs;
    const step = (): Promise<void> => this.#look();
    this.#loop = makeLoop({ name: 'news of runs', intervalMs, maxBackoffMs: 5_000, clock, random, onError, step });
    await this.#loop.start();
  }

  /** Prints all changes up to now, and stops. */
  async stop(): Promise<void> {
    this.#stopWatching?.();
    this.#timer?.cancel();
    await this.#loop?.stop();
    await this.#printNew().catch(() => undefined);
  }

  #lookSoon(): void {
    this.#timer ??= this.#options.clock.setTimer(afterWriteMs, () => {
      this.#timer = undefined;
      this.#loop?.wake();
    });
  }

  async #look(): Promise<void> {
    const version = this.#options.store.dataVersion();
    this.#looks += 1;
    if (version !== null && version === this.#version && this.#looks % looksPerNet !== 0) return;
    this.#version = version;
    await this.#printNew();
  }

  async #printNew(): Promise<void> {
    const events = (await this.#follower?.next()) ?? [];
    if (events.length === 0) return;
    const printed = events.filter(isPrinted);
    if (printed.length <= maxSingle) for (const event of printed) await this.#print(event);
    else await this.#printMany(printed);
    this.#noteEnds(events);
    this.#options.onNews(events.some(({ state }) => state.type === 'SCHEDULED'));
  }

  async #print(event: RunEvent): Promise<void> {
    const { line } = this.#options;
    const ended = isTerminal(event.state.type) ? await this.#options.store.runs.get(event.id) : null;
    if (ended !== null) this.#options.log.release(event.id);
    line(
      `${this.#headOf(event)} ${event.state.name}${tookText(ended)}${event.attempt > 1 ? ` (attempt ${event.attempt})` : ''}${messageOf(event, ended)}`,
    );
    if (event.state.type === 'RUNNING') this.#options.log.release(event.id);
    if (ended?.error && (event.state.type === 'FAILED' || event.state.type === 'CRASHED')) this.#explain(event.id, ended.error);
  }

  /** Prints the part of a failure the log has not shown: only the title if its cause was shown. */
  #explain(runId: string, failure: Failure): void {
    const { paint, line, log, cwd, columns } = this.#options;
    const shown = log.shown(runId, failure);
    if (shown === 'whole') return;
    const { name, message, code } = failure;
    const told: Failure = shown === 'cause' ? { name, message, code, stack: null, details: null, cause: null } : failure;
    for (const text of failureLines(told, paint, { indent: 11, cwd, width: columns() })) line(text);
  }

  /** A count per flow and end state, and the first failures in full. */
  async #printMany(events: readonly RunEvent[]): Promise<void> {
    const { paint, line } = this.#options;
    const counts = new Map<string, { readonly event: RunEvent; count: number }>();
    let failures = 0;
    for (const event of events) {
      const failed = event.state.type === 'FAILED' || event.state.type === 'CRASHED';
      if (failed && failures++ < maxFailures) {
        await this.#print(event);
        continue;
      }
      const key = `${labelOf(event)} ${event.state.name}`;
      const known = counts.get(key);
      if (known) known.count += 1;
      else counts.set(key, { event, count: 1 });
    }
    for (const { event, count } of counts.values()) {
      if (count === 1) await this.#print(event);
      else
        line(
          `${paint.dim(localSecond(event.at))} ${glyphOf(event.state, paint)} ${paint.bold(labelOf(event))} ${countOf(count)} runs ${event.state.name}`,
        );
    }
  }

  #noteEnds(events: readonly RunEvent[]): void {
    const { log } = this.#options;
    for (const { id, state } of events) {
      if (state.type === 'RUNNING') log.release(id);
      if (isTerminal(state.type)) log.forget(id);
    }
  }

  #headOf(event: RunEvent): string {
    const { paint } = this.#options;
    const glyph = glyphOf(event.state, paint);
    return `${paint.dim(localSecond(event.at))} ${glyph} ${paint.bold(labelOf(event))} ${oneLine(event.name)} ${paint.dim(shortId(event.id))}`;
  }
}

function isPrinted({ state }: RunEvent): boolean {
  return state.type === 'RUNNING' || isTerminal(state.type) || printedWaits.has(state.name);
}

function labelOf({ flow, deployment }: RunEvent): string {
  return oneLine(deployment === null || deployment === flow ? flow : `${deployment} (${flow})`);
}

function tookText(run: Run | null): string {
  return run === null || run.startedAt === null || run.endedAt === null
    ? ''
    : ` in ${formatDuration(Math.max(0, run.endedAt - run.startedAt))}`;
}

/** The error of a failure is printed below it, or was logged. */
function messageOf({ state }: RunEvent, run: Run | null): string {
  return state.message === null || run?.error ? '' : `: ${oneLine(state.message)}`;
}
