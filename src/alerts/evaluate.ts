/**
 * One pass over the alert rules: reads new ends of runs, checks the conditions that hold for a while, and decides both in one transaction.
 *
 * Any number of schedulers may run it; of concurrent ones, one decides. A crash loses and repeats nothing: before the
 * commit nothing has happened, after it the deliveries are stored (`deliver.ts`).
 */
import type { EngineServices } from '../engine/services.ts';
import type { AlertFiring } from '../model/alerts/alert.ts';
import { type AlertCondition, isByEnds, isLevel } from '../model/alerts/rule.ts';
import type { ActiveAlertRule, AlertLook, EndPage } from '../store/store.ts';
import { lookAt, type LookParts } from './look.ts';
import { matchEnds, wishOf } from './match-ends.ts';

export interface EvaluateParts extends LookParts {
  readonly services: Pick<EngineServices, 'store' | 'log' | 'makeId'>;
}

export interface Evaluated {
  readonly firings: readonly AlertFiring[];
  /** Whether more can be done at once. */
  readonly again: boolean;
}

/** Most changes of runs in one pass. */
const batchChanges = 5_000;
/** How often lasting conditions are checked, ms: those with a window at a fraction of it, as each check reads all of it. */
const looks = { everyMs: 5_000, ofWindow: 1 / 120, atMostMs: 60_000 };
const reader = 'alerts';
const nothing: Evaluated = { firings: [], again: false };

/** @throws BatutaError STORE_… */
export async function evaluateAlerts(parts: EvaluateParts): Promise<Evaluated> {
  const { store, makeId } = parts.services;
  const { alerts } = store;
  const rules = await alerts.rules.active();
  if (rules.length === 0) return nothing;
  const byEnds = rules.filter(({ rule }) => isByEnds(rule.condition));
  const page = byEnds.length === 0 ? null : await store.triggers.ends(reader, wishOf(byEnds), batchChanges);
  const { occurrences, recoveries } = await matchEnds(parts, byEnds, page?.ends ?? []);
  const looks = await looksOf(parts, rules);
  if (occurrences.length === 0 && recoveries.length === 0 && looks.length === 0 && !hasMoved(page)) return nothing;
  const step = { rules, ends: page, occurrences, recoveries, looks };
  const report = await alerts.decide(step, makeId);
  if (report === null) return { ...nothing, again: true };
  for (const firing of report.firings) logFiring(parts, firing);
  return { firings: report.firings, again: page?.hasMore === true };
}

/** How often a condition is checked, ms. */
export function lookEveryOf(condition: AlertCondition): number {
  const windowMs = condition.kind === 'failure-rate' ? condition.withinMs : condition.kind === 'nothing-completed' ? condition.ms : 0;
  return Math.min(looks.atMostMs, Math.max(looks.everyMs, windowMs * looks.ofWindow));
}

/** Checks the rules that are due. A failing check does not hold up others. */
async function looksOf(parts: EvaluateParts, rules: readonly ActiveAlertRule[]): Promise<readonly AlertLook[]> {
  const levels = rules.filter(({ rule }) => isLevel(rule.condition));
  if (levels.length === 0) return [];
  const now = await parts.services.store.alerts.watch.now();
  const made: AlertLook[] = [];
  for (const rule of levels) {
    const isOfMachine = rule.rule.condition.kind === 'disk';
    const lookedAt = isOfMachine ? (parts.lookedHere.get(rule.name) ?? null) : rule.lookedAt;
    // After the clock was set back, the last check may be in the future: it is ignored.
    const ago = lookedAt === null ? null : now - lookedAt;
    if (ago !== null && ago >= 0 && ago < (parts.lookEveryMs ?? lookEveryOf(rule.rule.condition))) continue;
    if (isOfMachine) parts.lookedHere.set(rule.name, now);
    try {
      const found = await lookAt(parts, rule, now);
      if (found !== null) made.push({ rule: rule.name, before: rule.lookedAt, ...found });
    } catch (error) {
      parts.services.log.warn({ alert: rule.name, err: error }, 'A rule of alerts could not be evaluated; the next pass tries again.');
    }
  }
  return made;
}

function hasMoved(page: EndPage | null): boolean {
  if (page === null) return false;
  const { place, next } = page;
  return place.settled !== next.settled || place.readTo !== next.readTo || place.mark !== next.mark;
}

function logFiring({ services: { log } }: EvaluateParts, { rule, group, kind, summary, silenced }: AlertFiring): void {
  const facts = { alert: rule, ...(group === '' ? {} : { group }), ...(silenced ? { silenced } : {}) };
  if (kind === 'resolved') log.info(facts, `An alert is over: ${summary}`);
  else log.warn(facts, `An alert ${kind === 'fired' ? 'fires' : 'still fires'}: ${summary}`);
}
