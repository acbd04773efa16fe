/** Queries about and changes of the records that runs have rejected. */
import { decodeValue } from '../engine/values/results.ts';
import type { DeadLetter, RejectCounts, RejectFilter } from '../model/dead-letters.ts';
import type { Run } from '../model/run.ts';
import type { Store } from '../store/store.ts';
import type { EnqueueOptions, RunHandle, RunsClient } from './client.ts';
import { countRejects, readRejects, requireRejects } from './rejects.ts';

export interface RejectsOptions {
  readonly store: Store;
  /** See `Client.enqueue`. */
  readonly enqueue: (flow: string, params: unknown, options: EnqueueOptions) => Promise<RunHandle>;
}

/** This part of the local client's runs. */
export abstract class RunRejects implements Pick<RunsClient, 'rejects' | 'rejectCounts' | 'retryRejects'> {
  readonly #options: RejectsOptions;

  constructor(options: RejectsOptions) {
    this.#options = options;
  }

  /** @throws BatutaError RUN_NOT_FOUND */
  abstract get(id: string): Promise<Run>;

  async *rejects(id: string, filter: RejectFilter = {}): AsyncGenerator<DeadLetter> {
    yield* readRejects(this.#options.store, (await this.get(id)).id, filter);
  }

  async rejectCounts(id: string, filter: RejectFilter = {}): Promise<RejectCounts> {
    return countRejects(this.#options.store, (await this.get(id)).id, filter);
  }

  async retryRejects(id: string): Promise<RunHandle> {
    const { flow, params, queue, priority, tags, ...run } = await this.get(id);
    await requireRejects(this.#options.store, run.id);
    return this.#options.enqueue(flow, decodeValue(params), { queue, priority, tags: [...tags], replayOf: run.id });
  }
}
