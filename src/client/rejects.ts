/** Records that the tasks of a run have rejected: read piece by piece, counted, and passed to those tasks again. */
import { letOthersIn } from '../base/clock.ts';
import { BatutaError } from '../base/errors.ts';
import { type DeadLetter, DeadLetters, type RejectCounts, type RejectFilter } from '../model/dead-letters.ts';
import type { Store } from '../store/store.ts';

type Source = Pick<Store, 'artifacts' | 'taskRuns'>;

/** Distinct reasons that are counted; one that contains a value of its record may differ each time. */
const maxCounted = 10_000;
const maxReasons = 200;

/** In the order in which they were kept, one page of artifacts at a time. @throws BatutaError STORE_… */
export async function* readRejects({ artifacts, taskRuns }: Source, runId: string, filter: RejectFilter = {}): AsyncGenerator<DeadLetter> {
  const groups = await taskRuns.groupsOfRun(runId);
  const repeated = new Set(groups.flatMap(({ name, attempts }) => (attempts > 1 ? [name] : [])));
  const letters = new DeadLetters((task) => repeated.has(task));
  for (let cursor: string | undefined; ; ) {
    const { items, next } = await artifacts.pageOfRun(runId, { kind: 'rejects', ...(cursor === undefined ? {} : { cursor }) });
    for (const artifact of items)
      for (const letter of letters.take(artifact)) {
        if (filter.task !== undefined && letter.stage !== filter.task) continue;
        if (filter.reason !== undefined && letter.reason !== filter.reason) continue;
        yield letter;
      }
    if (next === null) return;
    cursor = next;
    await letOthersIn();
  }
}

/** By task and reason. @throws BatutaError STORE_… */
export async function countRejects(store: Source, runId: string, filter: RejectFilter = {}): Promise<RejectCounts> {
  let [total, others] = [0, 0];
  const counts = new Map<string, { readonly task: string; readonly reason: string; count: number }>();
  for await (const { stage, reason } of readRejects(store, runId, filter)) {
    total++;
    const key = JSON.stringify([stage, reason]);
    const known = counts.get(key);
    if (known) known.count++;
    else if (counts.size < maxCounted) counts.set(key, { task: stage, reason, count: 1 });
    else others++;
  }
  const sorted = [...counts.values()].sort((a, b) => b.count - a.count);
  const rest = sorted.slice(maxReasons).reduce((sum, { count }) => sum + count, others);
  return { total, reasons: sorted.slice(0, maxReasons), others: rest };
}

/** Whether there is any. @throws BatutaError REJECTS_MISSING, STORE_… */
export async function requireRejects(store: Source, runId: string): Promise<void> {
  for await (const _ of readRejects(store, runId)) return;
  throw new BatutaError('REJECTS_MISSING', `The tasks of run ${runId} have rejected no records.`, { details: { runId } });
}
