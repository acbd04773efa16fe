/** Decisions that runs wait for: questions in the inbox, answers, and links that answer. */
import { BatutaError } from '../base/errors.ts';
import { programName } from '../base/program-name.ts';

/** States of an inbox item. `withdrawn`: its run ended without it. */
export const inboxStatuses = ['open', 'decided', 'expired', 'withdrawn'] as const;
export type InboxStatus = (typeof inboxStatuses)[number];

/** How it was decided: by the client in a process or the command line, by the API, in the dashboard, by a link. */
export type DecidedVia = 'client' | 'api' | 'dashboard' | 'link';

/** What a run asks of people. Times are UTC epoch ms. */
export interface InboxItem {
  readonly id: string;
  readonly runId: string;
  /** Name the flow waits for, and its number within that name and run, from 1. */
  readonly name: string;
  readonly number: number;
  readonly title: string;
  readonly description: string | null;
  /** JSON Schema of the answer, an object; null if its library has none. */
  readonly schema: unknown;
  readonly status: InboxStatus;
  /** The answer, as results are stored; null if none yet. */
  readonly value: string | null;
  /** Name of the key, the person or the link; null if undecided. */
  readonly decidedBy: string | null;
  readonly decidedVia: DecidedVia | null;
  /** Why the flow refused the last answer and asks again; else null. */
  readonly problem: string | null;
  readonly createdAt: number;
  /** When it expires undecided; null: never. */
  readonly dueAt: number | null;
  readonly decidedAt: number | null;
}

/** An item as listed. */
export interface ListedInboxItem extends InboxItem {
  readonly flow: string;
  readonly runName: string;
}

/** Sealed content of a link. */
export interface DecisionLink {
  readonly itemId: string;
  /** Its answer, as results are stored. */
  readonly value: string;
  /** The only key, by name, that may use it; null: anyone who has it. */
  readonly for: string | null;
  /** UTC epoch ms. */
  readonly expiresAt: number;
}

/** Makes addresses for people. */
export interface DecisionAddresses {
  /** The page of an item in the dashboard. */
  pageOf(itemId: string): string;
  /** The same link has the same address. @throws BatutaError SECRET_KEY_MISSING */
  linkTo(link: DecisionLink): string;
}

const taskPrefix = 'inbox:';

/** Name of the task run that waits for a decision, and of its signal. */
export function decisionName(name: string): string {
  return taskPrefix + name;
}

/** Whether a signal name is that of a decision, which only the inbox sends. */
export function isDecisionName(name: string): boolean {
  return name.startsWith(taskPrefix);
}

/** @throws BatutaError NAME_INVALID for a decision's name, which signals may not have */
export function refuseDecisionName(name: string): void {
  if (!isDecisionName(name)) return;
  throw new BatutaError(
    'NAME_INVALID',
    `'${name}' is not a valid name for a signal: it is a decision. Decide it in the dashboard or by: ${programName()} inbox decide`,
    { details: { signal: name } },
  );
}
