/** Errors of runs, grouped by kind. Plain data; times are UTC epoch ms. */

/** `open`: not yet looked at, or it recurred after it was resolved · `resolved` · `ignored`: it may recur. */
export const errorStates = ['open', 'resolved', 'ignored'] as const;
export type ErrorState = (typeof errorStates)[number];

/** Runs of a flow that ended with the same error: its class, its task, place in the user's code, and its message without values. */
export interface ErrorGroup {
  readonly flow: string;
  /** 16 hexadecimal digits; see `FailureOrigin`. */
  readonly key: string;
  readonly state: ErrorState;
  /** Whether it recurred after it was resolved. */
  readonly isReopened: boolean;
  /** Class of the error. */
  readonly name: string;
  /** Latest message. */
  readonly message: string;
  /** Name of the task; null when the flow itself failed. */
  readonly task: string | null;
  /** `flows/weather.ts:12`; null if no stack has it. */
  readonly frame: string | null;
  readonly count: number;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly lastRunId: string;
  /** When it was resolved or ignored, by whom; else null. */
  readonly markedAt: number | null;
  readonly markedBy: string | null;
}
