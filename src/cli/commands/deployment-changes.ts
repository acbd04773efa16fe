/** `batuta deployment run|pause|resume|delete`. */
import { isBatutaError } from '../../base/errors.ts';
import { programName } from '../../base/program-name.ts';
import type { DeploymentView } from '../../client/deployments-client.ts';
import { findFlowOfRun } from '../../define/find-flow.ts';
import { paramsFromText } from '../../engine/submit/params.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { withClient } from '../open.ts';
import { loadQuietly } from '../output-capture.ts';
import { forEachRun, printJson } from '../print.ts';
import { type GivenParams, plainParams, readParams } from '../read-params.ts';
import { deploymentJson, nextTickOf } from '../render/deployment.ts';
import { agoText } from '../render/times.ts';
import { printSubmitted, readEnqueueOptions, type SubmitOptions } from './runs-submit.ts';

/** Records the run, which waits for a worker. */
export async function runDeployment(context: CommandContext, name: string, options: SubmitOptions): Promise<ExitStatus> {
  const { terminal, clock } = context;
  const given = await readParams(options.params, options.param, terminal.cwd);
  const enqueueOptions = readEnqueueOptions(options, clock.now());
  const run = await withClient(context, async ({ deployments }, config) => {
    const params = await paramsFor(context, await deployments.get(name), config.flows, given);
    return (await deployments.run(name, params, enqueueOptions)).get();
  });
  return printSubmitted(context, run, name, options);
}

/** Texts are read according to the flow's schema; if the flow is not here, texts that are JSON are read as JSON. */
async function paramsFor(
  context: CommandContext,
  { flow, source }: DeploymentView,
  flows: readonly string[],
  given: GivenParams,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  if (Object.keys(given.texts).length === 0) return given.data;
  try {
    const definition = await loadQuietly(context, () => findFlowOfRun({ flow, source, flows }, { cwd: context.terminal.cwd }));
    return (await paramsFromText(definition, given.data, given.texts)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    if (isBatutaError(error) && error.stage === 'load') return plainParams(given);
    throw error;
  }
}

/** Pauses or resumes the deployment, or one schedule of it. With `--json` prints the deployment afterwards. */
export function switchDeployment(verb: 'pause' | 'resume') {
  return async (context: CommandContext, name: string, options: JsonOption & { readonly schedule?: string }): Promise<ExitStatus> => {
    const { terminal, clock } = context;
    const view = await withClient(context, ({ deployments }) => deployments[verb](name, options.schedule));
    if (options.json) return printJson(terminal, deploymentJson(view));
    const { out } = terminal;
    const what = options.schedule === undefined ? view.name : `${view.name}, schedule ${options.schedule}`;
    const next = nextTickOf(view);
    if (verb === 'pause') out.line(`${out.paint.cyan('‖ paused')}  ${what}`);
    else out.line(`${out.paint.green('● active')}  ${what}${next === null ? '' : `  next tick ${agoText(next, clock.now())}`}`);
    if (verb === 'resume' && options.schedule !== undefined && view.pausedAt !== null)
      terminal.err.line(`The deployment itself is paused still. To resume it: ${programName()} deployment resume ${view.name}`);
    return 0;
  };
}

/** Deletes every one it can; status 1 unless all could be. With `--json` prints the names of the deleted. */
export async function deleteDeployments(context: CommandContext, names: readonly string[], options: JsonOption): Promise<ExitStatus> {
  const { terminal } = context;
  const deleted: string[] = [];
  const status = await withClient(context, (client) =>
    forEachRun(context, names, async (name) => {
      await client.deployments.delete(name);
      deleted.push(name);
      if (!options.json) terminal.out.line(`${terminal.out.paint.red('- deleted')}  ${name}`);
    }),
  );
  if (options.json) printJson(terminal, deleted);
  return status;
}
