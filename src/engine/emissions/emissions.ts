/** What the runs of a process emit: recorded in groups, in the order of `ctx.emit`. */
import type { Clock } from '../../base/clock.ts';
import { BatutaError } from '../../base/errors.ts';
import { showBytes } from '../../base/setting-values.ts';
import type { EmissionOutcome, EmissionWrite, Store } from '../../store/store.ts';
import { Batcher } from '../batcher.ts';
import { EmissionWatch } from './emission-watch.ts';

export interface EmissionSettings {
  /** Of a value, as results are stored. Default 16 MiB. */
  readonly maxStreamValueBytes: number;
  /** Of all values of a run, plus 64 bytes each. Default 256 MiB. */
  readonly maxRunStreamsBytes: number;
}

interface Parts {
  readonly store: Store;
  readonly settings: EmissionSettings;
  readonly leaseClock: Clock;
}

/** Values per transaction, each of up to 256 KiB. */
const maxItems = 200;

export class Emissions {
  readonly settings: EmissionSettings;
  readonly #writes: Batcher<EmissionWrite, EmissionOutcome>;
  /** Notifies followers of a run that there may be more. */
  readonly watch: EmissionWatch;

  constructor({ store, settings, leaseClock }: Parts) {
    this.settings = settings;
    this.watch = new EmissionWatch(store, leaseClock);
    this.#writes = new Batcher((writes) => store.emissions.add(writes, settings.maxRunStreamsBytes), { maxItems });
  }

  /**
   * Resolves once the value is durable, or refused because its run is another's or over.
   *
   * @throws BatutaError STREAM_FULL, STORE_…
   */
  async add(write: EmissionWrite): Promise<void> {
    const { runId, stream } = write.emission;
    const outcome = await this.#writes.add(write);
    if (outcome === 'full')
      throw new BatutaError(
        'STREAM_FULL',
        `The run has emitted ${showBytes(this.settings.maxRunStreamsBytes)} (BATUTA_MAX_RUN_STREAMS); a value for the stream '${stream}' found no more room.`,
        { details: { stream, maxBytes: this.settings.maxRunStreamsBytes } },
      );
    this.watch.ring(runId);
  }
}
