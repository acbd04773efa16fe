/**
 * Tells of runs as they start and end, whoever executes them, one line each. When many end at once they are counted instead.
 *
 * It reads the numbered changes of the store when the file system tells that somebody has written; where it does not tell, it asks, which costs
 * microseconds.
 */
import type { Clock, Timer } from '../../base/clock.ts';
import { formatDuration } from '../../base/duration.ts';
import { type Loop, makeLoop } from '../../base/loop.ts';
import type { Run } from '../../model/run.ts';
import { isTerminal } from '../../model/state.ts';
import { Follower } from '../../server/events/follower.ts';
import type { RunEvent, Store } from '../../store/store.ts';
import { countOf } from '../render/bar.ts';
import { failureLines } from '../render/failure.ts';
import { shortId } from '../../model/ids.ts';
import { glyphOf, type Paint } from '../render/shapes.ts';
import { localSecond } from '../render/times.ts';
import { oneLine } from '../render/width.ts';

export interface RunNewsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: () => number;
  readonly paint: Paint;
  readonly cwd: string;
  readonly columns: () => number;
  readonly line: (text: string) => void;
  /** Called after changes were told, with whether a run was among them that waits. */
  readonly onNews: (waits: boolean) => void;
  readonly onError: (error: unknown, failures: number) => void;
}

/** Between two looks where nobody tells of writes, ms. */
const lookMs = 200;
/** The same where the file system tells of them, and how soon after it is looked, ms. */
const netMs = 2_000;
const afterWriteMs = 50;
/** Looks until it reads whatever the database says. */
const looksPerNet = 10;
/** Changes of one look that are told one by one. */
const toldOneByOne = 20;
const toldFailures = 5;
/** Names of states that wait, of which people want to know why. */
const toldWaits: ReadonlySet<string> = new Set(['AwaitingRetry', 'AwaitingSlot', 'Suspended', 'Late', 'Resuming']);

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

  /** Tells of what happens from now on. */
  async start(): Promise<void> {
    const { store, clock, random, onError } = this.#options;
    this.#follower = new Follower((after, limit) => store.events.runs(after, limit), clock, await store.events.place());
    this.#stopWatching = store.watchWrites(() => this.#lookSoon());
    const intervalMs = this.#stopWatching === null ? lookMs : netMs;
    const step = (): Promise<void> => this.#look();
    this.#loop = makeLoop({ name: 'news of runs', intervalMs, maxBackoffMs: 5_000, clock, random, onError, step });
    await this.#loop.start();
  }

  /** Tells what has happened up to now, and ends. */
  async stop(): Promise<void> {
    this.#stopWatching?.();
    this.#timer?.cancel();
    await this.#loop?.stop();
    await this.#tellAll().catch(() => undefined);
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
    await this.#tellAll();
  }

  async #tellAll(): Promise<void> {
    const events = (await this.#follower?.next()) ?? [];
    if (events.length === 0) return;
    const told = events.filter(isTold);
    if (told.length <= toldOneByOne) for (const event of told) await this.#tell(event);
    else await this.#tellMany(told);
    this.#options.onNews(events.some(({ state }) => state.type === 'SCHEDULED'));
  }

  async #tell(event: RunEvent): Promise<void> {
    const { paint, line } = this.#options;
    const ended = isTerminal(event.state.type) ? await this.#options.store.runs.get(event.id) : null;
    line(
      `${this.#headOf(event)} ${event.state.name}${tookText(ended)}${event.attempt > 1 ? ` (attempt ${event.attempt})` : ''}${messageOf(event, ended)}`,
    );
    if (ended?.error && (event.state.type === 'FAILED' || event.state.type === 'CRASHED')) {
      const { cwd, columns } = this.#options;
      for (const text of failureLines(ended.error, paint, { indent: 11, cwd, width: columns() })) line(text);
    }
  }

  /** A count for each flow and end, and the first failures in full. */
  async #tellMany(events: readonly RunEvent[]): Promise<void> {
    const { paint, line } = this.#options;
    const counts = new Map<string, { readonly event: RunEvent; count: number }>();
    let failures = 0;
    for (const event of events) {
      const failed = event.state.type === 'FAILED' || event.state.type === 'CRASHED';
      if (failed && failures++ < toldFailures) {
        await this.#tell(event);
        continue;
      }
      const key = `${labelOf(event)} ${event.state.name}`;
      const known = counts.get(key);
      if (known) known.count += 1;
      else counts.set(key, { event, count: 1 });
    }
    for (const { event, count } of counts.values()) {
      if (count === 1) await this.#tell(event);
      else
        line(
          `${paint.dim(localSecond(event.at))} ${glyphOf(event.state, paint)} ${paint.bold(labelOf(event))} ${countOf(count)} runs ${event.state.name}`,
        );
    }
  }

  #headOf(event: RunEvent): string {
    const { paint } = this.#options;
    const glyph = glyphOf(event.state, paint);
    return `${paint.dim(localSecond(event.at))} ${glyph} ${paint.bold(labelOf(event))} ${oneLine(event.name)} ${paint.dim(shortId(event.id))}`;
  }
}

function isTold({ state }: RunEvent): boolean {
  return state.type === 'RUNNING' || isTerminal(state.type) || toldWaits.has(state.name);
}

function labelOf({ flow, deployment }: RunEvent): string {
  return oneLine(deployment === null || deployment === flow ? flow : `${deployment} (${flow})`);
}

function tookText(run: Run | null): string {
  return run === null || run.startedAt === null || run.endedAt === null
    ? ''
    : ` in ${formatDuration(Math.max(0, run.endedAt - run.startedAt))}`;
}

/** Of a failure the error is told below it. */
function messageOf({ state }: RunEvent, run: Run | null): string {
  return state.message === null || run?.error ? '' : `: ${oneLine(state.message)}`;
}
