/**
 * One pass over the triggers of deployments: reads received events and ends of runs, and decides on them in one transaction.
 *
 * Any number of schedulers may run it; of simultaneous passes, one decides. A crash loses nothing and repeats nothing: before the commit
 * nothing has happened, after it the runs exist, and missing tickets are put again.
 */
import type { EngineServices } from '../src/engine/services.ts';
import type { TriggerFiring } from '../src/model/triggers/trigger.ts';
import type { ActiveTrigger, EndPage, Ticketed, TriggerCause } from '../src/store/store.ts';
import { matchEnds, matchEvents, wishOf } from './match-triggers.ts';
import { planFirings } from './plan-firings.ts';

export interface FiredTriggers {
  /** Runs that may start; each needs a ticket. */
  readonly waiting: readonly Ticketed[];
  readonly firings: readonly TriggerFiring[];
  /** Whether more could be done at once. */
  readonly again: boolean;
}

type Services = Pick<EngineServices, 'store' | 'results' | 'log' | 'makeId' | 'random'>;

/** Events per pass. */
const batchEvents = 1_000;
/** Changes of runs covered by one pass. */
const batchChanges = 5_000;
/** Limit on what the events, or ends, of a pass yield together, characters. */
const usualChars = 32_000_000;
const reader = 'triggers';
const nothing: FiredTriggers = { waiting: [], firings: [], again: false };

/**
 * @param maxChars that the events, and the ends, of this pass yield together
 * @throws BatutaError STORE_…
 */
export async function fireTriggers(services: Services, maxChars = usualChars): Promise<FiredTriggers> {
  const { store, log, makeId, random } = services;
  const outlook = await store.triggers.outlook();
  if (outlook.triggers === 0 && !outlook.hasPending) return nothing;
  const triggers = outlook.triggers === 0 ? [] : await store.triggers.active();
  const pending = outlook.hasPending ? await store.triggers.pending(batchEvents) : { events: [], hasMore: false };
  const { taken, causes: ofEvents } = await matchEvents(services, triggers, pending.events, maxChars);
  const events = pending.events.slice(0, taken);
  const { page: ends, causes: ofEnds } = await readEnds(services, triggers, maxChars);
  const isCaughtUp = !pending.hasMore && events.length === pending.events.length && ends?.hasMore !== true;
  const isDue = isCaughtUp && outlook.nextDueAt !== null && outlook.nextDueAt <= outlook.now;
  if (events.length === 0 && !isDue && !hasMoved(ends)) return nothing;
  const causes = [...ofEvents, ...ofEnds];
  const step = { triggers, events: events.map(({ seq }) => seq), ends, causes, isCaughtUp, lookedAt: outlook.now };
  const report = await store.triggers.decide(step, makeId, (due) => planFirings(due, { makeId, random }));
  if (report === null) return { ...nothing, again: true };
  for (const firing of report.firings) logFiring(log, firing);
  return { ...report, again: !isCaughtUp || report.hasMore };
}

interface EndsRead {
  readonly page: EndPage | null;
  readonly causes: readonly TriggerCause[];
}

/** A page of ends that pass on no more than is allowed, or the smallest page. */
async function readEnds(services: Services, triggers: readonly ActiveTrigger[], maxChars: number): Promise<EndsRead> {
  const wish = wishOf(triggers);
  if (!wish.all && wish.deployments.length === 0 && wish.flows.length === 0) return { page: null, causes: [] };
  for (let changes = batchChanges; ; changes = Math.max(1, Math.floor(changes / 8))) {
    const page = await services.store.triggers.ends(reader, wish, changes);
    const { causes, taken } = await matchEnds(services, triggers, page.ends, changes === 1 ? Infinity : maxChars);
    if (taken === page.ends.length) return { page, causes };
  }
}

function hasMoved(page: EndPage | null): boolean {
  if (page === null) return false;
  const { place, next, ends } = page;
  return ends.length > 0 || place.settled !== next.settled || place.readTo !== next.readTo || place.mark !== next.mark;
}

function logFiring(log: Services['log'], { deployment, slug, outcome, cause, causeId, count, runId, message }: TriggerFiring): void {
  const facts = { deployment, trigger: slug, cause, causeId, count, ...(runId === null ? {} : { run: runId }) };
  if (outcome === 'started') log.debug(facts, 'A trigger has started a run.');
  else if (outcome === 'expired') log.info(facts, `A trigger has fired for nothing: ${message ?? ''}`);
  else log.error(facts, `A trigger has started no run: ${message ?? ''}`);
}
