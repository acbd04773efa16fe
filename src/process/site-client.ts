/** The client behind API and dashboard. In a separate file, as its parts are in no public declaration. */
import { BatutaError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { hintFor } from '../base/nearest.ts';
import type { LocalClient } from '../client/local-client.ts';
import { openLocalClient } from '../client/open-local-client.ts';
import { findFlowByName } from '../define/find-flow.ts';
import type { FlowDefinition } from '../model/flow.ts';
import { definitionsOf, type FlowsOption, type ProcessSettings } from './settings.ts';

/** The client for API and dashboard: it knows the given flows, or else those found by the settings. */
export async function openSiteClient({ config }: Pick<ProcessSettings, 'config'>, log: Log, { flows }: FlowsOption): Promise<LocalClient> {
  const given = flows && definitionsOf(flows);
  const findFlow = given && ((name: string) => findGiven(given, name, config.flows));
  return await openLocalClient({ config, log, captureConsole: false, reports: false }, findFlow ? { findFlow } : {});
}

async function findGiven(given: readonly FlowDefinition[], name: string, flowsPath: readonly string[]): Promise<FlowDefinition> {
  const own = given.find((flow) => flow.name === name || flow.className === name);
  if (own) return own;
  try {
    return await findFlowByName(name, { flowsPath });
  } catch {
    const names = given.map((flow) => flow.name);
    throw new BatutaError('FLOW_NOT_FOUND', `There is no flow '${name}'.${hintFor(name, names, 'The flows are')}`, {
      details: { flow: name },
    });
  }
}
