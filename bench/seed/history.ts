/** Runs in the order of their creation: when each flow was busy, what became of its runs, and what still goes on. */
import type { StateName, StateType } from '../../src/model/state.ts';
import type { SeedDeployment, SeedFlow } from './catalogue.ts';
import { flows } from './catalogue.ts';
import type { Chance } from './chance.ts';

const hourMs = 3_600_000;

export interface SeedRun {
  readonly id: string;
  readonly flow: SeedFlow;
  readonly deployment: SeedDeployment | null;
  readonly createdAt: number;
  readonly scheduledFor: number | null;
  readonly state: { readonly type: StateType; readonly name: StateName };
  /** The task at which it failed or stands, by its place; null when all are done. */
  readonly stopsAt: number | null;
  readonly parent: { readonly runId: string; readonly taskRunId: string } | null;
}

export interface HistoryOptions {
  readonly runs: number;
  readonly days: number;
  readonly now: number;
  readonly chance: Chance;
}

/** Batches of runs, oldest first: one an hour. With those that they start as sub-flows they are about `runs`. */
export function* historyOf({ runs, days, now, chance }: HistoryOptions): Generator<readonly SeedRun[]> {
  const firstHour = Math.floor((now - days * 24 * hourMs) / hourMs) * hourMs;
  const hours = Math.floor(now / hourMs) - firstHour / hourMs + 1;
  const share = runs / totalWeight(firstHour, hours);
  const left = new Map(flows.map((flow) => [flow.name, 0]));
  const incidents = incidentsOf(chance, firstHour, hours);
  for (let hour = 0; hour < hours; hour += 1) {
    const at = firstHour + hour * hourMs;
    const batch: SeedRun[] = [];
    for (const flow of flows) {
      const wanted = (left.get(flow.name) ?? 0) + share * weightAt(flow, at);
      const count = Math.floor(wanted);
      left.set(flow.name, wanted - count);
      const failing = incidents.has(`${flow.name} ${hour}`) ? 0.6 : flow.failing;
      for (let index = 0; index < count; index += 1) {
        const run = runAt(chance, flow, at, index, count, failing, now);
        if (run.createdAt <= now) batch.push(run);
      }
    }
    yield batch.sort((left_, right) => left_.createdAt - right.createdAt);
  }
}

function weightAt(flow: SeedFlow, at: number): number {
  const date = new Date(at);
  return flow.weight * flow.hours(date.getUTCHours(), date.getUTCDay());
}

function totalWeight(firstHour: number, hours: number): number {
  let total = 0;
  for (let hour = 0; hour < hours; hour += 1) for (const flow of flows) total += weightAt(flow, firstHour + hour * hourMs) * runsOf(flow);
  return total;
}

/** A run and those it starts as sub-flows. */
function runsOf({ tasks }: SeedFlow): number {
  return 1 + tasks.filter(({ subFlow }) => subFlow !== undefined).length;
}

/** Failures come in clusters: now and then a flow fails for some hours. Price watching fails at the end as well. */
function incidentsOf(chance: Chance, firstHour: number, hours: number): ReadonlySet<string> {
  const incidents = new Set<string>();
  for (const flow of flows) {
    for (let hour = 0; hour < hours; hour += 1) {
      if (chance.next() >= 0.002) continue;
      for (let length = 2 + chance.below(6); length > 0; length -= 1) incidents.add(`${flow.name} ${hour + length}`);
    }
  }
  for (let hour = hours - 3; hour <= hours; hour += 1) incidents.add(`price-watch ${hour}`);
  return incidents;
}

function runAt(chance: Chance, flow: SeedFlow, hour: number, index: number, count: number, failing: number, now: number): SeedRun {
  const place = flow.deployments.length;
  const deployment = place === 0 ? null : (flow.deployments[index % place] ?? null);
  // Ticks of a deployment are spread evenly, so that no two are the same.
  const tick = hour + Math.floor(((index + 0.5) * hourMs) / count);
  const createdAt = deployment === null ? hour + chance.below(hourMs) : tick - chance.below(900);
  const state = stateAt(chance, failing, now - createdAt);
  const tasks = flow.tasks.length;
  const stopsAt = state.type === 'COMPLETED' ? null : state.type === 'SCHEDULED' ? 0 : chance.below(tasks);
  return {
    id: chance.id(createdAt),
    flow,
    deployment,
    createdAt,
    scheduledFor: deployment === null ? null : tick,
    state,
    stopsAt,
    parent: null,
  };
}

function stateAt(chance: Chance, failing: number, ageMs: number): SeedRun['state'] {
  if (ageMs < 3 * 60_000) {
    const dice = chance.next();
    if (dice < 0.5) return { type: 'RUNNING', name: 'Running' };
    if (dice < 0.6) return { type: 'SCHEDULED', name: 'Scheduled' };
    if (dice < 0.65) return { type: 'SCHEDULED', name: 'AwaitingRetry' };
  } else if (ageMs < 20 * 60_000 && chance.next() < 0.02) {
    return chance.next() < 0.5 ? { type: 'SCHEDULED', name: 'Late' } : { type: 'PAUSED', name: 'Suspended' };
  }
  const dice = chance.next();
  if (dice < failing) return dice < failing * 0.08 ? { type: 'FAILED', name: 'TimedOut' } : { type: 'FAILED', name: 'Failed' };
  if (dice < failing + 0.0008) return { type: 'CRASHED', name: 'Crashed' };
  if (dice < failing + 0.006) return { type: 'CANCELLED', name: 'Cancelled' };
  return { type: 'COMPLETED', name: 'Completed' };
}
