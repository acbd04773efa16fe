/** Why a run failed, as one sentence: the same in every list, on every page and on the command line. Pure. */
import { cutText } from '../base/cut-text.ts';
import type { Failure } from './failure.ts';
import type { State } from './state.ts';

/** Similar failures of the same flow: how many other runs, and when the first ended. */
export interface Alike {
  readonly others: number;
  readonly sinceAt: number;
}

/** Input of the sentence. */
export interface FailedRun {
  readonly state: State;
  readonly error: Failure | null;
}

export interface SentenceOptions {
  readonly alike?: Alike | null;
  /** Formats an instant where the sentence appears. */
  readonly time: (at: number) => string;
}

const maxMessageChars = 300;
const maxCauses = 3;

/**
 * `TypeError in join, attempt 4 of 4: cannot read … · caused by Error: connect ECONNREFUSED · at flows/weather.ts:12 · 17 more like it
 * since …`; null for a run that did not fail, or whose error is unknown.
 */
export function failureSentence({ state, error }: FailedRun, { alike, time }: SentenceOptions): string | null {
  if (state.type !== 'FAILED' && state.type !== 'CRASHED') return null;
  if (error === null) return state.message === null ? null : firstLine(state.message);
  const { origin } = error;
  const parts = [
    `${headOf(error)}: ${messageOf(error)}`,
    ...partsOf(error),
    ...causesOf(error).map((cause) => `caused by ${classOf(cause)}: ${messageOf(cause)}`),
    ...(origin?.frame ? [`at ${origin.frame}`] : []),
    ...rollbackPart(state),
    ...(alike && alike.others > 0 ? [`${alike.others.toLocaleString('en')} more like it since ${time(alike.sinceAt)}`] : []),
  ];
  return parts.join(' · ');
}

function headOf(error: Failure): string {
  const { origin } = error;
  if (origin === undefined) return classOf(error);
  const { task, attempt, attempts } = origin;
  const where = task === null ? '' : ` in ${task}`;
  return `${classOf(error)}${where}, attempt ${attempt} of ${Math.max(attempt, attempts)}`;
}

/** The class; for a Batuta error its code, which says more. */
function classOf({ name, code }: Failure): string {
  return name === 'BatutaError' && typeof code === 'string' ? code : name;
}

function messageOf({ name, message, code }: Failure): string {
  const text = firstLine(message);
  return typeof code !== 'string' || name === 'BatutaError' || message.includes(code) ? text : `${text} [${code}]`;
}

/** The first part of an AggregateError, and the count. */
function partsOf({ errors, errorCount }: Failure): string[] {
  const [first] = errors ?? [];
  if (first === undefined) return [];
  return [`1 of ${errorCount ?? errors?.length ?? 1}: ${classOf(first)}: ${messageOf(first)}`];
}

function causesOf(error: Failure): Failure[] {
  const causes: Failure[] = [];
  for (let at = error.cause; at !== null && at !== undefined && causes.length < maxCauses; at = at.cause) causes.push(at);
  return causes;
}

/** Outcome of the rollback, last in its message. */
function rollbackPart({ message }: State): string[] {
  const found = /(?:Rolled back|Rollback incomplete): [^\n]*$/.exec(message ?? '');
  return found === null ? [] : [cutText(found[0].replace(/\.$/, ''), maxMessageChars, '…')];
}

function firstLine(text: string): string {
  return cutText(text.trim().split(/\r?\n/, 1)[0] ?? '', maxMessageChars, '…');
}
