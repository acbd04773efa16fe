/** What an attempt needs before it begins: slots of limits, passes of rates, and a place for its thread or process. */
import { BatutaError } from '../../base/errors.ts';
import type { RateName } from '../../model/rate.ts';
import type { TaskRun } from '../../model/run.ts';
import type { TaskDefinition } from '../../model/task.ts';
import { askRate, awaitTurn, keyParams } from '../limits/await-rate.ts';
import { momentMs, RatePass } from '../limits/rates.ts';
import type { HeldSlots } from '../limits/task-slots.ts';
import type { RunAttempt } from '../run/run-attempt.ts';
import { dropped, isDropped } from '../waiting/dropped.ts';

/** The run was stopped before the attempt began, or what it waited for was dropped. */
export interface Stopped {
  readonly kind: 'stopped';
  readonly error: BatutaError;
}

export interface AttemptWaiting<Attempt> {
  /** Records that it waits, and for what. @param dueAt when it continues, if known */
  awaits(message: string, dueAt?: number | null): void;
  attempt(pass?: TaskPass | null): Promise<Attempt>;
}

/** An attempt whose tags may be under limits and rates: it has a slot of each limit and a pass of each rate before it begins. */
export async function underTags<Attempt>(
  active: RunAttempt,
  definition: TaskDefinition,
  row: TaskRun,
  tags: readonly string[],
  { awaits, attempt }: AttemptWaiting<Attempt>,
): Promise<Attempt | Stopped> {
  const { limits } = active.services;
  const names = await limits.tasks.limitsOf(tags);
  const rates = await limits.rates.ofTags(tags, () => keyParams(active.run.params));
  if (names.length === 0 && rates.length === 0) return attempt();
  const places = new AttemptPlaces(active, definition, row, awaits);
  const pass = await places.take(names, rates);
  if (pass === null) return stopped(active);
  try {
    return await attempt(rates.length === 0 ? null : pass);
  } finally {
    await places.end();
  }
}

/** A task's pass of its rates, until it has begun. */
export interface TaskPass {
  /** Whether it may begin at once; if it took too long, it first waits for its turn again. False if the run is stopped. */
  isReady(): Promise<boolean>;
  /** For how long it may still begin, ms; 0 or less: it came too late. */
  leftMs(now: number): number;
  /** Its method may be called at any moment, elsewhere. */
  tellMayHaveBegun(): void;
  /** Its method has been called. */
  tellBegun(): void;
}

type Note = Parameters<typeof awaitTurn>[1]['note'];

/** The slots and the pass of one attempt. */
class AttemptPlaces implements TaskPass {
  readonly #active: RunAttempt;
  readonly #definition: TaskDefinition;
  readonly #row: TaskRun;
  readonly #awaits: AttemptWaiting<unknown>['awaits'];
  #rates: readonly RateName[] = [];
  #slots: HeldSlots | null = null;
  #pass: RatePass | null = null;
  #mayHaveBegun = false;

  constructor(active: RunAttempt, definition: TaskDefinition, row: TaskRun, awaits: AttemptWaiting<unknown>['awaits']) {
    this.#active = active;
    this.#definition = definition;
    this.#row = row;
    this.#awaits = awaits;
  }

  /** Null if the run is stopped first, or its body settles while it waits. */
  async take(limits: readonly string[], rates: readonly RateName[]): Promise<this | null> {
    const { leaseClock } = this.#active.services;
    this.#rates = rates;
    for (;;) {
      if (this.#active.stopReason) return await this.#stop();
      if (limits.length > 0 && this.#slots === null && !(await this.#takeSlots(limits))) return await this.#stop();
      if (rates.length === 0) return this;
      // It has waited for its turn, and then for a slot.
      if (this.#pass?.isFresh(leaseClock.monotonic()) === true) return this.#active.stopReason ? await this.#stop() : this;
      await this.#pass?.giveBack();
      this.#pass = null;
      const turn = await askRate(this.#active, this.#wish);
      if (turn === null) return await this.#stop();
      if (turn instanceof RatePass) {
        this.#pass = turn;
        return this.#active.stopReason ? await this.#stop() : this;
      }
      if (isDropped(this.#active)) return await this.#stop();
      // Others may have the slots until its turn comes.
      if (limits.length > 0 && turn.waitMs > momentMs) this.#giveSlots();
      const note: Note = (message, { nextAt }) => this.#awaits(message, nextAt);
      if (!(await this.#awaitPass(note))) return await this.#stop();
    }
  }

  async isReady(): Promise<boolean> {
    const { stopReason, services } = this.#active;
    if (stopReason) return false;
    if (this.#pass?.isFresh(services.leaseClock.monotonic()) === true) return true;
    await this.#pass?.giveBack();
    this.#mayHaveBegun = false;
    // It is already recorded as begun.
    return await this.#awaitPass(() => undefined);
  }

  leftMs(now: number): number {
    return this.#pass?.leftMs(now) ?? 0;
  }

  tellMayHaveBegun(): void {
    this.#mayHaveBegun = true;
  }

  tellBegun(): void {
    this.#pass?.began();
    this.#active.tellBegun();
  }

  async end(): Promise<void> {
    // What has begun cannot be given back.
    if (this.#mayHaveBegun) this.#pass?.began();
    else await this.#pass?.giveBack();
    this.#giveSlots();
  }

  get #wish(): Parameters<typeof awaitTurn>[1]['wish'] {
    const { run } = this.#active;
    const { name, priority } = this.#definition;
    return {
      ...{ holder: this.#row.id, runId: this.#row.runId, task: name, names: this.#rates },
      priority: priority === 0 ? run.priority : priority,
    };
  }

  async #awaitPass(note: Note): Promise<boolean> {
    this.#pass = await awaitTurn(this.#active, { wish: this.#wish, note });
    return this.#pass !== null;
  }

  async #takeSlots(names: readonly string[]): Promise<boolean> {
    const { services, signal, waitSignal, record, isSpread } = this.#active;
    const { name, priority } = this.#definition;
    const { id: holder, runId } = this.#row;
    if (this.#active.stopReason) return false;
    const wish = {
      ...{ holder, runId, epoch: record.claim.epoch, spread: isSpread },
      ...{ names, task: name, priority: priority === 0 ? this.#active.run.priority : priority },
    };
    this.#slots = await services.limits.tasks.take(wish, { signal, waitSignal }, (message) => this.#awaits(message));
    return this.#slots !== null;
  }

  #giveSlots(): void {
    this.#slots?.give();
    this.#slots = null;
  }

  async #stop(): Promise<null> {
    await this.end();
    return null;
  }
}

/** An attempt in its own thread or process: starts only once it has a place, since its timeout begins with it. */
export async function apart<Attempt>(
  active: RunAttempt,
  definition: TaskDefinition,
  { awaits, attempt }: AttemptWaiting<Attempt>,
): Promise<Attempt | Stopped> {
  const { isolate } = active.services;
  const waiting = isolate.takePlace(definition, active.waitSignal);
  if (waiting) {
    awaits(waiting.message);
    if (!(await waiting.taken)) return stopped(active);
  }
  try {
    return await attempt();
  } finally {
    isolate.givePlace(definition);
  }
}

/** The outcome of an attempt whose run was stopped, or that was dropped while it waited. */
export function stopped(active: RunAttempt): Stopped {
  const { stopReason } = active;
  return { kind: 'stopped', error: stopReason ?? (isDropped(active) ? dropped : new BatutaError('INTERNAL', 'The run was stopped.')) };
}
