/**
 * Keeps the claims of this process: renews them all in one statement each heartbeat, and looks for cancels that another process
 * asked for. Runs only while something is held.
 *
 * On a crash the claims run out by themselves and the next owner goes on. A claim that was lost (another process has taken the
 * run) is told to its holder, which stops and writes nothing more.
 */
import type { Logger } from 'pino';
import type { Clock, Timer } from '../base/clock.ts';
import type { Claim, Store } from '../store/store.ts';
import type { EngineSettings } from './services.ts';

/** Who holds a claim. */
export interface Holder {
  readonly claim: Claim;
  onLost(): void;
  onCancel(): void;
}

export interface LeaseOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: EngineSettings;
}

export class Leases {
  readonly #options: LeaseOptions;
  readonly #holders = new Map<string, Holder>();
  #timer: Timer | null = null;
  #beatAt = 0;
  #seenVersion: number | null = null;

  constructor(options: LeaseOptions) {
    this.#options = options;
    options.store.recorder.onFenced((claim) => this.#lost(claim));
  }

  hold(holder: Holder): void {
    this.#holders.set(holder.claim.runId, holder);
    if (this.#timer) return;
    this.#beatAt = this.#options.clock.monotonic();
    this.#seenVersion = null;
    this.#arm();
  }

  letGo(runId: string): void {
    this.#holders.delete(runId);
    if (this.#holders.size > 0) return;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #arm(): void {
    const { clock, settings } = this.#options;
    // A beat that was under way while all was let go of and something new was held finds a timer set already.
    this.#timer?.cancel();
    this.#timer = clock.setTimer(settings.cancelPollMs, () => void this.#beat(), { unref: true });
  }

  async #beat(): Promise<void> {
    const { clock, settings, log } = this.#options;
    try {
      if (clock.monotonic() - this.#beatAt >= settings.heartbeatMs) {
        this.#beatAt = clock.monotonic();
        await this.#renew();
      }
      await this.#lookForCancels();
    } catch (error) {
      // The next beat tries again; should the store stay away, the leases end and others go on.
      log.warn({ err: error }, 'The leases could not be renewed.');
    }
    if (this.#timer) this.#arm();
  }

  async #renew(): Promise<void> {
    for (const claim of await this.#options.store.runs.renew(this.#claims(), this.#options.settings.leaseMs)) this.#lost(claim);
  }

  async #lookForCancels(): Promise<void> {
    const { store } = this.#options;
    const version = store.dataVersion();
    if (version !== null && version === this.#seenVersion) return;
    this.#seenVersion = version;
    for (const runId of await store.runs.cancelRequested(this.#claims())) this.#holders.get(runId)?.onCancel();
  }

  #lost(claim: Claim): void {
    const holder = this.#holders.get(claim.runId);
    if (holder?.claim.epoch === claim.epoch) holder.onLost();
  }

  #claims(): Claim[] {
    return [...this.#holders.values()].map((holder) => holder.claim);
  }
}
