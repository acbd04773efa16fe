/** The deployments that a project declares in its configuration file. */
import type { FlowClass } from '../model/flow-types.ts';
import type { LoadedConfig } from '../base/config.ts';
import { BatutaError, isBatutaError } from '../base/errors.ts';
import type { DeploymentSpec } from '../client/deployments-client.ts';
import { definitionOf, isFlowClass } from '../define/definition.ts';
import { findFlow } from '../define/find-flow.ts';
import type { FlowDefinition } from '../model/flow.ts';
import type { CommandContext } from './context.ts';
import { loadQuietly } from './output-capture.ts';
import { asksServer } from './open.ts';
import { usage } from './read-options.ts';

/**
 * The deployments `batuta.config.ts` declares, each with its flow. A class stands for the project's flow of its name: the copy in the
 * configuration file knows neither its file nor its version.
 *
 * @param find returns the flow of a name; default: among the flows of the project
 * @throws BatutaError USAGE without a file, CONFIG_INVALID for an entry that is none, FLOW_NOT_FOUND, FLOW_AMBIGUOUS, FILE_…
 */
export async function readDeclared(
  context: CommandContext,
  settings: LoadedConfig,
  find: (name: string) => Promise<FlowDefinition> = (name) =>
    loadQuietly(context, () => findFlow(name, { flowsPath: settings.config.flows, cwd: context.terminal.cwd })),
): Promise<DeploymentSpec[]> {
  const { file } = settings;
  if (!file) {
    throw usage(
      "There is no batuta.config.ts here. Write one: export default defineConfig({ deployments: [{ flow: 'daily-sales', schedules: [{ cron: '@daily' }] }] });",
    );
  }
  const specs: DeploymentSpec[] = [];
  for (const [at, declared] of file.deployments.entries()) {
    if (typeof declared !== 'object' || declared === null || !(typeof declared.flow === 'string' || isFlowClass(declared.flow))) {
      throw new BatutaError(
        'CONFIG_INVALID',
        `${file.name}: deployments[${at}] must be an object whose flow is the name of a flow or a class with @Flow().`,
      );
    }
    const { flow, ...rest } = declared;
    specs.push({ ...rest, flow: await flowOf(settings, flow, find) });
  }
  return specs;
}

async function flowOf(
  settings: LoadedConfig,
  flow: string | FlowClass,
  find: (name: string) => Promise<FlowDefinition>,
): Promise<FlowDefinition | string> {
  const name = typeof flow === 'string' ? flow : definitionOf(flow).name;
  try {
    return await find(name);
  } catch (error) {
    if (!isBatutaError(error, 'FLOW_NOT_FOUND')) throw error;
    if (typeof flow !== 'string') return definitionOf(flow);
    if (asksServer(settings)) return flow;
    throw error;
  }
}
