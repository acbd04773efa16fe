/**
 * Writes what workers record of the spread tasks they hold: group commit, each task run fenced by its own claim.
 *
 * What is added during a write forms the next one. The holder is notified of refused writes and stops.
 */
import { BatutaError } from '../../base/errors.ts';
import type { ClaimedWrite, SpreadStore, TaskClaim } from '../../store/store.ts';
import { Batcher } from '../batcher.ts';
import type { RecordWriter } from '../run/transition.ts';

export class SpreadRecorder {
  readonly #store: SpreadStore;
  /** Returns whether a write was accepted. */
  readonly #writes: Batcher<ClaimedWrite, boolean>;

  constructor(store: SpreadStore) {
    this.#store = store;
    this.#writes = new Batcher((writes) => this.#writeAll(writes));
  }

  /** Records for one task run. @param onRefused called if the claim is old */
  writerFor(claim: TaskClaim, onRefused: () => void): RecordWriter {
    const write = async (part: Partial<ClaimedWrite>): Promise<void> => {
      if (!(await this.#writes.add({ claim, taskRun: null, transitions: [], artifacts: [], ...part }))) onRefused();
    };
    return {
      addTaskRun: (_, row, transition) => write({ taskRun: row, transitions: transition === null ? [] : [transition] }),
      addArtifact: (_, artifact) => write({ artifacts: [artifact] }),
      addResourceUse: (_, use) => write({ resourceUses: [use] }),
      addRunPatch: () => Promise.reject(new BatutaError('INTERNAL', 'The holder of a task run does not write the run.')),
    };
  }

  async #writeAll(writes: readonly ClaimedWrite[]): Promise<boolean[]> {
    const merged = new Map<string, ClaimedWrite>();
    for (const write of writes) {
      const key = keyOf(write.claim);
      const before = merged.get(key);
      merged.set(key, before ? mergeOf(before, write) : write);
    }
    const refused = new Set((await this.#store.write([...merged.values()])).map(keyOf));
    return writes.map(({ claim }) => !refused.has(keyOf(claim)));
  }
}

function mergeOf(before: ClaimedWrite, after: ClaimedWrite): ClaimedWrite {
  return {
    claim: after.claim,
    taskRun: after.taskRun ?? before.taskRun,
    transitions: [...before.transitions, ...after.transitions],
    artifacts: [...before.artifacts, ...after.artifacts],
    resourceUses: [...(before.resourceUses ?? []), ...(after.resourceUses ?? [])],
  };
}

function keyOf({ taskRunId, epoch }: TaskClaim): string {
  return `${taskRunId}:${epoch}`;
}
