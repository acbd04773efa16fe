/** CPU and memory used by a task run, and how exactly they are known. */

/** What the figures of a task run cover. */
export const usageScopes = ['thread', 'process', 'shared'] as const;

/**
 * `thread`: its own thread · `process`: its own process, including the start · `shared`: its share of the thread that executes all runs of
 * a process, and that process's memory while it was running.
 */
export type UsageScope = (typeof usageScopes)[number];

/** Usage of one attempt. */
export interface TaskUsage {
  /** CPU time, ms, with fraction. */
  readonly cpuMs: number;
  /** Peak memory seen, bytes; null if unknown. */
  readonly peakBytes: number | null;
  readonly scope: UsageScope;
}

/** Columns of a task run: over all its attempts; absent or null if nothing is known, or less than 5 ms of a shared thread was used. */
export interface RecordedUsage {
  /** CPU time, whole ms. */
  readonly cpuMs?: number | null;
  /** Peak memory seen, bytes. */
  readonly peakBytes?: number | null;
  readonly usageScope?: UsageScope | null;
}

/** The figures including one more attempt. */
export function withUsage<Row extends RecordedUsage>(row: Row, { cpuMs, peakBytes, scope }: TaskUsage): Row {
  const most = Math.max(row.peakBytes ?? 0, peakBytes ?? 0);
  return { ...row, cpuMs: (row.cpuMs ?? 0) + Math.round(cpuMs), peakBytes: most === 0 ? null : Math.round(most), usageScope: scope };
}

/** Total CPU time, ms, and peak memory over some task runs; null if none has a figure. */
export function totalUsage(rows: Iterable<RecordedUsage>): { readonly cpuMs: number | null; readonly peakBytes: number | null } {
  let cpuMs: number | null = null;
  let peakBytes: number | null = null;
  for (const row of rows) {
    if (row.cpuMs) cpuMs = (cpuMs ?? 0) + row.cpuMs;
    if (row.peakBytes) peakBytes = Math.max(peakBytes ?? 0, row.peakBytes);
  }
  return { cpuMs, peakBytes };
}
