/** How many triggers were fired, each by a run of another, before a run was made: the guard against chains that feed themselves. */
import { idChars } from '../src/model/ids.ts';
import { submittedIn } from '../src/model/submitted.ts';
import { maxHops } from '../src/model/triggers/trigger.ts';
import type { Run } from '../src/model/run.ts';
import type { Store } from '../src/store/store.ts';

/** Runs that started one another by code; beyond that, the chain counts as too long. */
const maxAncestors = 64;

/** What is known of a run: the length of its chain, and how many runs were looked through for it, itself included. */
interface Known {
  readonly length: number;
  readonly runs: number;
}

const none: Known = { length: 0, runs: 0 };
const tooLong: Known = { length: maxHops, runs: Number.POSITIVE_INFINITY };

/** Looks each run up once. 0 for a run that is in no chain or does not exist. The order in which it is asked changes nothing. */
export class ChainLengths {
  readonly #store: Pick<Store, 'runs'>;
  readonly #known = new Map<string, Known>();

  constructor(store: Pick<Store, 'runs'>) {
    this.#store = store;
  }

  /** @throws BatutaError STORE_… */
  async of(runId: string | null): Promise<number> {
    const passed: string[] = [];
    for (let next = runId; ; ) {
      if (next === null || next.length !== idChars || passed.includes(next)) return this.#remember(passed, none);
      const known = this.#known.get(next);
      if (known) return this.#remember(passed, known);
      // Of those nearer to its beginning nothing is known yet.
      if (passed.length >= maxAncestors) return this.#remember(passed.slice(0, 1), tooLong);
      passed.push(next);
      const run: Run | null = await this.#store.runs.get(next);
      if (run === null) return this.#remember(passed, none);
      const { trigger, callerRunId } = submittedIn(run.params);
      if (trigger) return this.#remember(passed, { length: trigger.hops, runs: 0 });
      next = run.parentRunId ?? callerRunId ?? null;
    }
  }

  /** Returns the length for the first of these, each started by the next. @param above of what started the last */
  #remember(passed: readonly string[], above: Known): number {
    let known = above;
    for (const id of passed.toReversed()) {
      known = known.runs < maxAncestors ? { length: known.length, runs: known.runs + 1 } : tooLong;
      this.#known.set(id, known);
    }
    return known.length;
  }
}
