/** Checks lasting conditions: which groups of a rule meet it now. */
import { hostname } from 'node:os';
import { formatDuration } from '../base/duration.ts';
import { type AlertRuleSpec, groupOfRun, meansRun } from '../model/alerts/rule.ts';
import { missedAfterMs } from '../model/schedule/ticks.ts';
import type { ActiveAlertRule, AlertLook, AlertOccurrence, EndedCount, WatchedRun } from '../store/store.ts';
import { limitsOf, type LongParts } from './longer.ts';

export interface LookParts extends LongParts {
  /** A worker that has been silent for longer is not counted, ms. */
  readonly leaseMs: number;
  /** Free space where this process writes; null if it stores nothing. */
  readonly diskSpace: () => Promise<{ readonly freeBytes: number; readonly totalBytes: number; readonly folder: string } | null>;
  /** How often a rule is checked, ms; default 5,000, and up to a minute for a long window. */
  readonly lookEveryMs?: number;
  /** When this process last checked its own machine, by rule; kept by the caller of the passes. */
  readonly lookedHere: Map<string, number>;
}

type Found = Pick<AlertLook, 'found' | 'groups'>;

/** Rows may be committed this long after their creation time, ms. */
const slackMs = 60_000;
const gib = 1024 ** 3;

/** What a rule finds at an instant; null if this process cannot tell. @throws BatutaError STORE_… */
export async function lookAt(parts: LookParts, rule: ActiveAlertRule, now: number): Promise<Found | null> {
  const { watch } = parts.services.store.alerts;
  const { condition } = rule.rule;
  switch (condition.kind) {
    case 'late':
      return groupRuns(
        rule,
        await watch.late(rule.rule),
        now,
        (runs, oldest) => `${many(runs.length, 'run is', 'runs are')} late, the longest by ${since(oldest, now)}.`,
      );
    case 'longer':
      return await longerRuns(parts, rule, now);
    case 'missed':
      return await missedTicks(parts, rule, now);
    case 'failure-rate':
      return failureRates(rule, condition, await watch.ended(now - condition.withinMs), now);
    case 'nothing-completed':
      return await silentOnes(parts, rule, condition.ms, now);
    case 'no-worker':
    case 'queue-older':
      return await queues(parts, rule, condition, now);
    case 'disk':
      return await disk(parts, rule, condition, now);
    default:
      return null;
  }
}

function groupRuns(
  { name, rule }: ActiveAlertRule,
  runs: readonly WatchedRun[],
  now: number,
  say: (runs: readonly WatchedRun[], oldest: WatchedRun) => string,
): Found {
  const groups = new Map<string, WatchedRun[]>();
  for (const run of runs) {
    if (!meansRun(rule, run)) continue;
    const group = groupOfRun(rule, run);
    groups.set(group, [...(groups.get(group) ?? []), run]);
  }
  const found = [...groups].flatMap(([group, members]): AlertOccurrence[] => {
    const [oldest] = [...members].sort((a, b) => a.sinceAt - b.sinceAt);
    if (oldest === undefined) return [];
    const { id: runId, name: runName, flow, deployment } = oldest;
    return [{ rule: name, group, cause: null, seq: null, at: now, summary: say(members, oldest), runId, runName, flow, deployment }];
  });
  return { found, groups: null };
}

async function longerRuns(parts: LookParts, rule: ActiveAlertRule, now: number): Promise<Found> {
  const { condition } = rule.rule;
  const { watch } = parts.services.store.alerts;
  const leastMs = condition.kind === 'longer' ? (condition.ms ?? 0) : 0;
  const limitFor = limitsOf(parts, rule);
  const over: { readonly run: WatchedRun; readonly limitMs: number }[] = [];
  for (const run of await watch.executingSince(rule.rule, now - leastMs)) {
    if (!meansRun(rule.rule, run)) continue;
    const limitMs = await limitFor(run);
    if (limitMs !== null && now - run.sinceAt > limitMs) over.push({ run, limitMs });
  }
  const found = over.map(({ run, limitMs }): AlertOccurrence => {
    const { id: runId, name: runName, flow, deployment } = run;
    const summary = `${runName} has been running for longer than ${formatDuration(limitMs)}.`;
    const about = { runId, runName, flow, deployment };
    return { rule: rule.name, group: groupOfRun(rule.rule, run), cause: null, seq: null, at: now, summary, ...about };
  });
  return { found: oneOfEach(found), groups: null };
}

/** The oldest of each group: one per group is reported. */
function oneOfEach(found: readonly AlertOccurrence[]): readonly AlertOccurrence[] {
  return [...new Map([...found].reverse().map((one) => [one.group, one])).values()];
}

/** A missed tick is an event; the alert is over with the next check that finds none. */
async function missedTicks({ services: { store } }: LookParts, rule: ActiveAlertRule, now: number): Promise<Found> {
  const from = Math.max(rule.createdAt, (rule.lookedAt ?? now) - slackMs);
  const runs = await store.alerts.watch.missed(rule.rule, from, missedAfterMs);
  const found = runs
    .filter((run) => meansRun(rule.rule, run))
    .map((run): AlertOccurrence => {
      const { id: runId, name: runName, flow, deployment } = run;
      const summary = `The tick of ${new Date(run.sinceAt).toISOString()} of ${deployment ?? flow} was missed: no scheduler was at work.`;
      const about = { runId, runName, flow, deployment };
      return { rule: rule.name, group: groupOfRun(rule.rule, run), cause: `missed:${run.id}`, seq: null, at: now, summary, ...about };
    });
  return { found, groups: null };
}

function failureRates(
  { name, rule }: ActiveAlertRule,
  { share, withinMs, atLeast }: { readonly share: number; readonly withinMs: number; readonly atLeast: number },
  counts: readonly EndedCount[],
  now: number,
): Found {
  const groups = new Map<string, { flow: string; deployment: string | null; runs: number; failed: number }>();
  for (const one of counts) {
    if (one.type === 'CANCELLED' || !meansRun(rule, one)) continue;
    const group = groupOfRun(rule, one);
    const sum = groups.get(group) ?? { flow: one.flow, deployment: one.deployment, runs: 0, failed: 0 };
    sum.runs += one.runs;
    if (one.type !== 'COMPLETED') sum.failed += one.runs;
    groups.set(group, sum);
  }
  const found = [...groups].flatMap(([group, { flow, deployment, runs, failed }]): AlertOccurrence[] => {
    if (runs < atLeast || failed / runs <= share) return [];
    const summary = `${failed} of ${runs} runs failed within ${formatDuration(withinMs)} (${Math.round((failed / runs) * 100)} %).`;
    const about = rule.by === 'rule' ? { flow: null, deployment: null } : { flow, deployment };
    return [{ rule: name, group, cause: null, seq: null, at: now, summary, runId: null, runName: null, ...about }];
  });
  return { found, groups: null };
}

/** For the deployments or flows that the rule names; if it names none, for all together. */
async function silentOnes({ services: { store } }: LookParts, rule: ActiveAlertRule, ms: number, now: number): Promise<Found> {
  // Not watched long enough to be called silent.
  if (now - Math.max(rule.createdAt, rule.updatedAt) < ms) return { found: [], groups: null };
  const counts = await store.alerts.watch.ended(now - ms);
  const { deployments, flows } = rule.rule;
  const parts: readonly (readonly [string, Partial<AlertRuleSpec>])[] =
    deployments.length > 0
      ? deployments.map((name) => [name, { deployments: [name] }])
      : flows.length > 0
        ? flows.map((name) => [name, { flows: [name] }])
        : [['', {}]];
  const found = parts.flatMap(([group, only]): AlertOccurrence[] => {
    const part = { ...rule.rule, ...only };
    if (counts.some((one) => one.type === 'COMPLETED' && meansRun(part, one))) return [];
    const summary = `${group === '' ? 'Nothing' : `No run of ${group}`} has completed for ${formatDuration(ms)}.`;
    const about = {
      runId: null,
      runName: null,
      flow: flows.includes(group) ? group : null,
      deployment: deployments.includes(group) ? group : null,
    };
    return [{ rule: rule.name, group, cause: null, seq: null, at: now, summary, ...about }];
  });
  return { found, groups: null };
}

async function queues(
  { services: { store }, leaseMs }: LookParts,
  { name, rule }: ActiveAlertRule,
  { kind, ms }: { readonly kind: 'no-worker' | 'queue-older'; readonly ms: number },
  now: number,
): Promise<Found> {
  const [figures, workers] = await Promise.all([store.figures.queues(), kind === 'no-worker' ? store.workers.list() : []]);
  const served = new Set(workers.filter(({ silentMs }) => silentMs <= leaseMs).flatMap((worker) => worker.queues));
  const found = figures.flatMap(({ name: queue, waiting, oldestAt }): AlertOccurrence[] => {
    if (waiting === 0 || oldestAt === null || now - oldestAt < ms) return [];
    if ((rule.queues.length > 0 && !rule.queues.includes(queue)) || (kind === 'no-worker' && served.has(queue))) return [];
    const waits = many(waiting, 'run waits', 'runs wait');
    const summary =
      kind === 'no-worker'
        ? `${waits} in queue ${queue}, which no worker serves.`
        : `${waits} in queue ${queue}, the oldest for longer than ${formatDuration(ms)}.`;
    return [
      { rule: name, group: queue, cause: null, seq: null, at: now, summary, runId: null, runName: null, flow: null, deployment: null },
    ];
  });
  return { found, groups: null };
}

/** Each scheduler checks its own machine. */
async function disk(
  { diskSpace }: LookParts,
  { name }: ActiveAlertRule,
  { bytes, share }: { readonly bytes: number | null; readonly share: number | null },
  now: number,
): Promise<Found | null> {
  const space = await diskSpace();
  if (space === null) return null;
  const { freeBytes, totalBytes, folder } = space;
  const host = hostname();
  const isLow = (bytes !== null && freeBytes < bytes) || (share !== null && freeBytes < share * totalBytes);
  const summary = `${(freeBytes / gib).toFixed(1)} of ${(totalBytes / gib).toFixed(1)} GiB are free at ${folder} on ${host}.`;
  const about = { runId: null, runName: null, flow: null, deployment: null };
  return { found: isLow ? [{ rule: name, group: host, cause: null, seq: null, at: now, summary, ...about }] : [], groups: [host] };
}

function since({ sinceAt }: WatchedRun, now: number): string {
  return formatDuration(Math.max(0, now - sinceAt));
}

function many(count: number, one: string, several: string): string {
  return `${count} ${count === 1 ? one : several}`;
}
