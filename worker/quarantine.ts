/**
 * Executes what is on trial, each in a process of its own, while the worker continues with everything else.
 *
 * Few begin at once: one that has run for a while without harm makes room for the next, and runs to its end where it is. One whose process
 * is lost was alone, so the loss counts against it; what was observed is noted before it is taken back.
 */
import type { Logger } from 'pino';
import type { Clock } from '../src/base/clock.ts';
import type { SuspectStore } from '../src/store/store.ts';
import type { AloneEnd, AloneProcess } from './alone-process.ts';
import type { AloneOrder } from './alone-protocol.ts';

export interface QuarantineOptions {
  readonly suspects: SuspectStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** Maximum number of processes. */
  readonly places: number;
  /** How long one has to run without harm, ms. */
  readonly trialMs: number;
  readonly start: (what: Pick<AloneOrder, 'kind' | 'id'>, onOwner: (owner: string) => void) => AloneProcess;
  /** Has the work of a lost process taken back at once. */
  readonly onLost: () => void;
}

/** Maximum simultaneous trials. */
const maxTrials = 2;

export class Quarantine {
  readonly #options: QuarantineOptions;
  readonly #waiting = new Map<string, Pick<AloneOrder, 'kind' | 'id'>>();
  readonly #processes = new Map<string, { readonly process: AloneProcess; readonly ended: Promise<void> }>();
  #trials = 0;
  #closing = false;

  constructor(options: QuarantineOptions) {
    this.#options = options;
  }

  /** Accepts it, unless it already has it. */
  offer(what: Pick<AloneOrder, 'kind' | 'id'>): void {
    if (this.#closing || this.#processes.has(what.id)) return;
    this.#waiting.set(what.id, what);
    this.#next();
  }

  /** Accepts nothing new, and ends its processes: each hands back what has not ended after that time. */
  async stop(deadlineMs: number): Promise<void> {
    this.#closing = true;
    this.#waiting.clear();
    for (const { process } of this.#processes.values()) process.stop(deadlineMs);
    await Promise.all([...this.#processes.values()].map(({ ended }) => ended));
  }

  #next(): void {
    for (const what of this.#waiting.values()) {
      if (this.#closing || this.#trials >= maxTrials || this.#processes.size >= this.#options.places) return;
      this.#waiting.delete(what.id);
      this.#begin(what);
    }
  }

  #begin(what: Pick<AloneOrder, 'kind' | 'id'>): void {
    const { clock, trialMs, log, start, suspects } = this.#options;
    log.info({ [what.kind === 'run' ? 'run' : 'taskRun']: what.id }, 'Executing it in its own process: its last processes were lost.');
    this.#trials += 1;
    let isOnTrial = true;
    const endTrial = (): void => {
      if (!isOnTrial) return;
      isOnTrial = false;
      this.#trials -= 1;
      this.#next();
    };
    const timer = clock.setTimer(trialMs, endTrial, { unref: true });
    const process = start(what, (owner) => {
      suspects
        .expect(owner, what.id)
        .catch((error: unknown) => log.warn({ err: error }, 'A process that executes something alone could not be noted.'));
    });
    const ended = process.ended.then(async (end) => {
      timer.cancel();
      const survived = !isOnTrial;
      await this.#settle(what, end, survived).catch((error: unknown) =>
        log.warn({ err: error }, 'How a process ended could not be noted.'),
      );
      this.#processes.delete(what.id);
      endTrial();
      this.#next();
    });
    this.#processes.set(what.id, { process, ended });
  }

  async #settle({ id }: Pick<AloneOrder, 'id'>, { owner, lost, isExecuted }: AloneEnd, survived: boolean): Promise<void> {
    const { suspects, log, onLost } = this.#options;
    if (lost === null) {
      // Handed back within moments by an ending worker, it has proved nothing.
      if (isExecuted && (survived || !this.#closing)) await suspects.clear(id);
      return;
    }
    log.warn({ id, lost }, 'A process that executed nothing else was lost.');
    if (owner === null) return;
    await suspects.note({ owner, culprit: id, seen: lost });
    onLost();
  }
}
