/** Unfinished runs affected by a new version of their flow: they began with another. */
import type { RunsUnderWay, Store } from '../store/store.ts';
import type { TouchedRuns } from './deployments-client.ts';
import type { DeploymentPlan } from './plan-deployment.ts';

/** By flow, for plans that change something; flows without such runs are omitted. One statement. @throws BatutaError STORE_… */
export async function touchedRuns(
  { pins }: Pick<Store, 'pins'>,
  plans: readonly DeploymentPlan[],
): Promise<ReadonlyMap<string, TouchedRuns>> {
  const deployed = plans.filter(({ outcome }) => outcome !== 'unchanged').map(({ put }) => put.deployment);
  const versions = new Map(deployed.map(({ flow, flowVersion }) => [flow, flowVersion]));
  const touched = new Map<string, RunsUnderWay[]>();
  for (const row of await pins.byVersion([...versions.keys()])) {
    if (row.version !== versions.get(row.flow)) touched.set(row.flow, [...(touched.get(row.flow) ?? []), row]);
  }
  return new Map([...touched].map(([flow, rows]) => [flow, { continuing: byState(rows, false), pinned: byState(rows, true) }]));
}

function byState(rows: readonly RunsUnderWay[], pinned: boolean): TouchedRuns['pinned'] {
  const counts: Record<string, number> = {};
  for (const { name, runs, isPinned } of rows) if (isPinned === pinned) counts[name] = (counts[name] ?? 0) + runs;
  return counts;
}
