/** Which rules the end of a run matches, and its message. A run is read only if a matching rule needs it. */
import { formatDuration } from '../base/duration.ts';
import { failureSentence } from '../model/failure-sentence.ts';
import { type AlertCondition, groupOfRun, meansRun } from '../model/alerts/rule.ts';
import type { ActiveAlertRule, AlertOccurrence, AlertRecovery, EndWish, RunEnd, Store } from '../store/store.ts';
import { limitsOf, type LongParts } from './longer.ts';

/** Which ends these rules want. */
export function wishOf(rules: readonly ActiveAlertRule[]): EndWish {
  const deployments = new Set<string>();
  const flows = new Set<string>();
  let all = false;
  for (const { rule } of rules) {
    if (rule.deployments.length > 0) for (const name of rule.deployments) deployments.add(name);
    else if (rule.flows.length > 0) for (const name of rule.flows) flows.add(name);
    else all = true;
  }
  return { deployments: [...deployments], flows: [...flows], all };
}

export interface Matched {
  readonly occurrences: readonly AlertOccurrence[];
  readonly recoveries: readonly AlertRecovery[];
}

interface Meant {
  readonly rule: ActiveAlertRule;
  readonly end: RunEnd;
}

/** @param rules those whose condition is met by ends of runs @throws BatutaError STORE_… */
export async function matchEnds(parts: LongParts, rules: readonly ActiveAlertRule[], ends: readonly RunEnd[]): Promise<Matched> {
  const meant: Meant[] = ends.flatMap((end) =>
    rules.flatMap((rule) => (end.seq > rule.fromEnd && meansRun(rule.rule, end) ? [{ rule, end }] : [])),
  );
  const of = (...kinds: readonly AlertCondition['kind'][]): Meant[] => meant.filter(({ rule }) => kinds.includes(rule.rule.condition.kind));
  const { store } = parts.services;
  const [failed, longer, metric] = await Promise.all([
    failures(parts, of('failed', 'crashed')),
    overLong(parts, of('longer')),
    metricsOf(store, of('metric')),
  ]);
  const recoveries = [...failed.recoveries, ...metric.recoveries];
  return { occurrences: [...failed.occurrences, ...longer, ...metric.occurrences], recoveries };
}

async function failures(parts: LongParts, meant: readonly Meant[]): Promise<Matched> {
  const wanted = { failed: 'FAILED', crashed: 'CRASHED' } as const;
  const bad = meant.filter(({ rule, end }) => end.state.type === wanted[rule.rule.condition.kind as keyof typeof wanted]);
  const sentences = new Map<string, string>();
  const sentenceOf = sentencesOf(parts);
  for (const { end } of bad) if (!sentences.has(end.runId)) sentences.set(end.runId, await sentenceOf(end));
  return {
    occurrences: bad.map(({ rule, end }) => occurrenceOf(rule, end, `${end.runName} ${end.state.name}: ${sentences.get(end.runId) ?? ''}`)),
    recoveries: meant.flatMap(({ rule, end }) => (end.state.type === 'COMPLETED' ? [recoveryOf(rule, end)] : [])),
  };
}

/** The message of one end. Runs that fail alike are queried once per pass; for a run that cannot be read only its state is given. */
function sentencesOf({ services: { store, log } }: LongParts): (end: RunEnd) => Promise<string> {
  const { runs, figures } = store;
  const known = new Map<string, ReturnType<typeof figures.alike>>();
  const alikeTo = async (flow: string, key: string | undefined): Promise<Awaited<ReturnType<typeof figures.alike>>[number] | undefined> => {
    if (key === undefined) return undefined;
    const one = `${key} ${flow}`;
    const asked = known.get(one) ?? figures.alike([{ flow, key }]);
    known.set(one, asked);
    return (await asked)[0];
  };
  return async ({ runId, state }) => {
    const plain = state.message ?? state.name;
    try {
      const run = await runs.get(runId);
      if (run === null) return plain;
      const alike = await alikeTo(run.flow, run.error?.origin?.key);
      const others = alike === undefined ? null : { others: Math.max(0, alike.runs - 1), sinceAt: alike.sinceAt };
      return failureSentence(run, { alike: others, time: utcMinute }) ?? plain;
    } catch (error) {
      log.warn({ runId, err: error }, 'An alert says less of a run, which could not be read.');
      return plain;
    }
  };
}

/** Runs that ended before a check found them too long. */
async function overLong(parts: LongParts, meant: readonly Meant[]): Promise<readonly AlertOccurrence[]> {
  const durations = await parts.services.store.alerts.watch.durations([...new Set(meant.map(({ end }) => end.runId))]);
  const limits = new Map([...new Set(meant.map(({ rule }) => rule))].map((rule) => [rule, limitsOf(parts, rule)]));
  const found: AlertOccurrence[] = [];
  for (const { rule, end } of meant) {
    const limitMs = (await limits.get(rule)?.(end)) ?? null;
    const ms = durations.get(end.runId);
    if (limitMs === null || ms === undefined || ms <= limitMs) continue;
    const summary = `${end.runName} took ${formatDuration(ms)}, longer than ${formatDuration(limitMs)}.`;
    found.push(occurrenceOf(rule, end, summary));
  }
  return found;
}

async function metricsOf({ alerts }: Store, meant: readonly Meant[]): Promise<Matched> {
  const reported = await alerts.watch.metrics([...new Set(meant.map(({ end }) => end.runId))]);
  const occurrences: AlertOccurrence[] = [];
  const recoveries: AlertRecovery[] = [];
  for (const { rule, end } of meant) {
    const { condition } = rule.rule;
    if (condition.kind !== 'metric') continue;
    const { name, above, below } = condition;
    const values = reported.flatMap(({ runId, task, metrics }) =>
      runId === end.runId && metrics[name] !== undefined ? [{ task, value: metrics[name] }] : [],
    );
    const bad = values.find(({ value }) => (above !== null && value > above) || (below !== null && value < below));
    if (bad !== undefined) {
      const bound = above !== null && bad.value > above ? `above ${above}` : `below ${below}`;
      occurrences.push(occurrenceOf(rule, end, `${end.runName}: ${name} of ${bad.task} is ${bad.value}, ${bound}.`));
    } else if (values.length > 0) recoveries.push(recoveryOf(rule, end));
  }
  return { occurrences, recoveries };
}

function occurrenceOf(rule: ActiveAlertRule, end: RunEnd, summary: string): AlertOccurrence {
  const { runId, runName, flow, deployment, seq, at } = end;
  return {
    rule: rule.name,
    group: groupOfRun(rule.rule, end),
    cause: `run:${runId}:${seq}`,
    seq,
    at,
    summary,
    runId,
    runName,
    flow,
    deployment,
  };
}

function recoveryOf(rule: ActiveAlertRule, end: RunEnd): AlertRecovery {
  const { seq, flow, deployment } = end;
  return { rule: rule.name, group: groupOfRun(rule.rule, end), seq, flow, deployment };
}

function utcMinute(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
