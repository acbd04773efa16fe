/** What a task run has used of processor and memory, and how exactly that is known. */

/** Of what the figures of a task run are. */
export const usageScopes = ['thread', 'process', 'shared'] as const;

/**
 * `thread`: of the thread that it had to itself · `process`: of the process that it had to itself, its start included · `shared`: its share of the
 * thread that executes all runs of a process, and the memory of that process, while it was under way.
 */
export type UsageScope = (typeof usageScopes)[number];

/** What one attempt has used. */
export interface TaskUsage {
  /** CPU time, ms, with fraction. */
  readonly cpuMs: number;
  /** Most memory that was seen, bytes; null when unknown. */
  readonly peakBytes: number | null;
  readonly scope: UsageScope;
}

/** The columns of a task run: over all its attempts; absent or null where nothing is known, or less than 5 ms of a shared thread was used. */
export interface RecordedUsage {
  /** CPU time, whole ms. */
  readonly cpuMs?: number | null;
  /** Most memory that was seen, bytes. */
  readonly peakBytes?: number | null;
  readonly usageScope?: UsageScope | null;
}

/** The figures with those of one more attempt. */
export function withUsage<Row extends RecordedUsage>(row: Row, { cpuMs, peakBytes, scope }: TaskUsage): Row {
  const most = Math.max(row.peakBytes ?? 0, peakBytes ?? 0);
  return { ...row, cpuMs: (row.cpuMs ?? 0) + Math.round(cpuMs), peakBytes: most === 0 ? null : Math.round(most), usageScope: scope };
}

/** Sum of CPU time, ms, and the most memory over some task runs; null where none has a figure. */
export function totalUsage(rows: Iterable<RecordedUsage>): { readonly cpuMs: number | null; readonly peakBytes: number | null } {
  let cpuMs: number | null = null;
  let peakBytes: number | null = null;
  for (const row of rows) {
    if (row.cpuMs) cpuMs = (cpuMs ?? 0) + row.cpuMs;
    if (row.peakBytes) peakBytes = Math.max(peakBytes ?? 0, row.peakBytes);
  }
  return { cpuMs, peakBytes };
}
