/**
 * This process's view of the slots of tasks with limited tags: taken before a task is executed, given back after it.
 *
 * Simultaneous requests or returns share one transaction. A slot counts while the claim of its run (or spread task) holds, so a crash gives
 * it back. The limits are read at most once a second, and only when a task with a tag arrives.
 */
import type { Logger } from 'pino';
import type { Clock } from '../../base/clock.ts';
import { tagLimit } from '../../model/limit.ts';
import type { LimitStore, SlotAnswer, SlotChange, SlotClaim, SlotWish } from '../../store/store.ts';
import { Batcher } from '../batcher.ts';
import type { LimitWatch } from './limit-watch.ts';

/** How long the limits are valid once read, ms. */
const goodForMs = 1_000;
/** Between tries to give a slot back while the store is away, ms. */
const retryMs = 1_000;
const none: readonly string[] = [];

export interface TaskSlotsOptions {
  readonly store: LimitStore;
  readonly watch: LimitWatch;
  /** The system's. */
  readonly clock: Clock;
  readonly log: Logger;
  /** Id of this process as owner. */
  readonly ownerId: string;
  /** Notifies other processes that a slot may be free. Never rejects. */
  readonly tell: () => void;
}

/** What ends a request for slots; `waitSignal` aborts whenever `signal` does. */
export interface SlotSignals {
  readonly signal: AbortSignal;
  readonly waitSignal: AbortSignal;
}

/** Slots that a task holds. */
export interface HeldSlots {
  /** Gives them back, at once to waiters. Not awaited: the task has ended. */
  give(): void;
}

/** A slot being given back. */
interface Giving {
  /** The latest try. */
  tried: Promise<undefined>;
  done: Promise<void>;
}

export class TaskSlots {
  readonly #options: TaskSlotsOptions;
  readonly #asks: Batcher<SlotWish, SlotAnswer>;
  readonly #gives: Batcher<SlotClaim, undefined>;
  readonly #waiting = new Map<string, () => void>();
  /** Waiters by signal, with one listener for all: adding a listener costs as much as there are others. */
  readonly #waitingUnder = new Map<AbortSignal, Set<() => void>>();
  /** Slots being given back, by holder. */
  readonly #giving = new Map<string, Giving>();
  readonly #closed = new AbortController();
  #limits: ReadonlySet<string> = new Set();
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<ReadonlySet<string>> | null = null;
  #endWatch: (() => void) | null = null;

  constructor(options: TaskSlotsOptions) {
    this.#options = options;
    this.#asks = new Batcher((wishes) => options.store.askSlots(options.ownerId, wishes));
    this.#gives = new Batcher(async (holders) => {
      this.#news(await options.store.giveSlots(holders));
      return holders.map(() => undefined);
    });
  }

  /** Names of the limits on tasks with these tags; at once if they are known. @throws BatutaError STORE_… */
  limitsOf(tags: readonly string[]): readonly string[] | Promise<readonly string[]> {
    if (tags.length === 0) return none;
    if (this.#options.clock.monotonic() - this.#readAt <= goodForMs) return namesIn(this.#limits, tags);
    this.#reading ??= this.#read().finally(() => (this.#reading = null));
    return this.#reading.then((limits) => namesIn(limits, tags));
  }

  /**
   * Takes a slot of each limit. Null if `signal` aborts first, or if it has to wait and `waitSignal` aborts.
   *
   * @param onWait gets the reason if it waits
   * @throws BatutaError STORE_…
   */
  async take(wish: SlotWish, { signal, waitSignal }: SlotSignals, onWait: (message: string) => void): Promise<HeldSlots | null> {
    const { holder, runId, epoch, spread } = wish;
    // A retry asks under the same holder: overtaking the give, it would run on the slot about to be freed.
    await this.#giving.get(holder)?.tried;
    if (signal.aborted) return null;
    const held: HeldSlots = { give: () => this.#give({ holder, runId, epoch, spread }) };
    const answer = await this.#asks.add(wish);
    if (!answer.held && !waitSignal.aborted) {
      onWait(answer.message);
      // A listener may have stopped it.
      if (!waitSignal.aborted) await this.#wait(holder, waitSignal);
    }
    if (!signal.aborted && (answer.held || !waitSignal.aborted)) return held;
    held.give();
    return null;
  }

  /** Handles what a change led to: tasks that wait, here or elsewhere, may continue. */
  changed(change: SlotChange): void {
    this.#news(change);
  }

  /** Resolves once all slots were given back; any that cannot be are free once their runs are released. */
  async close(): Promise<void> {
    this.#closed.abort();
    while (this.#giving.size > 0) await Promise.all([...this.#giving.values()].map(({ done }) => done));
  }

  async #read(): Promise<ReadonlySet<string>> {
    const readAt = this.#options.clock.monotonic();
    this.#limits = new Set((await this.#options.store.tagLimits()).map(({ name }) => name));
    this.#readAt = readAt;
    return this.#limits;
  }

  #wait(holder: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const settle = (): void => {
        this.#waiting.delete(holder);
        leave();
        if (this.#waiting.size === 0) {
          this.#endWatch?.();
          this.#endWatch = null;
        }
        resolve();
      };
      this.#waiting.set(holder, settle);
      const leave = this.#onStop(signal, settle);
      this.#endWatch ??= this.#options.watch.begin(() => this.#look());
      // It may have been given a slot since the request.
      this.#options.watch.wake();
    });
  }

  /** Calls `settle` on abort. Returns a function to stop it. */
  #onStop(signal: AbortSignal, settle: () => void): () => void {
    const known = this.#waitingUnder.get(signal);
    const waiting = known ?? new Set();
    waiting.add(settle);
    if (known === undefined) {
      this.#waitingUnder.set(signal, waiting);
      signal.addEventListener('abort', this.#stopAll, { once: true });
    }
    return () => {
      waiting.delete(settle);
      if (waiting.size > 0) return;
      this.#waitingUnder.delete(signal);
      signal.removeEventListener('abort', this.#stopAll);
    };
  }

  /** Node.js 20 loses the `currentTarget` of a signal that also ends listeners elsewhere. */
  readonly #stopAll = ({ target }: Event): void => {
    for (const settle of this.#waitingUnder.get(target as AbortSignal) ?? []) settle();
  };

  async #look(): Promise<void> {
    for (const holder of await this.#options.store.slotsHeld([...this.#waiting.keys()])) this.#waiting.get(holder)?.();
  }

  #give(claim: SlotClaim): void {
    const { holder } = claim;
    const giving: Giving = { tried: this.#gives.add(claim), done: Promise.resolve() };
    this.#giving.set(holder, giving);
    giving.done = this.#giveUntilDone(claim, giving).finally(() => {
      if (this.#giving.get(holder) === giving) this.#giving.delete(holder);
    });
  }

  async #giveUntilDone(claim: SlotClaim, giving: Giving): Promise<void> {
    const { clock, log } = this.#options;
    for (;;) {
      try {
        await giving.tried;
        return;
      } catch (error) {
        log.warn({ err: error, runId: claim.runId }, 'A slot of a limit could not be given back; it is tried again.');
        if (this.#closed.signal.aborted) return;
        await clock.sleep(retryMs, this.#closed.signal).catch(() => undefined);
        giving.tried = this.#gives.add(claim);
      }
    }
  }

  #news({ owners }: SlotChange): void {
    const { ownerId, watch, tell } = this.#options;
    if (owners.includes(ownerId)) watch.wake();
    if (owners.some((id) => id !== ownerId)) tell();
  }
}

function namesIn(limits: ReadonlySet<string>, tags: readonly string[]): readonly string[] {
  if (limits.size === 0) return none;
  return [...new Set(tags.map(tagLimit).filter((name) => limits.has(name)))].sort();
}
