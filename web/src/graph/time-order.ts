/** Order by time if it is not recorded which task got which value: a code flow that awaits a value and passes it on. Pure. */

export interface TimedRun {
  readonly id: string;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
}

/** Of many possible predecessors, only the last are drawn. */
const mostBefore = 6;
/** Beyond so many the edges would be unreadable. */
const mostRuns = 1_000;

/**
 * Pairs whose second began after the first had ended, with none between them.
 *
 * @param follows ids that need predecessors by time; the others have recorded ones.
 */
export function orderByTime(
  runs: readonly TimedRun[],
  follows: ReadonlySet<string>,
): readonly { readonly from: string; readonly to: string }[] {
  if (runs.length > mostRuns) return [];
  const ended = runs.flatMap(({ id, startedAt, endedAt }) => (startedAt === null || endedAt === null ? [] : [{ id, startedAt, endedAt }]));
  ended.sort((a, b) => a.endedAt - b.endedAt);
  return runs.flatMap(({ id, startedAt }) => {
    if (startedAt === null || !follows.has(id)) return [];
    const before = ended.filter((run) => run.endedAt <= startedAt && run.id !== id);
    const lastBegun = before.reduce((latest, run) => Math.max(latest, run.startedAt), Number.NEGATIVE_INFINITY);
    return before
      .filter((run) => run.endedAt > lastBegun || run.startedAt === lastBegun)
      .slice(-mostBefore)
      .map((run) => ({ from: run.id, to: id }));
  });
}
