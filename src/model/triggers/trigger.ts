/**
 * Triggers of deployments: what starts their runs, besides schedules. Plain data; times are UTC epoch ms.
 *
 * A source is an event by name, or the end of a run. A trigger with one source fires at each match; with several it fires once each has
 * occurred within its window; with a debounce, once it has been quiet for a while.
 */
import { isLongerThan } from '../../base/cut-text.ts';

/** Ends of runs that a source may name, each with its state types. `ended` is any of them. */
export const endWords = {
  completed: ['COMPLETED'],
  failed: ['FAILED'],
  crashed: ['CRASHED'],
  cancelled: ['CANCELLED'],
  ended: ['COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED'],
} as const;
export type EndWord = keyof typeof endWords;

/** What may start a run. */
export type TriggerSource =
  /** An event by name; a name that ends in `*` means all with that prefix. */
  | { readonly kind: 'event'; readonly name: string }
  /** The end of a run of a deployment, or of a flow; `*`: of any deployment but the trigger's own. */
  | { readonly kind: EndWord; readonly of: 'deployment' | 'flow'; readonly name: string };

export type FilterValue = string | number | boolean | null;

/** Checked, with defaults filled in; plain JSON. */
export interface TriggerRule {
  /** One, or several that must all have occurred. */
  readonly sources: readonly TriggerSource[];
  /** By path: the allowed values. Empty: no filter. */
  readonly where: Readonly<Record<string, readonly FilterValue[]>>;
  /** Required tags of the ended run. */
  readonly tags: readonly string[];
  /** Parameter by name: the path of its value. */
  readonly params: Readonly<Record<string, string>>;
  /** Window in which all sources must occur, ms; null for a single source. */
  readonly withinMs: number | null;
  /** Fires after this long without another, ms, at most `maxWaitMs` after the first; null: at once. */
  readonly debounce: { readonly waitMs: number; readonly maxWaitMs: number | null } | null;
  /** Path whose value separates windows and debounces; null: one for all. */
  readonly by: string | null;
  /** Whether ends of runs for ticks of a backfill count. */
  readonly backfills: boolean;
}

/** One trigger of a deployment. */
export interface Trigger {
  readonly id: string;
  readonly deployment: string;
  /** Unique in its deployment, and stable across deploys. */
  readonly slug: string;
  readonly rule: TriggerRule;
  readonly createdAt: number;
}

/** The outcome of a due trigger. */
export const firingOutcomes = ['started', 'refused', 'failed', 'expired'] as const;
/**
 * `started`: a run was created · `refused`: its chain is too long, the run is Skipped · `failed`: no run could be created · `expired`: a
 * window ended before all its sources had occurred.
 */
export type FiringOutcome = (typeof firingOutcomes)[number];

/** One firing of a trigger; a row kept as long as runs. */
export interface TriggerFiring {
  readonly id: string;
  readonly triggerId: string;
  readonly deployment: string;
  readonly slug: string;
  readonly at: number;
  readonly outcome: FiringOutcome;
  /** The newest cause, e.g. `event:order.created`, `completed:extract`. */
  readonly cause: string;
  /** Id of that event or run. */
  readonly causeId: string;
  /** Number of causes. */
  readonly count: number;
  readonly runId: string | null;
  /** One sentence for people, if any. */
  readonly message: string | null;
}

/** An open window or debounce. */
export interface TriggerWait {
  readonly triggerId: string;
  readonly slug: string;
  /** Value of the path `by`; empty without one. */
  readonly group: string;
  readonly firstAt: number;
  /** When it fires or is given up. */
  readonly dueAt: number;
  readonly count: number;
  /** Sources that have occurred, and missing ones, if not a debounce. */
  readonly seen: readonly string[];
  readonly missing: readonly string[];
}

/** An event as stored. */
export interface EmittedEvent {
  readonly id: string;
  readonly name: string;
  /** superjson text; null for none. */
  readonly payload: string | null;
  /** `webhook:<name>`, else null. */
  readonly source: string | null;
  /** When it occurred, by its sender. */
  readonly at: number;
  /** When it was stored. */
  readonly receivedAt: number;
  /** Run whose code emitted it. */
  readonly callerRunId: string | null;
  readonly traceparent: string | null;
}

/** Longest name of an event, characters. */
export const maxEventNameChars = 200;
/** Longest id of an event, characters. */
export const maxEventIdChars = 200;
/** Largest payload of an event, bytes of its text. */
export const maxPayloadBytes = 256 * 1024;
/** Limit of the values that one occurrence passes to a run, bytes of text. */
export const maxGivenBytes = 1024 * 1024;
/** Longest chain of triggers, each fired by the run of the one before; longer ones are stopped. */
export const maxHops = 16;

/** Channel that tells schedulers to check triggers. */
export const triggersChannel = 'triggers';

/** Whether it is a valid event name. */
export function isEventName(text: unknown): text is string {
  return typeof text === 'string' && text.length <= maxEventNameChars && /^[A-Za-z0-9][\w.:/-]*$/.test(text);
}

/** Whether a text is a valid event id. */
export function isEventId(text: unknown): text is string {
  return typeof text === 'string' && text !== '' && !isLongerThan(text, maxEventIdChars) && !/[\p{Cc}\p{Cs}]/u.test(text);
}

/** A source as people write it. */
export function sourceText(source: TriggerSource): string {
  if (source.kind === 'event') return `event:${source.name}`;
  return `${source.kind}:${source.of === 'flow' ? 'flow:' : ''}${source.name}`;
}

/** Whether it covers events of this name. */
export function meansEvent(source: TriggerSource, name: string): boolean {
  if (source.kind !== 'event') return false;
  return source.name.endsWith('*') ? name.startsWith(source.name.slice(0, -1)) : source.name === name;
}

/** A run whose end may start others. */
export interface EndedRun {
  readonly deployment: string | null;
  readonly flow: string;
  readonly stateType: string;
}

/** Whether it covers this run's end. @param own deployment of the trigger, whose runs `*` leaves out */
export function meansEnd(source: TriggerSource, ended: EndedRun, own: string): boolean {
  if (source.kind === 'event' || !(endWords[source.kind] as readonly string[]).includes(ended.stateType)) return false;
  const name = source.of === 'flow' ? ended.flow : ended.deployment;
  if (source.name === '*') return name !== null && ended.deployment !== own;
  return name === source.name;
}
