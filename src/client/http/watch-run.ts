/**
 * Follows a run over HTTP: reads when the server reports an event, and now and then regardless.
 *
 * If events do not arrive (a proxy that buffers them, a restarting server), it polls every second. Pages of task runs that have all ended
 * are not read again.
 */
import type { Clock } from '../../base/clock.ts';
import type { Run, TaskRun } from '../../model/run.ts';
import { isTerminal } from '../../model/state.ts';
import type { Api } from './api.ts';
import { followEvents } from './event-stream.ts';
import { FollowedPages, type PagedTaskRuns } from './followed-pages.ts';

/** Reads of a run. */
export interface WatchedRuns extends PagedTaskRuns {
  get(id: string): Promise<Run>;
}

/** Between two reads with and without events, ms. */
const netMs = 5_000;
const pollMs = 1_000;
/** Events of a busy run arrive by the hundred; reads are at least this or twice a read's duration apart, ms. */
const leastGapMs = 100;

/** Yields at once and then on every change until the run is terminal or `signal` aborts. @throws BatutaError RUN_NOT_FOUND */
export async function* watchOverHttp(
  api: Api,
  runs: WatchedRuns,
  id: string,
  signal?: AbortSignal,
): AsyncGenerator<{ readonly run: Run; readonly taskRuns: readonly TaskRun[] }> {
  const pages = new FollowedPages(runs, id);
  let seen = '';
  for await (const run of follow(api, runs, id, signal)) {
    const taskRuns = await pages.read(run.attempt, isTerminal(run.state.type));
    const now = [run.state.name, run.attempt, ...taskRuns.map(shownOf)].join(' ');
    if (now !== seen) yield { run, taskRuns };
    seen = now;
  }
}

/** The run once it is terminal. @throws BatutaError RUN_NOT_FOUND */
export async function awaitEndOverHttp(api: Api, runs: Pick<WatchedRuns, 'get'>, id: string): Promise<Run> {
  let last: Run | null = null;
  for await (const run of follow(api, runs, id)) last = run;
  return last ?? (await runs.get(id));
}

function shownOf({ state, attempt, progress }: TaskRun): string {
  return `${state.name}${attempt}${progress?.done ?? ''}`;
}

/** The run on each possible change, until it is terminal or `signal` aborts. Time spent by the consumer counts as reading. */
async function* follow(api: Api, runs: Pick<WatchedRuns, 'get'>, id: string, signal?: AbortSignal): AsyncGenerator<Run> {
  const over = new AbortController();
  const ended = AbortSignal.any([over.signal, api.closed, ...(signal ? [signal] : [])]);
  const bell = new Bell(api.clock);
  ended.addEventListener('abort', () => bell.ring(), { once: true });
  let follows: Promise<unknown> | undefined;
  let streams = false;
  try {
    while (!signal?.aborted) {
      const startedAt = api.clock.monotonic();
      bell.reset();
      const run = await runs.get(id);
      yield run;
      if (isTerminal(run.state.type)) return;
      follows ??= followEvents(api, 'events', {
        query: { run: run.id },
        signal: ended,
        onEvent: () => bell.ring(),
        onState(open) {
          streams = open;
          bell.ring();
        },
      });
      const tookMs = api.clock.monotonic() - startedAt;
      await api.clock.sleep(Math.max(leastGapMs, 2 * tookMs), ended).catch(() => undefined);
      await bell.wait(streams ? netMs : pollMs);
      api.closed.throwIfAborted();
    }
  } finally {
    over.abort();
    await follows;
  }
}

/** Rung from outside; has one waiter. */
class Bell {
  readonly #clock: Clock;
  #rung = false;
  #wake: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  reset(): void {
    this.#rung = false;
  }

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Resolves once it was rung since the reset, or after `longestMs`. */
  async wait(longestMs: number): Promise<void> {
    if (this.#rung) return;
    await new Promise<void>((resolve) => {
      const timer = this.#clock.setTimer(longestMs, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
    this.#wake = null;
  }
}
