/**
 * This process's view of run slots: runs that it owns wait here for theirs, and slots they give back go to the next in line.
 *
 * Nothing is held here. A run has its slot by its claim, so a crash gives it back.
 */
import type { Logger } from 'pino';
import type { Run } from '../../model/run.ts';
import type { State } from '../../model/state.ts';
import type { CancelledRun, Claim, LimitStore, NewRun, RunStore, SlotOutcome, Ticketed } from '../../store/store.ts';
import type { LimitWatch } from './limit-watch.ts';

/** Wakes workers for runs whose turn it is. @throws BatutaError BROKER_UNAVAILABLE, CONFIG_INVALID, STORE_… */
export type PutTickets = (runs: readonly Ticketed[]) => Promise<void>;

export interface RunSlotsOptions {
  readonly store: { readonly limits: LimitStore; readonly runs: Pick<RunStore, 'get'> };
  readonly watch: LimitWatch;
  readonly log: Logger;
  /** Tells other processes that a slot may be free. Never rejects. */
  readonly tell: () => void;
}

export interface SlotWait {
  /** Ends the wait when it aborts. */
  readonly signal: AbortSignal;
  /** Called with the recorded state. */
  readonly onState: (state: State) => void;
}

/** `taken` · `skipped`: the run has ended · `stopped`: the signal came first · `lost`: another owns the run. */
export type SlotEnd = 'taken' | 'skipped' | 'stopped' | 'lost';

export class RunSlots {
  readonly #options: RunSlotsOptions;
  readonly #giving = new Set<Promise<void>>();
  #put: PutTickets | null = null;
  #onCancelled: (run: CancelledRun) => void = () => undefined;

  constructor(options: RunSlotsOptions) {
    this.#options = options;
  }

  /** Has workers woken by `put` from now on. */
  carry(put: PutTickets): void {
    this.#put = put;
  }

  /** Calls the listener with runs that were asked to end to make room; some may be running here. */
  onCancelled(listener: (run: CancelledRun) => void): void {
    this.#onCancelled = listener;
  }

  /** Notifies the listener of runs that were asked to end. */
  cancelled(runs: readonly CancelledRun[]): void {
    for (const run of runs) this.#onCancelled(run);
  }

  /** A sub-flow shares the slot of an ancestor under the same limit; otherwise it would wait for itself. */
  async isSharedWithAncestor(run: Pick<NewRun, 'parentRunId' | 'concurrencyKey'>): Promise<boolean> {
    for (let parentId = run.parentRunId; parentId !== null; ) {
      const parent: Run | null = await this.#options.store.runs.get(parentId);
      if (parent === null) return false;
      if (parent.concurrencyKey === run.concurrencyKey) return true;
      parentId = parent.parentRunId;
    }
    return false;
  }

  /** Waits until a run of this process has its slot. @throws BatutaError STORE_… when it could not request it */
  async waitFor(claim: Claim, { signal, onState }: SlotWait): Promise<SlotEnd> {
    const { store, watch, log } = this.#options;
    const ask = async (): Promise<SlotOutcome> => {
      const outcome = await store.limits.take(claim);
      if (outcome.kind !== 'lost') {
        onState(outcome.state);
        this.cancelled(outcome.cancelled);
      }
      return outcome;
    };
    const first = await ask();
    if (first.kind !== 'waits') return first.kind;
    if (signal.aborted) return 'stopped';
    return await new Promise<SlotEnd>((resolve) => {
      const settle = (end: SlotEnd): void => {
        endWatch();
        signal.removeEventListener('abort', stop);
        resolve(end);
      };
      const stop = (): void => settle('stopped');
      const look = async (): Promise<void> => {
        if (signal.aborted || !(await store.limits.mayTake(claim.runId)) || signal.aborted) return;
        const { kind } = await ask();
        if (kind !== 'waits') settle(kind);
      };
      const endWatch = watch.begin(look);
      signal.addEventListener('abort', stop, { once: true });
      // It may have become free since the request.
      watch.wake();
      log.debug({ runId: claim.runId }, 'The run waits for its slot.');
    });
  }

  /** To be called when a run under a limit has ended or was released: the next one gets its turn at once. */
  freed(key: string | null): void {
    if (key === null) return;
    const { watch, tell } = this.#options;
    watch.wake();
    tell();
    const giving = this.#giveOn(key).finally(() => this.#giving.delete(giving));
    this.#giving.add(giving);
  }

  /** Resolves once all freed slots were passed on. */
  async settled(): Promise<void> {
    while (this.#giving.size > 0) await Promise.all(this.#giving);
  }

  async #giveOn(key: string): Promise<void> {
    const { store, log } = this.#options;
    try {
      const put = this.#put;
      if (put === null) return;
      const runs = await store.limits.nextRuns({ key, ticketedBeforeMs: 0 });
      if (runs.length > 0) await put(runs);
    } catch (error) {
      log.debug({ err: error }, 'The next run of a limit could not be woken; the fleet sees it within seconds.');
    }
  }
}
