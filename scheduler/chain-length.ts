/** How many triggers were fired, each by a run of another, before a run was made: the guard against chains that feed themselves. */
import { idChars } from '../src/model/ids.ts';
import { submittedIn } from '../src/model/submitted.ts';
import { maxHops } from '../src/model/triggers/trigger.ts';
import type { Run } from '../src/model/run.ts';
import type { Store } from '../src/store/store.ts';

/** Runs that started one another by code; beyond that, the chain counts as too long. */
const maxAncestors = 64;

/** Looks each run up once. 0 for a run that is in no chain or does not exist. */
export class ChainLengths {
  readonly #store: Pick<Store, 'runs'>;
  readonly #known = new Map<string, number>();

  constructor(store: Pick<Store, 'runs'>) {
    this.#store = store;
  }

  /** @throws BatutaError STORE_… */
  async of(runId: string | null): Promise<number> {
    const passed: string[] = [];
    let length: number | undefined;
    let next = runId;
    while (length === undefined) {
      if (next === null || next.length !== idChars || passed.includes(next)) length = 0;
      else if (passed.length >= maxAncestors) length = maxHops;
      else {
        const id: string = next;
        length = this.#known.get(id);
        passed.push(id);
        if (length !== undefined) break;
        const run: Run | null = await this.#store.runs.get(id);
        if (run === null) length = 0;
        else {
          const { trigger, callerRunId } = submittedIn(run.params);
          length = trigger?.hops;
          next = run.parentRunId ?? callerRunId ?? null;
        }
      }
    }
    for (const id of passed) this.#known.set(id, length);
    return length;
  }
}
