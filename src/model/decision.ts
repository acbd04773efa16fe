/** How a flow asks people to decide: options of `ctx.waitFor`. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Duration } from '../base/duration.ts';

/** The answer where `ctx.waitFor` is given no schema. */
export interface Approval {
  readonly approved: boolean;
  readonly comment?: string;
}

/** What `notify` is given: the item of the inbox, and addresses for mail and chat. */
export interface DecisionRequest {
  readonly id: string;
  readonly title: string;
  /** When it is over, UTC epoch ms; null: never. */
  readonly dueAt: number | null;
  /** Its page in the dashboard, below the setting `publicUrl`. */
  readonly url: string;
  /**
   * An address that gives this answer once it is opened and confirmed. The same on every pass of the body, so that a task which is given it is not
   * executed again after a crash.
   *
   * @throws BatutaError SECRET_KEY_MISSING (it is signed with `BATUTA_SECRET_KEY`), DURATION_INVALID
   */
  link(value: unknown, options?: DecisionLinkOptions): string;
}

export interface DecisionLinkOptions {
  /** Name of the key, or of the visitor, who alone may use it, logged in; default whoever has it. */
  readonly for?: string;
  /** How long it holds, from when the item was made; default 7 days. Never longer than the item. */
  readonly expires?: Duration;
}

/** Options of `ctx.waitFor` for a decision of people. */
export interface DecisionOptions<S extends StandardSchemaV1 = StandardSchemaV1> {
  /** What is to be decided: one line of at most 200 characters. Not encrypted: no place for secrets. */
  readonly title: string;
  /** More of it, plain text. */
  readonly description?: string;
  /** Of the answer, an object: the fields of the form. Default `{ approved: boolean, comment?: string }`. */
  readonly schema?: S;
  /** After so long nobody may decide any more. Default never. */
  readonly timeout?: Duration;
  /** The answer when the time is over. Default: it throws WAIT_TIMED_OUT. */
  readonly onTimeout?: StandardSchemaV1.InferOutput<S>;
  /** Called once the item is in the inbox, also when the body runs again after a crash: tell people by calling a task. It is waited for. */
  readonly notify?: (request: DecisionRequest) => unknown;
}
