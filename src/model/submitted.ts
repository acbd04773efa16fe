/**
 * How a run was submitted: the trace it continues, who submitted it, whether caches are passed over. Pure.
 *
 * It stands beside the recorded parameters (`{"json":…,"submitted":{"traceparent":"00-…"}}`), so a run submitted without any of it is written and
 * read as if this did not exist. Code and people get the parameters without it.
 */
import type { Duration } from '../base/duration.ts';
import { traceIdOf } from './trace.ts';

/** Which calls of a flow belong together, and for how long it must be quiet. */
export interface DebounceOptions {
  /** 1 to 500 characters. */
  readonly key: string;
  /** How long nobody may have called before the run begins. 1 ms to 1 year. */
  readonly wait: Duration;
  /** The run begins so long after the first call at the latest, however many follow; at least `wait`. Default: without end. */
  readonly maxWait?: Duration | undefined;
}

/** What callers may say of where a run comes from, and of its caches. */
export interface SubmittedOptions {
  /**
   * W3C `traceparent` whose trace the run continues: its tasks hand it on by `correlationHeaders()`. Default that of the span, or of the
   * task, in whose code the run is submitted, else none.
   */
  readonly traceparent?: string | undefined;
  /** Id of whoever submits it, 1 to 200 characters: default the run in whose code it is submitted, else none. */
  readonly callerRunId?: string | undefined;
  /**
   * Whether its tasks, and its sub-flows, make their cached values anew, for others to find. Values that a run shares within itself alone
   * (`scope: 'run'`) are not concerned. Default false.
   */
  readonly refreshCache?: boolean | undefined;
  /**
   * Id of a run of the same flow: its sources are not read, and each task of a stream is given the records that it had rejected in that run. Default
   * none.
   */
  readonly replayOf?: string | undefined;
}

/** What was said beside the parameters; empty for most runs. */
export interface Submitted {
  /** Not begun after this instant, UTC epoch ms. Written first, see `expiresAtIn`. */
  readonly expiresAt?: number;
  /** Calls with this key are gathered into it until it begins. Written first, and never beside `expiresAt`. */
  readonly debounceKey?: string;
  /** W3C `traceparent` of the request or task that submitted it. */
  readonly traceparent?: string;
  /** Run in whose code it was submitted, or what a caller over HTTP named in `x-run-id`. */
  readonly callerRunId?: string;
  /** Its tasks make their values anew, whatever the cache holds. */
  readonly refreshCache?: true;
  /** Run whose rejected records take the place of what its sources would read. */
  readonly replayOf?: string;
  /** The rate of its deployment that it is under, with its key. */
  readonly rate?: string;
  /** The trigger of its deployment that started it. */
  readonly trigger?: TriggeredBy;
}

/** What started a run that nobody submitted. */
export interface TriggeredBy {
  /** Slug of the trigger. */
  readonly slug: string;
  /** Id of its firing. */
  readonly firing: string;
  /** The newest that it fired for, e.g. `event:order.created`, `completed:extract`, and the id of that event or run. */
  readonly cause: string;
  readonly causeId: string;
  /** How many it fired for. */
  readonly count: number;
  /** Its place in a chain of triggers that started one another, from 1. */
  readonly hops: number;
  /** Its parameters hold values of the event or run, and have not been checked by the schema of the flow. */
  readonly unchecked?: true;
}

/** What started a run, in words: `trigger completed-extract: completed:extract 0192…, the last of 3`. */
export function startedByText({ slug, cause, causeId, count }: TriggeredBy): string {
  return `trigger ${slug}: ${cause} ${causeId}${count > 1 ? `, the last of ${count}` : ''}`;
}

/** Most characters of a `callerRunId`. */
export const maxCallerChars = 200;

const nothing: Submitted = {};
const sign = ',"submitted":{';
/** The text of no parameters, with room beside it. */
const noParams = '{"json":null,"meta":{"values":["undefined"]}}';

/**
 * The recorded text of parameters with how they were submitted beside it.
 *
 * @param sensitive paths that stand beside them already: those come last
 */
export function withSubmitted(text: string, submitted: Submitted, sensitive: readonly string[] = []): string {
  const written = JSON.stringify(submitted);
  if (written === '{}') return text;
  const paths = sensitive.length === 0 ? '}' : `,"sensitive":${JSON.stringify(sensitive)}}`;
  const given = text === 'null' ? noParams : text;
  return `${given.slice(0, -paths.length)},"submitted":${written}${paths}`;
}

/** What stands beside recorded parameters; nothing beside a text that is no JSON, which whoever needs the parameters refuses. */
export function submittedIn(text: string): Submitted {
  if (!text.includes(sign)) return nothing;
  try {
    // A field of the user's may have this name: only what stands beside the value counts.
    const { submitted } = JSON.parse(text) as { readonly submitted?: Submitted | null };
    return typeof submitted === 'object' && submitted !== null ? submitted : nothing;
  } catch {
    return nothing;
  }
}

/** Until when a run may begin, UTC epoch ms; null: whenever. Of most runs a look for a text is all that it takes. */
export function expiresAtIn(text: string): number | null {
  return text.includes(`${sign}"expiresAt":`) ? (submittedIn(text).expiresAt ?? null) : null;
}

/** By which key calls are gathered into a run; null: by none. As quick as `expiresAtIn`. */
export function debounceKeyIn(text: string): string | null {
  return text.includes(`${sign}"debounceKey":`) ? (submittedIn(text).debounceKey ?? null) : null;
}

/** The rate of its deployment that a run is under; null: none. Almost as quick. */
export function rateIn(text: string): string | null {
  return text.includes('"rate":"deployment:') ? (submittedIn(text).rate ?? null) : null;
}

/** What was said when a run was submitted; null for nothing. */
export function submittedOf({ params }: { readonly params: string }): Submitted | null {
  const submitted = submittedIn(params);
  return Object.keys(submitted).length === 0 ? null : submitted;
}

/** Id of the trace that a run is part of, whether anybody exports it or not. */
export function traceIdOfRun({ id, params }: { readonly id: string; readonly params: string }): string {
  return traceIdOf(id, submittedIn(params).traceparent ?? null);
}

/** The recorded text of parameters alone. */
export function withoutSubmitted(text: string): string {
  const submitted = submittedIn(text);
  if (submitted === nothing) return text;
  const written = `,"submitted":${JSON.stringify(submitted)}`;
  const at = text.lastIndexOf(written);
  return text.slice(0, at) + text.slice(at + written.length);
}
