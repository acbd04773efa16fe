/** Queries about and changes of the versions to which runs are pinned. */
import type { Engine } from '../engine/engine.ts';
import { BatutaError } from '../base/errors.ts';
import { hasVersion } from '../model/pin.ts';
import type { Run } from '../model/run.ts';
import { isTerminal } from '../model/state.ts';
import { type BulkSource, changeMany, unpinning } from './bulk-runs.ts';
import type { PinView, RunsClient } from './client.ts';
import type { BulkReport, BulkWish } from './fleet-client.ts';
import { type EmissionsOptions, RunEmissions } from './run-emissions.ts';
import { livingWorkers } from './worker-views.ts';

export interface PinsOptions extends EmissionsOptions {
  readonly engine: Engine;
  /** Puts the tickets of waiting runs. Best effort: workers find runs themselves within seconds. */
  readonly ticket: (runs: readonly Pick<Run, 'id' | 'epoch' | 'priority' | 'queue'>[]) => Promise<void>;
}

/** Maximum depth of nested sub-flows. */
const maxDepth = 100;

/** This part of the local client's runs. */
export abstract class RunPins extends RunEmissions implements Pick<RunsClient, 'pin' | 'unpin' | 'unpinMany'> {
  readonly #options: PinsOptions;

  constructor(options: PinsOptions) {
    super(options);
    this.#options = options;
  }

  async pin(id: string): Promise<PinView | null> {
    return await this.pinOf(await this.get(id));
  }

  async unpin(id: string): Promise<Run> {
    const run = await this.get(id);
    await this.#unpin(run);
    return await this.get(run.id);
  }

  /** A filter matches pinned runs only. */
  unpinMany({ filter, ...wish }: BulkWish): Promise<BulkReport> {
    const pinned = filter === undefined ? {} : { filter: { pinned: 'any', ...filter } };
    return changeMany(this.source, { ...wish, ...pinned }, { ...unpinning, change: (run) => this.#unpin(run) });
  }

  protected abstract get source(): BulkSource;

  protected async pinOf(run: Pick<Run, 'id' | 'startedAt'>): Promise<PinView | null> {
    const pin = run.startedAt === null ? null : await this.#options.store.pins.get(run.id);
    if (pin === null) return null;
    const { store, engine } = this.#options;
    const { settings, isOwnerGone } = engine.services;
    const workers = await livingWorkers({ store, leaseMs: settings.leaseMs, isOwnerGone });
    return { version: pin.version, pinnedAt: pin.at, workers: workers.filter(({ flows }) => hasVersion(flows, pin)).length };
  }

  async #unpin(run: Run): Promise<void> {
    const { store, engine } = this.#options;
    const pin = await store.pins.unpin(run.id);
    if (pin === null)
      throw new BatutaError('RUN_STATE_REFUSED', `Run ${run.id} is not pinned: any worker that has the flow ${run.flow} may continue it.`, {
        details: { runId: run.id, state: run.state.name },
      });
    await store.recorder.addLog({
      ...{ runId: run.id, taskRunId: null, at: engine.services.clock.now(), level: 40 },
      message: `No longer pinned to version ${pin.version}: from now on any version of the flow ${pin.flow} may continue it.`,
      fields: null,
    });
    if (!isTerminal(run.state.type)) await this.#goOn(run);
  }

  /** A sub-flow continues when its parent run does. */
  async #goOn(run: Run): Promise<void> {
    const { store, ticket } = this.#options;
    let waiting: Run | null = run;
    for (let depth = 0; waiting?.parentRunId != null && depth < maxDepth; depth++) waiting = await store.runs.get(waiting.parentRunId);
    if (waiting?.owner === null && waiting.state.type === 'SCHEDULED') await ticket([waiting]);
  }
}
