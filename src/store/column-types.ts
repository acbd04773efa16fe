/** What the columns hold, for statements that are given their rows as a parameter. */

/** Columns of runs and what belongs to them that hold whole numbers; all others hold text. */
export const integerColumns: ReadonlySet<string> = new Set([
  'attempt',
  'recoveries',
  'epoch',
  'lease_until',
  'scheduled_for',
  'due_at',
  'created_at',
  'started_at',
  'ended_at',
  'executed_ms',
  'resumed_at',
  'cancel_requested_at',
  'priority',
  'item_index',
  'failures',
  'at',
  'level',
  'bytes',
]);
