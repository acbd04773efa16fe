/** Values that runs emit, read from the store as they appear. */
import type { Clock } from '../base/clock.ts';
import { BatutaError } from '../base/errors.ts';
import type { Emissions } from '../engine/emissions/emissions.ts';
import type { ResultStorage } from '../engine/results/storage.ts';
import { loadValue } from '../engine/values/results.ts';
import { checkStreamName, type Emission } from '../model/emission.ts';
import type { Store, StoredEmission } from '../store/store.ts';
import type { StreamOptions } from './handle.ts';

/** A reader checks by itself at least this often, ms. */
const netMs = 2_000;

/** @throws BatutaError NAME_INVALID, FILTER_INVALID */
export function checkStreamOptions(stream: string, { after }: StreamOptions): void {
  checkStreamName(stream);
  if (after !== undefined && !(Number.isSafeInteger(after) && after >= 0))
    throw new BatutaError('FILTER_INVALID', `after must be the seq of a value, not ${String(after)}.`, { details: { filter: 'after' } });
}

export interface FollowedEmissions {
  readonly store: Store;
  readonly clock: Clock;
  /** Of this process; signals that there may be more. */
  readonly emissions: Emissions;
  readonly runId: string;
  readonly stream: string;
  readonly after: number;
  readonly signal: AbortSignal;
}

/**
 * Pages of values, each value once, until the run has ended or `signal` aborts. Reads only on demand.
 *
 * @throws BatutaError STORE_…, RUN_NOT_FOUND (it was deleted meanwhile)
 */
export async function* followEmissions(followed: FollowedEmissions): AsyncGenerator<readonly StoredEmission[]> {
  const { store, clock, emissions, runId, stream, signal } = followed;
  const bell = new Bell();
  const leave = emissions.watch.listen(runId, () => bell.ring());
  let { after } = followed;
  /** Over all streams of the run: its values are read up to here. */
  let seen = 0;
  try {
    while (!signal.aborted) {
      bell.reset();
      // Before its values: emissions are recorded before a run ends.
      const [place] = await store.emissions.places([runId]);
      if (!place) throw new BatutaError('RUN_NOT_FOUND', `No run has the id ${runId}.`, { details: { runId } });
      for (let hasMore = place.newest > seen; hasMore && !signal.aborted; ) {
        const page = await store.emissions.page(runId, stream, { after });
        hasMore = page.hasMore;
        if (page.items.length === 0) break;
        after = page.items.at(-1)?.seq ?? after;
        yield page.items;
      }
      seen = place.newest;
      if (place.isOver || signal.aborted) return;
      await bell.wait(clock, netMs, signal);
    }
  } finally {
    leave();
  }
}

/** Rung from outside; has one waiter. */
class Bell {
  #isRung = false;
  #wake: (() => void) | null = null;

  reset(): void {
    this.#isRung = false;
  }

  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  async wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    if (this.#isRung || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', done);
        this.#wake = null;
        resolve();
      };
      const timer = clock.setTimer(ms, done);
      this.#wake = done;
      signal.addEventListener('abort', done, { once: true });
    });
  }
}

/** With its value. @throws BatutaError RESULT_MISSING */
export async function emissionOf(results: ResultStorage, { value, ref, ...emission }: StoredEmission): Promise<Emission> {
  return { ...emission, value: await loadValue(results, { result: value, resultRef: ref }) };
}

/** The values alone; each loop begins at the first of `emitted`. */
export function valuesOf(emitted: () => AsyncIterable<Emission>): AsyncIterable<never> {
  return {
    async *[Symbol.asyncIterator]() {
      for await (const { value } of emitted()) yield value as never;
    },
  };
}
