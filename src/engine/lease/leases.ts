/**
 * Keeps the claims of this process: renews them all in one statement each heartbeat, and checks for cancels requested by other processes.
 * Runs only while something is held.
 *
 * On a crash the claims expire by themselves and the next owner continues. A lost claim (another process has taken the run) is reported to
 * its holder, which stops and writes nothing more. If `abortUnrenewed` is set, so is a claim that could not be renewed and is about to
 * expire: two owners must not run at the same time.
 */
import type { Logger } from 'pino';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Claim, RunStore, SpreadStore, Store, TaskClaim } from '../../store/store.ts';
import type { EngineSettings } from '../services.ts';

/** A claim's holder. */
export interface Holder<C> {
  readonly claim: C;
  onLost(): void;
  onCancel(): void;
}

/** How the store keeps claims of one kind. */
export interface LeaseStore<C> extends Pick<Store, 'dataVersion'> {
  /** Of what is claimed. */
  idOf(claim: C): string;
  /** Renews them all; returns those that were lost. @throws BatutaError STORE_… */
  renew(claims: readonly C[], leaseMs: number): Promise<readonly C[]>;
  /** Ids of what should stop. @throws BatutaError STORE_… */
  toStop(claims: readonly C[]): Promise<readonly string[]>;
}

/** Those of runs. */
export function leasesOfRuns(
  store: Pick<Store, 'dataVersion'> & { readonly runs: Pick<RunStore, 'renew' | 'cancelRequested'> },
): LeaseStore<Claim> {
  return {
    dataVersion: () => store.dataVersion(),
    idOf: ({ runId }) => runId,
    renew: (claims, leaseMs) => store.runs.renew(claims, leaseMs),
    toStop: (claims) => store.runs.cancelRequested(claims),
  };
}

/** Those of spread task runs. Always queried: the owner of the run may be this process, whose own writes do not change the version. */
export function leasesOfTasks(spread: Pick<SpreadStore, 'renew' | 'toStop'>): LeaseStore<TaskClaim> {
  return {
    dataVersion: () => null,
    idOf: ({ taskRunId }) => taskRunId,
    renew: (claims, leaseMs) => spread.renew(claims, leaseMs),
    toStop: (claims) => spread.toStop(claims),
  };
}

export interface LeaseOptions<C> {
  readonly store: LeaseStore<C>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: EngineSettings;
}

interface Held<C> {
  readonly holder: Holder<C>;
  /** Monotonic instant from which its lease counts at least. */
  renewedAt: number;
  /** Whether its holder already knows that it is lost. */
  toldLost: boolean;
}

export class Leases<C extends { readonly epoch: number }> {
  readonly #options: LeaseOptions<C>;
  /** By id and epoch: this process may have it again before it knows that it had lost it. */
  readonly #held = new Map<string, Held<C>>();
  #timer: Timer | null = null;
  #guard: Timer | null = null;
  #beatAt = 0;
  #seenVersion: number | null = null;
  /** How many claims were taken up. */
  #holds = 0;

  constructor(options: LeaseOptions<C>) {
    this.#options = options;
  }

  /** @param since monotonic instant at which the claim was requested: a process that was frozen meanwhile has held it since then. */
  hold(holder: Holder<C>, since = this.#options.clock.monotonic()): void {
    this.#held.set(this.#keyOf(holder.claim), { holder, renewedAt: since, toldLost: false });
    // A cancel may have been requested since the claim, and been missed by a poll.
    this.#seenVersion = null;
    this.#holds++;
    if (this.#timer) return;
    this.#beatAt = this.#options.clock.monotonic();
    this.#arm();
    if (this.#options.settings.abortUnrenewed) this.#armGuard();
  }

  /**
   * To be called before user code begins: null if by this process's own clock the lease surely holds, else a promise that resolves once the
   * store was asked; a holder that has lost it is notified before. Always null unless `abortUnrenewed` is set.
   */
  confirm(claim: C): Promise<void> | null {
    const { clock, settings } = this.#options;
    const held = this.#held.get(this.#keyOf(claim));
    if (!settings.abortUnrenewed || !held || clock.monotonic() < held.renewedAt + settings.leaseMs - marginOf(settings)) return null;
    return this.#lookAtLeases(clock.monotonic());
  }

  release(claim: C): void {
    this.#held.delete(this.#keyOf(claim));
    if (this.#held.size > 0) return;
    this.#timer?.cancel();
    this.#guard?.cancel();
    this.#timer = null;
    this.#guard = null;
  }

  #arm(): void {
    const { clock, settings } = this.#options;
    // If everything was released and something new held during a beat, a timer is already set.
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
      // The next beat tries again; if the store stays away, the leases end and others continue.
      log.warn({ err: error }, 'The leases could not be renewed.');
    }
    if (this.#timer) this.#arm();
  }

  async #renew(): Promise<void> {
    const { clock, settings, store } = this.#options;
    const renewedAt = clock.monotonic();
    const held = [...this.#held.values()];
    const lost = await store.renew(
      held.map(({ holder }) => holder.claim),
      settings.leaseMs,
    );
    for (const one of held) one.renewedAt = Math.max(one.renewedAt, renewedAt);
    for (const claim of lost) this.lose(claim);
  }

  #armGuard(): void {
    const { clock, settings } = this.#options;
    // If everything was released and something new held during a check, a guard is already set.
    this.#guard?.cancel();
    // Not the beat's timer: a beat waiting for an unresponsive store must not hide this.
    this.#guard = clock.setTimer(marginOf(settings) / 4, () => void this.#guardLeases(), { unref: true });
  }

  async #guardLeases(): Promise<void> {
    await this.#lookAtLeases(this.#options.clock.monotonic());
    if (this.#guard) this.#armGuard();
  }

  async #lookAtLeases(lookedAt: number): Promise<void> {
    const { clock, settings, log } = this.#options;
    const margin = marginOf(settings);
    const ending = (): Held<C>[] =>
      [...this.#held.values()].filter(({ renewedAt, toldLost }) => !toldLost && clock.monotonic() >= renewedAt + settings.leaseMs - margin);
    if (ending().length > 0) {
      // Perhaps only this process was held up, by a long computation or by being stopped: then the store knows who has the runs.
      const patience = clock.sleep(margin / 2);
      await Promise.race([this.#renew().catch(() => undefined), patience]);
      const unrenewed = ending();
      for (const one of unrenewed) one.toldLost = true;
      if (unrenewed.length > 0)
        log.error(
          { runs: unrenewed.length, waitedMs: clock.monotonic() - lookedAt },
          'Leases are about to expire unrenewed; their runs are left to other processes.',
        );
      for (const { holder } of unrenewed) holder.onLost();
    }
  }

  async #lookForCancels(): Promise<void> {
    const { store } = this.#options;
    const version = store.dataVersion();
    if (version !== null && version === this.#seenVersion) return;
    const holds = this.#holds;
    const asked = new Set(await store.toStop(this.#claims()));
    // Only now: what a failed poll missed is polled again, and what was claimed meanwhile was not included.
    if (holds === this.#holds) this.#seenVersion = version;
    if (asked.size === 0) return;
    for (const { holder } of [...this.#held.values()]) if (asked.has(store.idOf(holder.claim))) holder.onCancel();
  }

  /** Notifies the holder of a lost claim. */
  lose(claim: C): void {
    this.#held.get(this.#keyOf(claim))?.holder.onLost();
  }

  #claims(): C[] {
    return [...this.#held.values()].map(({ holder }) => holder.claim);
  }

  #keyOf(claim: C): string {
    return `${this.#options.store.idOf(claim)}:${claim.epoch}`;
  }
}

/** How long before its end an unrenewed lease counts as lost. Leaves room for the regular renewals. */
function marginOf({ leaseMs, heartbeatMs }: EngineSettings): number {
  return Math.min(leaseMs / 5, (leaseMs - heartbeatMs) / 2);
}
