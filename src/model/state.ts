/**
 * States of runs and task runs. Types are for rules, names for people.
 *
 * One table says which type may follow which; `engine/run/transition.ts` is the one writer.
 */
import { shortened } from '../base/cut-text.ts';

/** Used by rules. */
export const stateTypes = [
  'SCHEDULED',
  'PENDING',
  'RUNNING',
  'PAUSED',
  'CANCELLING',
  'COMPLETED',
  'FAILED',
  'CRASHED',
  'CANCELLED',
] as const;
export type StateType = (typeof stateTypes)[number];

/** Shown to people, by type. The first of each type is its plain form. */
export const stateNames = {
  SCHEDULED: ['Scheduled', 'Late', 'AwaitingRetry', 'AwaitingSlot', 'Resuming'],
  PENDING: ['Pending'],
  RUNNING: ['Running', 'Retrying'],
  PAUSED: ['Suspended'],
  CANCELLING: ['Cancelling'],
  COMPLETED: ['Completed', 'Cached', 'Skipped', 'RolledBack'],
  FAILED: ['Failed', 'TimedOut', 'UpstreamFailed'],
  CRASHED: ['Crashed'],
  CANCELLED: ['Cancelled', 'Skipped', 'Expired'],
} as const satisfies Record<StateType, readonly string[]>;
export type StateName = (typeof stateNames)[StateType][number];

/**
 * The words that filter lists, in any case. A type stands for all its names, even if one of them is the same word (`failed` finds
 * TimedOut); a name for itself under every type that has it; `TYPE/Name` for that name under that type only.
 */
export const stateWords: readonly string[] = [
  ...stateTypes,
  ...new Set(stateTypes.flatMap((type): readonly string[] => stateNames[type])),
  ...stateTypes.flatMap((type) => stateNames[type].map((name) => `${type}/${name}`)),
];

const byWord: ReadonlyMap<string, string> = new Map(stateWords.map((word) => [word.toLowerCase(), word]));

/** The equivalent one of `stateWords`; null if there is none. */
export function stateWord(text: string): string | null {
  return byWord.get(text.trim().toLowerCase()) ?? null;
}

/** State of a run or task run. `message` is one sentence for people, or null. */
export interface State {
  readonly type: StateType;
  readonly name: StateName;
  readonly message: string | null;
}

const terminal: ReadonlySet<StateType> = new Set(['COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED']);

/** The terminal types, for queries. */
export const terminalTypes: readonly StateType[] = stateTypes.filter((type) => terminal.has(type));

/** Which type may follow which. Nothing follows a terminal type: only an explicit retry opens a new attempt (`canReopen`). */
const followers: Readonly<Record<StateType, readonly StateType[]>> = {
  SCHEDULED: ['SCHEDULED', 'PENDING', 'RUNNING', 'CANCELLING', 'COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED'],
  PENDING: ['SCHEDULED', 'PENDING', 'RUNNING', 'CANCELLING', 'FAILED', 'CRASHED', 'CANCELLED'],
  RUNNING: ['SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING', 'COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED'],
  PAUSED: ['SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING', 'COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED'],
  CANCELLING: ['CANCELLING', 'SCHEDULED', 'COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED'],
  COMPLETED: [],
  FAILED: [],
  CRASHED: [],
  CANCELLED: [],
};

/** Longest message of a state, in characters: it is in every row and list. An error's full message is in its failure. */
const maxMessageChars = 1_000;

/** Makes a state; `name` defaults to the plain form of its type, a long message is cut. */
export function stateOf(type: StateType, name: StateName = stateNames[type][0], message: string | null = null): State {
  return { type, name, message: message === null || message.length <= maxMessageChars ? message : shortened(message, maxMessageChars) };
}

/** Whether nothing but an explicit retry follows this type. */
export function isTerminal(type: StateType): boolean {
  return terminal.has(type);
}

/** Whether `to` may follow `from`; `null`: nothing recorded yet. */
export function canFollow(from: StateType | null, to: StateType): boolean {
  return from === null || followers[from].includes(to);
}

/** Whether an explicit retry may open a new attempt from this type: failed, crashed or cancelled. */
export function canReopen(type: StateType): boolean {
  return type === 'FAILED' || type === 'CRASHED' || type === 'CANCELLED';
}
