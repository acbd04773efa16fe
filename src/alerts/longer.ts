/** How long runs of a rule may take: a fixed time, or their own 95th percentile times a factor. */
import type { EngineServices } from '../engine/services.ts';
import { addDurations, percentilesOf } from '../model/duration-ranges.ts';
import type { ActiveAlertRule } from '../store/store.ts';

export interface LongParts {
  readonly services: Pick<EngineServices, 'store' | 'log' | 'makeId'>;
  /** Recently read percentiles, by rule and name; kept by the caller of the passes. */
  readonly percentiles: Map<string, { readonly at: number; readonly ms: number | null }>;
}

/** Fewest completed runs for a percentile. */
const leastRuns = 20;
const overMs = 30 * 86_400_000;
/** How long a percentile is reused, ms. */
const keptMs = 60_000;

/** Returns the longest time of a run, ms; null while too few have completed. For one pass: it uses the instant of the first run. */
export function limitsOf(
  { services: { store }, percentiles }: LongParts,
  { rule: { condition } }: Pick<ActiveAlertRule, 'rule'>,
): (run: { readonly flow: string; readonly deployment: string | null }) => Promise<number | null> {
  if (condition.kind !== 'longer') return async () => null;
  const { ms, p95: factor } = condition;
  if (factor === null) return async () => ms;
  let instant: Promise<number> | undefined;
  return async ({ flow, deployment }) => {
    const kind = deployment === null ? 'flow' : 'deployment';
    const name = deployment ?? flow;
    const key = `${kind} ${name}`;
    const now = await (instant ??= store.alerts.watch.now());
    let known = percentiles.get(key);
    if (known === undefined || now - known.at > keptMs) {
      const ended = await store.figures.ended({ kind, name, fromAt: now - overMs, untilAt: now, by: 'all' });
      const durations = new Map<number, number>();
      for (const one of ended) if (one.type === 'COMPLETED') addDurations(durations, one.durations);
      const timed = [...durations.values()].reduce((sum, count) => sum + count, 0);
      known = { at: now, ms: timed < leastRuns ? null : (percentilesOf(durations, [0.95])[0] ?? null) };
      percentiles.set(key, known);
    }
    return known.ms === null ? null : Math.ceil(known.ms * factor);
  };
}
