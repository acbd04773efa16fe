/**
 * How a run was submitted: the trace it continues, who submitted it, whether caches are bypassed. Pure.
 *
 * Stored with the recorded parameters (`{"json":…,"submitted":{"traceparent":"00-…"}}`), so a run submitted without any of it is written
 * and read as if this did not exist. Code and people get the parameters without it.
 */
import type { Duration } from '../base/duration.ts';
import { traceIdOf } from './trace.ts';

/** Which calls of a flow belong together, and the quiet time they need. */
export interface DebounceOptions {
  /** 1 to 500 characters. */
  readonly key: string;
  /** How long there must be no call before the run begins. 1 ms to 1 year. */
  readonly wait: Duration;
  /** The run begins at most this long after the first call, however many follow; at least `wait`. Default: no limit. */
  readonly maxWait?: Duration | undefined;
}

/** What callers may state about a run's origin and caches. */
export interface SubmittedOptions {
  /**
   * W3C `traceparent` whose trace the run continues: its tasks pass it on by `correlationHeaders()`. Default that of the span, or task,
   * whose code submits the run, else none.
   */
  readonly traceparent?: string | undefined;
  /** Id of the submitter, 1 to 200 characters: default the run whose code submits it, else none. */
  readonly callerRunId?: string | undefined;
  /**
   * Whether its tasks, and its sub-flows, make their cached values again, for others to find. Values that a run shares only within itself
   * (`scope: 'run'`) are not affected. Default false.
   */
  readonly refreshCache?: boolean | undefined;
  /**
   * Id of a run of the same flow: sources are not read, and each task of a stream gets the records it rejected in that run. Default none.
   */
  readonly replayOf?: string | undefined;
}

/** Submitted besides the parameters; empty for most runs. */
export interface Submitted {
  /** Not begun after this instant, UTC epoch ms. Written first, see `expiresAtIn`. */
  readonly expiresAt?: number;
  /** Calls with this key join it until it begins. Written first, and never with `expiresAt`. */
  readonly debounceKey?: string;
  /** W3C `traceparent` of the request or task that submitted it. */
  readonly traceparent?: string;
  /** Run whose code submitted it, or named in `x-run-id` by a caller over HTTP. */
  readonly callerRunId?: string;
  /** Its tasks make values again, whatever the cache holds. */
  readonly refreshCache?: true;
  /** Run whose rejected records replace what its sources would read. */
  readonly replayOf?: string;
  /** The deployment's rate that applies, with its key. */
  readonly rate?: string;
  /** The trigger of its deployment that started it. */
  readonly trigger?: TriggeredBy;
}

/** What started a run nobody submitted. */
export interface TriggeredBy {
  /** Slug of the trigger. */
  readonly slug: string;
  /** Id of its firing. */
  readonly firing: string;
  /** The newest cause, e.g. `event:order.created`, `completed:extract`, and the id of that event or run. */
  readonly cause: string;
  readonly causeId: string;
  /** Number of causes. */
  readonly count: number;
  /** Its position in a chain of triggers, from 1. */
  readonly hops: number;
  /** Its parameters hold values of the event or run, not checked by the flow's schema. */
  readonly unchecked?: true;
}

/** What started a run, in words: `trigger completed-extract: completed:extract 0192…, the last of 3`. */
export function startedByText({ slug, cause, causeId, count }: TriggeredBy): string {
  return `trigger ${slug}: ${cause} ${causeId}${count > 1 ? `, the last of ${count}` : ''}`;
}

/** Longest `callerRunId`, characters. */
export const maxCallerChars = 200;

const nothing: Submitted = {};
const sign = ',"submitted":{';
/** The text of no parameters, with room for more. */
const noParams = '{"json":null,"meta":{"values":["undefined"]}}';

/**
 * The recorded text of parameters with how they were submitted.
 *
 * @param sensitive paths already in the text: those come last
 */
export function withSubmitted(text: string, submitted: Submitted, sensitive: readonly string[] = []): string {
  const written = JSON.stringify(submitted);
  if (written === '{}') return text;
  const paths = sensitive.length === 0 ? '}' : `,"sensitive":${JSON.stringify(sensitive)}}`;
  const given = text === 'null' ? noParams : text;
  return `${given.slice(0, -paths.length)},"submitted":${written}${paths}`;
}

/** What is stored with recorded parameters; nothing if the text is not JSON, which users of the parameters refuse. */
export function submittedIn(text: string): Submitted {
  if (!text.includes(sign)) return nothing;
  try {
    // A user's field may have this name: only the one next to the value counts.
    const { submitted } = JSON.parse(text) as { readonly submitted?: Submitted | null };
    return typeof submitted === 'object' && submitted !== null ? submitted : nothing;
  } catch {
    return nothing;
  }
}

/** Until when a run may begin, UTC epoch ms; null: any time. For most runs a text search suffices. */
export function expiresAtIn(text: string): number | null {
  return text.includes(`${sign}"expiresAt":`) ? (submittedIn(text).expiresAt ?? null) : null;
}

/** Key by which calls are gathered into a run; null: none. As fast as `expiresAtIn`. */
export function debounceKeyIn(text: string): string | null {
  return text.includes(`${sign}"debounceKey":`) ? (submittedIn(text).debounceKey ?? null) : null;
}

/** The deployment's rate that applies to a run; null: none. Almost as fast. */
export function rateIn(text: string): string | null {
  return text.includes('"rate":"deployment:') ? (submittedIn(text).rate ?? null) : null;
}

/** How a run was submitted; null for nothing. */
export function submittedOf({ params }: { readonly params: string }): Submitted | null {
  const submitted = submittedIn(params);
  return Object.keys(submitted).length === 0 ? null : submitted;
}

/** Id of a run's trace, whether exported or not. */
export function traceIdOfRun({ id, params }: { readonly id: string; readonly params: string }): string {
  return traceIdOf(id, submittedIn(params).traceparent ?? null);
}

/** Recorded parameters, text only. */
export function withoutSubmitted(text: string): string {
  const submitted = submittedIn(text);
  if (submitted === nothing) return text;
  const written = `,"submitted":${JSON.stringify(submitted)}`;
  const at = text.lastIndexOf(written);
  return text.slice(0, at) + text.slice(at + written.length);
}
