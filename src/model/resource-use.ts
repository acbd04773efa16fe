/** What a run opened: from when to when, and any failure. */

/** One opening of a resource by a run or one of its tasks. All times are UTC epoch ms. */
export interface ResourceUse {
  readonly id: string;
  readonly runId: string;
  /** The task run that opened it; null for a resource of the run. */
  readonly taskRunId: string | null;
  /** Its name, with its key if any: `'tenant-db' (acme)`. */
  readonly resource: string;
  /** `run`: open for an attempt of the run · `task`: for an attempt of a task. */
  readonly scope: 'run' | 'task';
  /** Opening began. */
  readonly beganAt: number;
  /** It was open; null while it is opening or if that failed. */
  readonly openedAt: number | null;
  /** Closing began; null before that. */
  readonly closingAt: number | null;
  /** It was closed, or opening or closing failed; null before that, and if its process was lost. */
  readonly closedAt: number | null;
  /** Why opening or closing failed; null if neither did. */
  readonly error: string | null;
}

/** Duration of opening, of being open, and of closing, ms; null for what has not happened. */
export interface ResourceTimes {
  readonly openingMs: number | null;
  readonly openMs: number | null;
  readonly closingMs: number | null;
}

/** The durations of an opening; of a failed one, how long it was tried. */
export function resourceTimes({ beganAt, openedAt, closingAt, closedAt }: Omit<ResourceUse, 'runId'>): ResourceTimes {
  return {
    openingMs: between(beganAt, openedAt ?? closedAt),
    openMs: between(openedAt, closingAt),
    closingMs: between(closingAt, closedAt),
  };
}

function between(from: number | null, to: number | null): number | null {
  return from === null || to === null ? null : Math.max(0, to - from);
}
