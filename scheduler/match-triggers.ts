/**
 * Which triggers an event or the end of a run matches, and what they take from it. Nothing is read of a run, its parameters or its result
 * unless a matching trigger needs it.
 */
import { Buffer } from 'node:buffer';
import { isBatutaError } from '../src/base/errors.ts';
import type { EngineServices } from '../src/engine/services.ts';
import { decodeValue, encodeValue, loadValue } from '../src/engine/values/results.ts';
import { parseRef } from '../src/model/result-ref.ts';
import type { Run } from '../src/model/run.ts';
import { submittedIn, withoutSubmitted } from '../src/model/submitted.ts';
import { traceparentOf } from '../src/model/trace.ts';
import { type CauseFacts, groupOf, mapParams, type PathRoot, passes, rootsOf } from '../src/model/triggers/paths.ts';
import { maxGivenBytes, meansEnd, meansEvent, sourceText, type TriggerSource } from '../src/model/triggers/trigger.ts';
import type { ActiveTrigger, EndWish, PendingEvent, RunEnd, TriggerCause } from '../src/store/store.ts';
import { ChainLengths } from './chain-length.ts';

/** Maximum size of a result read to map it, bytes. */
const maxResultBytes = 4 * 1024 * 1024;

type Services = Pick<EngineServices, 'store' | 'results' | 'log'>;

/** Which ends of runs these triggers need. */
export function wishOf(triggers: readonly ActiveTrigger[]): EndWish {
  const sources = triggers.flatMap(({ rule }) => rule.sources).filter((source) => source.kind !== 'event');
  const named = (of: 'deployment' | 'flow'): string[] => [
    ...new Set(sources.flatMap((one) => (one.of === of && one.name !== '*' ? [one.name] : []))),
  ];
  return { deployments: named('deployment'), flows: named('flow'), all: sources.some(({ name }) => name === '*') };
}

/** The outcome of matching events or ends. */
export interface Matched {
  readonly causes: readonly TriggerCause[];
  /** How many events or ends were examined, from the first on: fewer than given once they pass on more than is allowed. */
  readonly taken: number;
}

/**
 * What these events trigger.
 *
 * @param maxChars of the texts that they pass on together; at least one event is examined
 * @throws BatutaError STORE_…
 */
export async function matchEvents(
  services: Services,
  triggers: readonly ActiveTrigger[],
  events: readonly PendingEvent[],
  maxChars: number,
): Promise<Matched> {
  const lengths = new ChainLengths(services.store);
  const find = eventFinder(triggers);
  const causes: TriggerCause[] = [];
  let chars = 0;
  for (const [index, event] of events.entries()) {
    const meant = find(event.name).filter(({ trigger }) => event.seq > trigger.fromEvent);
    if (meant.length === 0) continue;
    const { id, name, at, receivedAt, callerRunId, traceparent } = event;
    const found = factsOfEvent(event, allRoots(meant));
    const hops = await lengths.of(callerRunId);
    const shared = {
      cause: `event:${id}`,
      eventSeq: event.seq,
      label: `event:${name}`,
      subject: id,
      at,
      seenAt: receivedAt,
      hops,
      callerRunId,
      traceparent,
    };
    const made = meant.flatMap((one) => causeOf(services, one, found, shared));
    causes.push(...made);
    if ((chars += charsOf(made)) > maxChars) return { causes, taken: index + 1 };
  }
  return { causes, taken: events.length };
}

/** The same for ends of runs. */
export async function matchEnds(
  services: Services,
  triggers: readonly ActiveTrigger[],
  ends: readonly RunEnd[],
  maxChars: number,
): Promise<Matched> {
  const lengths = new ChainLengths(services.store);
  const byEnds = triggers.filter(({ rule }) => rule.sources.some(({ kind }) => kind !== 'event'));
  const causes: TriggerCause[] = [];
  let chars = 0;
  for (const [index, end] of ends.entries()) {
    const meant = byEnds.flatMap((trigger) => meantBy(trigger, end));
    if (meant.length === 0) continue;
    const run = await services.store.runs.get(end.runId);
    // Deleted since: nothing is left to pass on.
    if (run === null) continue;
    const hops = await lengths.of(run.id);
    const traceparent = traceparentOf(run.id, run.id, submittedIn(run.params).traceparent ?? null);
    const shared = {
      cause: `run:${run.id}:${end.seq}`,
      eventSeq: null,
      subject: run.id,
      at: end.at,
      seenAt: end.at,
      hops,
      callerRunId: run.id,
      traceparent,
    };
    const found = await factsOfEnd(services, run, end, allRoots(meant));
    const made = meant.flatMap((one) => causeOf(services, one, found, { ...shared, label: sourceText(one.source) }));
    causes.push(...made);
    if ((chars += charsOf(made)) > maxChars) return { causes, taken: index + 1 };
  }
  return { causes, taken: ends.length };
}

interface Meant {
  readonly trigger: ActiveTrigger;
  readonly source: TriggerSource;
  readonly at: number;
  /** What its rule reads. */
  readonly roots: ReadonlySet<PathRoot>;
}

function allRoots(meant: readonly Meant[]): ReadonlySet<PathRoot> {
  return new Set(meant.flatMap(({ roots }) => [...roots]));
}

function charsOf(causes: readonly TriggerCause[]): number {
  return causes.reduce((sum, { given }) => sum + (given?.length ?? 0), 0);
}

function meantBy(trigger: ActiveTrigger, end: RunEnd): readonly Meant[] {
  const { rule, deployment, fromEnd } = trigger;
  if (end.seq <= fromEnd || (end.backfillId !== null && !rule.backfills) || !rule.tags.every((tag) => end.tags.includes(tag))) return [];
  const ended = { deployment: end.deployment, flow: end.flow, stateType: end.state.type };
  const at = rule.sources.findIndex((source) => meansEnd(source, ended, deployment));
  const source = rule.sources[at];
  return source === undefined ? [] : [{ trigger, source, at, roots: rootsOf(rule) }];
}

/** By exact name, then one by one those that end in `*`. */
function eventFinder(triggers: readonly ActiveTrigger[]): (name: string) => readonly Meant[] {
  const exact = new Map<string, Meant[]>();
  const open: Meant[] = [];
  for (const trigger of triggers) {
    const roots = rootsOf(trigger.rule);
    for (const [at, source] of trigger.rule.sources.entries()) {
      if (source.kind !== 'event') continue;
      const meant = { trigger, source, at, roots };
      if (source.name.endsWith('*')) open.push(meant);
      else exact.set(source.name, [...(exact.get(source.name) ?? []), meant]);
    }
  }
  // One occurrence counts for one source of a trigger: the first that matches.
  return (name) => {
    const found = [...(exact.get(name) ?? []), ...open.filter(({ source }) => meansEvent(source, name))];
    return found.filter(({ trigger }, at) => found.findIndex((one) => one.trigger === trigger) === at);
  };
}

function causeOf(
  { log }: Services,
  { trigger, at: source, roots }: Meant,
  { facts, faults }: Found,
  shared: Omit<TriggerCause, 'triggerId' | 'source' | 'group' | 'given' | 'fault'>,
): readonly TriggerCause[] {
  const { rule } = trigger;
  const common = { ...shared, triggerId: trigger.id, source };
  const fault = [...roots].flatMap((root) => faults[root] ?? [])[0] ?? null;
  try {
    const group = groupOf(rule.by, facts);
    if (fault !== null) return [{ ...common, group, given: null, fault }];
    if (!passes(rule.where, facts, source)) return [];
    const given = mapParams(rule.params, facts, source);
    const text = Object.keys(given).length === 0 ? null : encodeValue(given, `parameters of trigger ${trigger.slug}`);
    const bytes = text === null ? 0 : Buffer.byteLength(text);
    if (bytes <= maxGivenBytes) return [{ ...common, group, given: text, fault }];
    const tooLarge = `What trigger ${trigger.slug} maps has ${bytes} bytes; at most ${maxGivenBytes} are handed on.`;
    return [{ ...common, group, given: null, fault: tooLarge }];
  } catch (error) {
    // A trigger that fails must not hold up the others.
    log.warn(
      { err: error, deployment: trigger.deployment, trigger: trigger.slug, cause: shared.cause },
      'A trigger cannot read the data it should pass on.',
    );
    return [{ ...common, group: '', given: null, fault: messageOf(error) }];
  }
}

/** The facts of an occurrence, and why some are missing. */
interface Found {
  readonly facts: CauseFacts;
  readonly faults: Readonly<Partial<Record<PathRoot, string>>>;
}

function factsOfEvent({ id, name, source, at, payload }: PendingEvent, roots: ReadonlySet<PathRoot>): Found {
  const event = { id, name, source, at: new Date(at).toISOString() };
  try {
    return { facts: { event, payload: roots.has('payload') ? decodeValue(payload) : undefined }, faults: {} };
  } catch (error) {
    return { facts: { event, payload: undefined }, faults: { payload: `The payload of event ${id} cannot be read: ${messageOf(error)}` } };
  }
}

/** Only the requested roots. @throws BatutaError STORE_… */
async function factsOfEnd({ results }: Services, run: Run, end: RunEnd, roots: ReadonlySet<PathRoot>): Promise<Found> {
  const faults: Partial<Record<PathRoot, string>> = {};
  const facts: { -readonly [Root in keyof CauseFacts]: CauseFacts[Root] } = {
    run: {
      id: run.id,
      name: run.name,
      flow: run.flow,
      deployment: run.deployment,
      tags: run.tags,
      state: end.state.name,
      attempt: end.attempt,
    },
    params: null,
    result: null,
  };
  try {
    if (roots.has('params')) facts.params = decodeValue(withoutSubmitted(run.params));
  } catch (error) {
    faults.params = messageOf(error);
  }
  if (!roots.has('result')) return { facts, faults };
  try {
    const bytes = run.resultRef === null ? 0 : (parseRef(run.resultRef).bytes ?? 0);
    if (bytes > maxResultBytes)
      faults.result = `The result of run ${run.id} has ${bytes} bytes; of one larger than ${maxResultBytes} nothing is mapped.`;
    else facts.result = await loadValue(results, run);
  } catch (error) {
    if (isBatutaError(error) && error.code.startsWith('STORE_')) throw error;
    faults.result = messageOf(error);
  }
  return { facts, faults };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
