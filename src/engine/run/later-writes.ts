/** Writes of a run that no task waits for; the run's next step as a whole does. */
import type { Recorder } from '../../store/store.ts';

export class LaterWrites {
  readonly #recorder: Pick<Recorder, 'isOpen'>;
  readonly #unflushed = new Set<Promise<void>>();

  constructor(recorder: Pick<Recorder, 'isOpen'>) {
    this.#recorder = recorder;
  }

  /** Tracks a write. */
  add(written: Promise<void>): void {
    if (this.#unflushed.has(written)) return;
    this.#unflushed.add(written);
    written.then(
      () => this.#unflushed.delete(written),
      // Stays, so that the run does not end as if it had succeeded.
      () => undefined,
    );
  }

  /**
   * Resolves once every such write is durable, except those that share the flush of the next write when `withNext` is set; null if there is
   * none to wait for.
   *
   * @throws BatutaError STORE_… when one could not be recorded.
   */
  flushed(withNext: boolean): Promise<unknown> | null {
    const earlier = [...this.#unflushed].filter((written) => !(withNext && this.#recorder.isOpen(written)));
    return earlier.length === 0 ? null : Promise.all(earlier);
  }
}
