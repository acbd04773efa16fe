/** Claims waiting runs by their tickets. Claims of one turn are one statement. */
import { hasExpired } from '../../model/expiry.ts';
import type { Run } from '../../model/run.ts';
import type { FairTicket, FairTurn, HeavyRun, PickOptions } from '../../store/store.ts';
import { Batcher } from '../batcher.ts';
import { endExpired } from '../run/start-run.ts';
import type { EngineServices } from '../services.ts';

/** A worker takes tickets in bursts, one for each run that a flush ended: held this long, a burst is one statement instead of two. */
const lingerMs = 1;

/** Notified why a waiting run was not claimed. */
export interface ClaimHearer {
  /** It is unknown. */
  missing?(): void;
  /** It takes several places of a worker: see `claimHeavy`. */
  heavy?(run: HeavyRun): void;
  /** Its ticket grants a turn: see `takeTurn`. */
  fair?(ticket: FairTicket): void;
}

/** Share of a flow's turns for runs with this key. */
export type WeightOf = PickOptions['weightOf'];

interface AskedTurn {
  readonly id: string;
  readonly weightOf: WeightOf;
}

interface AskedClaim {
  readonly id: string;
  readonly hearer: ClaimHearer | undefined;
}

export class RunClaims {
  readonly #services: EngineServices;
  readonly #claims: Batcher<AskedClaim, Run | null>;
  /** By queue and priority: simultaneous requests share one transaction. */
  readonly #turns = new Map<string, Batcher<AskedTurn, FairTurn | null>>();
  /** When the claim of a run was requested, monotonic ms. */
  readonly #askedAt = new WeakMap<Run, number>();

  constructor(services: EngineServices) {
    this.#services = services;
    this.#claims = new Batcher((asked) => this.#claimAll(asked), { lingerMs });
  }

  /** See `Engine.claim`. */
  async claim(id: string, hearer?: ClaimHearer): Promise<Run | null> {
    const askedAt = this.#services.leaseClock.monotonic();
    return this.#unexpired(await this.#claims.add({ id, hearer }), askedAt);
  }

  /** See `Engine.claimHeavy`. */
  async claimHeavy(id: string, slots: number): Promise<Run | null> {
    const { store, owner, settings, limits, leaseClock } = this.#services;
    const askedAt = leaseClock.monotonic();
    const claimed = await store.fleet.claimMany([id], owner, settings.leaseMs, {
      slots,
      cancelled: (run) => limits.runs.cancelled([run]),
    });
    return this.#unexpired(claimed.get(id) ?? null, askedAt);
  }

  /** See `Engine.takeTurn`. */
  takeTurn({ id, queue, priority }: FairTicket, weightOf: WeightOf): Promise<FairTurn | null> {
    const name = JSON.stringify([queue, priority]);
    const { fairness } = this.#services.store;
    let turns = this.#turns.get(name);
    if (turns === undefined) {
      turns = new Batcher(async (asked) => {
        const picked = await fairness.pick({ queue, priority }, { count: asked.length, tickets: asked.map((one) => one.id), weightOf });
        return asked.map((_, at) => picked[at] ?? null);
      });
      this.#turns.set(name, turns);
    }
    return turns.add({ id, weightOf });
  }

  /** When the claim of a run claimed here was requested, monotonic ms. */
  askedAt(run: Run): number | undefined {
    return this.#askedAt.get(run);
  }

  async #claimAll(asked: readonly AskedClaim[]): Promise<readonly (Run | null)[]> {
    const { store, owner, settings, limits } = this.#services;
    const missing = new Set<string>();
    const heavy = new Map<string, HeavyRun>();
    const fair = new Map<string, FairTicket>();
    const ids = [...new Set(asked.map(({ id }) => id))];
    const claimed = new Map(
      await store.fleet.claimMany(ids, owner, settings.leaseMs, {
        isAlone: settings.isAlone,
        missing: (id) => missing.add(id),
        heavy: (run) => heavy.set(run.id, run),
        fair: (ticket) => fair.set(ticket.id, ticket),
        cancelled: (run) => limits.runs.cancelled([run]),
      }),
    );
    return asked.map(({ id, hearer }) => {
      if (missing.has(id)) hearer?.missing?.();
      const tooMuch = heavy.get(id);
      if (tooMuch !== undefined) hearer?.heavy?.(tooMuch);
      const right = fair.get(id);
      if (right !== undefined) hearer?.fair?.(right);
      const run = claimed.get(id) ?? null;
      // If several ask for one run at once, one gets it.
      claimed.delete(id);
      return run;
    });
  }

  async #unexpired(run: Run | null, askedAt: number): Promise<Run | null> {
    if (run === null || (hasExpired(run, this.#services.settings.leaseMs) && (await endExpired(this.#services, run)))) return null;
    this.#askedAt.set(run, askedAt);
    return run;
  }
}
