/** How many runs failed like those in a list. */
import type { Alike } from '../model/failure-sentence.ts';
import type { ListedRun } from '../model/run.ts';
import type { Store } from '../store/store.ts';

/** By run id; only failed runs whose failure has a key. One query. */
export async function alikeTo(
  { figures }: Pick<Store, 'figures'>,
  runs: readonly Pick<ListedRun, 'id' | 'flow' | 'error'>[],
): Promise<ReadonlyMap<string, Alike>> {
  const keyed = runs.flatMap(({ id, flow, error }) => (error?.origin === undefined ? [] : [{ id, flow, key: error.origin.key }]));
  const found = new Map((await figures.alike(keyed)).map((one) => [`${one.key} ${one.flow}`, one]));
  return new Map(
    keyed.flatMap(({ id, flow, key }) => {
      const one = found.get(`${key} ${flow}`);
      return one === undefined ? [] : [[id, { others: Math.max(0, one.runs - 1), sinceAt: one.sinceAt }] as const];
    }),
  );
}
