/** Errors of runs, grouped by what they are. Plain data; times are UTC epoch ms. */

/** `open`: nobody has looked at it, or it came again after it was resolved · `resolved` · `ignored`: it may come again. */
export const errorStates = ['open', 'resolved', 'ignored'] as const;
export type ErrorState = (typeof errorStates)[number];

/** Runs of a flow that ended with the same error: its class, its task, its place in the user's code, and its message without values. */
export interface ErrorGroup {
  readonly flow: string;
  /** 16 hexadecimal digits; see `FailureOrigin`. */
  readonly key: string;
  readonly state: ErrorState;
  /** Whether it came again after it was resolved. */
  readonly isReopened: boolean;
  /** Class of the error. */
  readonly name: string;
  /** Of the last of them. */
  readonly message: string;
  /** Name of the task; null when the flow itself failed. */
  readonly task: string | null;
  /** `flows/weather.ts:12`; null when no stack tells. */
  readonly frame: string | null;
  readonly count: number;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly lastRunId: string;
  /** Who resolved or ignored it, and when; null for none. */
  readonly markedAt: number | null;
  readonly markedBy: string | null;
}
