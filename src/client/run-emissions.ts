/** Queries about emissions of runs. */
import type { Clock } from '../base/clock.ts';
import type { Engine } from '../engine/engine.ts';
import type { Emission } from '../model/emission.ts';
import type { EmissionStream } from '../store/store.ts';
import type { RunsClient, StreamOptions } from './client.ts';
import { checkStreamOptions, emissionOf, followEmissions } from './emissions.ts';
import { type RejectsOptions, RunRejects } from './run-rejects.ts';

export interface EmissionsOptions extends RejectsOptions {
  readonly engine: Engine;
  readonly clock: Clock;
  /** Aborts when the client is closed. */
  readonly closed: AbortSignal;
}

/** This part of the local client's runs. */
export abstract class RunEmissions extends RunRejects implements Pick<RunsClient, 'streams' | 'emitted'> {
  readonly #options: EmissionsOptions;

  constructor(options: EmissionsOptions) {
    super(options);
    this.#options = options;
  }

  async streams(id: string): Promise<readonly EmissionStream[]> {
    return this.#options.store.emissions.streams((await this.get(id)).id);
  }

  async *emitted(id: string, stream: string, options: StreamOptions = {}): AsyncGenerator<Emission> {
    checkStreamOptions(stream, options);
    const { store, engine, clock, closed } = this.#options;
    const { emissions, results } = engine.services;
    const signal = options.signal ? AbortSignal.any([options.signal, closed]) : closed;
    const runId = (await this.get(id)).id;
    for await (const page of followEmissions({ store, clock, emissions, runId, stream, after: options.after ?? 0, signal }))
      for (const stored of page) {
        if (signal.aborted) return;
        yield await emissionOf(results, stored);
      }
  }
}
