/** Decisions that runs wait for: what is asked in the inbox, what was decided, and the links by which it can be. */
import { BatutaError } from '../base/errors.ts';
import { programName } from '../base/program-name.ts';

/** How an item of the inbox stands. `withdrawn`: its run has ended without it. */
export const inboxStatuses = ['open', 'decided', 'expired', 'withdrawn'] as const;
export type InboxStatus = (typeof inboxStatuses)[number];

/** How a decision came: by the client in a process or the command line, by the API, in the dashboard, by a link. */
export type DecidedVia = 'client' | 'api' | 'dashboard' | 'link';

/** What a run asks people for. Times are UTC epoch ms. */
export interface InboxItem {
  readonly id: string;
  readonly runId: string;
  /** Name that the flow waits for, and which of that name in its run it is, from 1. */
  readonly name: string;
  readonly number: number;
  readonly title: string;
  readonly description: string | null;
  /** JSON Schema of the answer, an object; null where its library gives none. */
  readonly schema: unknown;
  readonly status: InboxStatus;
  /** The answer as results are stored; null while there is none. */
  readonly value: string | null;
  /** Name of the key, the person or the link; null while nobody has decided. */
  readonly decidedBy: string | null;
  readonly decidedVia: DecidedVia | null;
  /** Why the flow has refused the last answer, so that it asks again; else null. */
  readonly problem: string | null;
  readonly createdAt: number;
  /** When it is over unless somebody has decided; null: never. */
  readonly dueAt: number | null;
  readonly decidedAt: number | null;
}

/** An item as lists have it. */
export interface ListedInboxItem extends InboxItem {
  readonly flow: string;
  readonly runName: string;
}

/** What is sealed into a link. */
export interface DecisionLink {
  readonly itemId: string;
  /** The answer that it gives, as results are stored. */
  readonly value: string;
  /** Who alone may use it, by the name of their key; null: whoever has it. */
  readonly for: string | null;
  /** UTC epoch ms. */
  readonly expiresAt: number;
}

/** Makes addresses for people. */
export interface DecisionAddresses {
  /** The page of an item in the dashboard. */
  pageOf(itemId: string): string;
  /** The same link gives the same address. @throws BatutaError SECRET_KEY_MISSING */
  linkTo(link: DecisionLink): string;
}

const taskPrefix = 'inbox:';

/** Name of the task run that waits for a decision, and of the signal that brings it. */
export function decisionName(name: string): string {
  return taskPrefix + name;
}

/** Whether a signal of that name is a decision, which only the inbox sends. */
export function isDecisionName(name: string): boolean {
  return name.startsWith(taskPrefix);
}

/** @throws BatutaError NAME_INVALID for the name of a decision, which no signal may have */
export function refuseDecisionName(name: string): void {
  if (!isDecisionName(name)) return;
  throw new BatutaError(
    'NAME_INVALID',
    `'${name}' is no name for a signal: it is a decision. Decide it in the dashboard or by: ${programName()} inbox decide`,
    {
      details: { signal: name },
    },
  );
}
