/** Finds the flow of a deployment that a code flow runs. */
import { BatutaError } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';
import { programName } from '../base/program-name.ts';
import type { DeployedFlow } from '../engine/services.ts';
import type { FlowDefinition } from '../model/flow.ts';
import type { Run } from '../model/run.ts';
import type { Store } from '../store/store.ts';
import { declaredParams, layOver } from './declared-params.ts';

/**
 * The flow of a deployment, and its declared parameters with the given ones on top.
 *
 * @throws BatutaError DEPLOYMENT_NOT_FOUND naming the nearest, FLOW_NOT_FOUND, FILE_…, STORE_…
 */
export async function findDeployed(
  { deployments }: Pick<Store, 'deployments'>,
  findDefinition: (recorded: Pick<Run, 'flow' | 'source'>) => Promise<FlowDefinition>,
  name: string,
  params: unknown,
): Promise<DeployedFlow> {
  const deployment = await deployments.get(name);
  if (!deployment) throw await noDeployment({ deployments }, name);
  const [version = null] = await deployments.presentVersions([name]);
  return { definition: await findDefinition(deployment), params: layOver(declaredParams(version), params), deployment };
}

/** The error for an unknown deployment name. */
export async function noDeployment({ deployments }: Pick<Store, 'deployments'>, name: string): Promise<BatutaError> {
  const names = (await deployments.names()).map((one) => one.name);
  const hint = names.length === 0 ? ` Make one: ${programName()} deploy <flow> --cron "0 0 * * *"` : hintFor(name, names, 'There are');
  return new BatutaError('DEPLOYMENT_NOT_FOUND', `There is no deployment '${name}'.${hint}`, { details: { deployment: name } });
}
