/**
 * Which triggers an event or the end of a run is for, and what they take of it. Nothing is read of a run, its parameters or its result unless a
 * trigger that means it asks for that.
 */
import { isBatutaError } from '../src/base/errors.ts';
import type { EngineServices } from '../src/engine/services.ts';
import { decodeValue, encodeValue, loadValue } from '../src/engine/values/results.ts';
import { parseRef } from '../src/model/result-ref.ts';
import type { Run } from '../src/model/run.ts';
import { submittedIn, withoutSubmitted } from '../src/model/submitted.ts';
import { traceparentOf } from '../src/model/trace.ts';
import { type CauseFacts, groupOf, mapParams, type PathRoot, passes, rootsOf } from '../src/model/triggers/paths.ts';
import { meansEnd, meansEvent, sourceText, type TriggerSource } from '../src/model/triggers/trigger.ts';
import type { ActiveTrigger, EndWish, PendingEvent, RunEnd, TriggerCause } from '../src/store/store.ts';
import { ChainLengths } from './chain-length.ts';

/** Largest result that is read to map it, bytes. */
const maxResultBytes = 4 * 1024 * 1024;

type Services = Pick<EngineServices, 'store' | 'results' | 'log'>;

/** Which ends of runs these triggers want. */
export function wishOf(triggers: readonly ActiveTrigger[]): EndWish {
  const sources = triggers.flatMap(({ rule }) => rule.sources).filter((source) => source.kind !== 'event');
  const named = (of: 'deployment' | 'flow'): string[] => [
    ...new Set(sources.flatMap((one) => (one.of === of && one.name !== '*' ? [one.name] : []))),
  ];
  return { deployments: named('deployment'), flows: named('flow'), all: sources.some(({ name }) => name === '*') };
}

/** What these events are for. @throws BatutaError STORE_… */
export async function matchEvents(
  services: Services,
  triggers: readonly ActiveTrigger[],
  events: readonly PendingEvent[],
): Promise<readonly TriggerCause[]> {
  const lengths = new ChainLengths(services.store);
  const find = eventFinder(triggers);
  const causes: TriggerCause[] = [];
  for (const event of events) {
    const meant = find(event.name).filter(({ trigger }) => event.seq > trigger.fromEvent);
    if (meant.length === 0) continue;
    const { id, name, source, at, receivedAt, callerRunId, traceparent } = event;
    const facts: CauseFacts = { payload: readPayload(event), event: { id, name, source, at: new Date(at).toISOString() } };
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
    for (const one of meant) causes.push(...causeOf(services, one, facts, shared));
  }
  return causes;
}

/** What these ends are for. @throws BatutaError STORE_… */
export async function matchEnds(
  services: Services,
  triggers: readonly ActiveTrigger[],
  ends: readonly RunEnd[],
): Promise<readonly TriggerCause[]> {
  const lengths = new ChainLengths(services.store);
  const byEnds = triggers.filter(({ rule }) => rule.sources.some(({ kind }) => kind !== 'event'));
  const causes: TriggerCause[] = [];
  for (const end of ends) {
    const meant = byEnds.flatMap((trigger) => meantBy(trigger, end));
    if (meant.length === 0) continue;
    const run = await services.store.runs.get(end.runId);
    // Deleted since: nothing is known of it that could be handed on.
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
    for (const one of meant) {
      const { facts, fault } = await factsOf(services, run, end, rootsOf(one.trigger.rule));
      causes.push(...causeOf(services, one, facts, { ...shared, label: sourceText(one.source) }, fault));
    }
  }
  return causes;
}

interface Meant {
  readonly trigger: ActiveTrigger;
  readonly source: TriggerSource;
  readonly at: number;
}

function meantBy(trigger: ActiveTrigger, end: RunEnd): readonly Meant[] {
  const { rule, deployment, fromEnd } = trigger;
  if (end.seq <= fromEnd || (end.backfillId !== null && !rule.backfills) || !rule.tags.every((tag) => end.tags.includes(tag))) return [];
  const ended = { deployment: end.deployment, flow: end.flow, stateType: end.state.type };
  const at = rule.sources.findIndex((source) => meansEnd(source, ended, deployment));
  const source = rule.sources[at];
  return source === undefined ? [] : [{ trigger, source, at }];
}

/** By exact name, and of those that end in `*` one after the other. */
function eventFinder(triggers: readonly ActiveTrigger[]): (name: string) => readonly Meant[] {
  const exact = new Map<string, Meant[]>();
  const open: Meant[] = [];
  for (const trigger of triggers) {
    for (const [at, source] of trigger.rule.sources.entries()) {
      if (source.kind !== 'event') continue;
      const meant = { trigger, source, at };
      if (source.name.endsWith('*')) open.push(meant);
      else exact.set(source.name, [...(exact.get(source.name) ?? []), meant]);
    }
  }
  // One occurrence stands for one source of a trigger: the first that means it.
  return (name) => {
    const found = [...(exact.get(name) ?? []), ...open.filter(({ source }) => meansEvent(source, name))];
    return found.filter(({ trigger }, at) => found.findIndex((one) => one.trigger === trigger) === at);
  };
}

function causeOf(
  { log }: Services,
  { trigger, at: source }: Meant,
  facts: CauseFacts,
  shared: Omit<TriggerCause, 'triggerId' | 'source' | 'group' | 'given' | 'fault'>,
  fault: string | null = null,
): readonly TriggerCause[] {
  const { rule } = trigger;
  const common = { ...shared, triggerId: trigger.id, source };
  try {
    if (fault === null && !passes(rule.where, facts, source)) return [];
    const given = mapParams(rule.params, facts, source);
    const text = Object.keys(given).length === 0 ? null : encodeValue(given, `parameters of trigger ${trigger.slug}`);
    return [{ ...common, group: groupOf(rule.by, facts), given: text, fault }];
  } catch (error) {
    // What one trigger cannot take must not hold up the others.
    log.warn(
      { err: error, deployment: trigger.deployment, trigger: trigger.slug, cause: shared.cause },
      'A trigger cannot read what it is to hand on.',
    );
    return [{ ...common, group: '', given: null, fault: error instanceof Error ? error.message : String(error) }];
  }
}

function readPayload({ payload }: PendingEvent): unknown {
  return payload === null ? undefined : decodeValue(payload);
}

/** What an end has of the roots that are asked for, and why not all of it. @throws BatutaError STORE_… */
async function factsOf(
  { results }: Services,
  run: Run,
  end: RunEnd,
  roots: ReadonlySet<PathRoot>,
): Promise<{ readonly facts: CauseFacts; readonly fault: string | null }> {
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
    if (!roots.has('result')) return { facts, fault: null };
    const bytes = run.resultRef === null ? 0 : (parseRef(run.resultRef).bytes ?? 0);
    if (bytes > maxResultBytes)
      return { facts, fault: `The result of run ${run.id} has ${bytes} bytes; of one larger than ${maxResultBytes} nothing is mapped.` };
    facts.result = await loadValue(results, run);
    return { facts, fault: null };
  } catch (error) {
    if (isBatutaError(error) && error.code.startsWith('STORE_')) throw error;
    return { facts, fault: error instanceof Error ? error.message : String(error) };
  }
}
