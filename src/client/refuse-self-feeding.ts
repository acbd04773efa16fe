/** The guard at deploy: deployments that would start each other in a cycle are refused. */
import { BatutaError } from '../base/errors.ts';
import { type ChainLink, selfFeeding } from '../model/triggers/chains.ts';
import type { Trigger } from '../model/triggers/trigger.ts';
import type { Store, StoredDeployment } from '../store/store.ts';
import type { DeploymentPlan } from './plan-deployment.ts';

/** Names per statement. */
const chunkNames = 1_000;

/**
 * Checks what is deployed now together with what is stored. If neither has a trigger on the end of a run, nothing is read.
 *
 * @throws BatutaError TRIGGER_CYCLE
 */
export async function refuseSelfFeeding(
  store: Pick<Store, 'triggers' | 'deployments'>,
  plans: readonly DeploymentPlan[],
  removed: readonly Pick<StoredDeployment, 'name'>[],
): Promise<void> {
  const own = plans.map(({ put: { deployment, triggers = [] } }): ChainLink => ({ ...deployment, triggers: triggers.filter(isByEnds) }));
  if (own.every(({ triggers }) => triggers.length === 0)) return;
  const replaced = new Set([...own, ...removed].map(({ name }) => name));
  const stored = (await store.triggers.all()).filter((one) => isByEnds(one) && !replaced.has(one.deployment));
  const circle = selfFeeding(
    [...own, ...(await linksOf(store, stored, own, replaced))],
    [...own].map(({ name }) => name),
  );
  if (circle === null) return;
  throw new BatutaError('TRIGGER_CYCLE', `These deployments would start each other forever: ${circle}. Remove one of the triggers.`, {
    details: { circle },
  });
}

/** Stored deployments that are part of chains: those with triggers, and those whose flows or names triggers refer to. */
async function linksOf(
  { deployments }: Pick<Store, 'deployments'>,
  triggers: readonly Trigger[],
  own: readonly ChainLink[],
  replaced: ReadonlySet<string>,
): Promise<readonly ChainLink[]> {
  const names = [...new Set(triggers.map(({ deployment }) => deployment))];
  const links: ChainLink[] = [];
  for (let start = 0; start < names.length; start += chunkNames) {
    for (const one of await deployments.getMany(names.slice(start, start + chunkNames)))
      if (!replaced.has(one.name)) links.push({ ...one, triggers: (one.triggers ?? []).filter(isByEnds) });
  }
  // Without a trigger of its own nothing is in a cycle, so these are all.
  return own.length === 0 ? [] : links;
}

function isByEnds({ rule }: Pick<Trigger, 'rule'>): boolean {
  return rule.sources.some(({ kind }) => kind !== 'event');
}
