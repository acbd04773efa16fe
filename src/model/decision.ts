/** How a flow asks people to decide: options of `ctx.waitFor`. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Duration } from '../base/duration.ts';

/** The answer if `ctx.waitFor` has no schema. */
export interface Approval {
  readonly approved: boolean;
  readonly comment?: string;
}

/** Argument of `notify`: the inbox item, and addresses for mail and chat. */
export interface DecisionRequest {
  readonly id: string;
  readonly title: string;
  /** When it expires, UTC epoch ms; null: never. */
  readonly dueAt: number | null;
  /** Its page in the dashboard, below the setting `publicUrl`. */
  readonly url: string;
  /**
   * An address that submits this answer once opened and confirmed. The same on every pass of the body, so that a task called with it is not
   * executed again after a crash.
   *
   * @throws BatutaError SECRET_KEY_MISSING (it is signed with `BATUTA_SECRET_KEY`), DURATION_INVALID
   */
  link(value: unknown, options?: DecisionLinkOptions): string;
}

export interface DecisionLinkOptions {
  /** Name of the only key or visitor that may use it, logged in; default anyone who has it. */
  readonly for?: string;
  /** How long it is valid from the item's creation; default 7 days. Never longer than the item. */
  readonly expires?: Duration;
}

/** Options of `ctx.waitFor` for human decisions. */
export interface DecisionOptions<S extends StandardSchemaV1 = StandardSchemaV1> {
  /** What to decide: one line of at most 200 characters. Not encrypted: not for secrets. */
  readonly title: string;
  /** Details, plain text. */
  readonly description?: string;
  /** Of the answer, an object: the form's fields. Default `{ approved: boolean, comment?: string }`. */
  readonly schema?: S;
  /** Nobody may decide after this time. Default never. */
  readonly timeout?: Duration;
  /** The answer on timeout. Default: it throws WAIT_TIMED_OUT. */
  readonly onTimeout?: StandardSchemaV1.InferOutput<S>;
  /** Called once the item is in the inbox, also when the body runs again after a crash: notify people by calling a task. Awaited. */
  readonly notify?: (request: DecisionRequest) => unknown;
}
