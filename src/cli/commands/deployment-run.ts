/** `batuta deployment run`: a run of a deployment now. */
import { isBatutaError } from '../../base/errors.ts';
import type { DeploymentView } from '../../client/deployments-client.ts';
import { findFlowOfRun } from '../../define/find-flow.ts';
import { paramsFromText } from '../../engine/submit/params.ts';
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { plainParams } from '../flow-with-params.ts';
import { loadQuietly } from '../load-quietly.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print-json.ts';
import { readInteger, readStart } from '../read-options.ts';
import { type GivenParams, readParams } from '../read-params.ts';
import { runListJson } from '../render/json.ts';
import { watchRun } from './runs-watch.ts';

interface Options {
  readonly params?: string;
  readonly param: readonly string[];
  readonly name?: string;
  readonly tag: readonly string[];
  readonly queue?: string;
  readonly priority?: string;
  readonly startIn?: string;
  readonly startAt?: string;
  readonly watch?: boolean;
  readonly json?: boolean;
}

/** Records the run, which waits for a worker. Prints its id, or the run as in `runs ls --json`; with `--watch` what `runs watch` prints. */
export async function runDeployment(context: CommandContext, name: string, options: Options): Promise<ExitStatus> {
  const { terminal, clock } = context;
  const given = await readParams(options.params, options.param, terminal.cwd);
  const startAt = readStart(options, clock.now());
  const priority = options.priority === undefined ? null : readInteger('--priority', options.priority, { min: -100, max: 100 });
  const run = await withClient(context, async ({ deployments }, config) => {
    const params = await paramsFor(context, await deployments.get(name), config.flows, given);
    const handle = await deployments.run(name, params, {
      tags: options.tag,
      ...(options.name === undefined ? {} : { name: options.name }),
      ...(options.queue === undefined ? {} : { queue: options.queue }),
      ...(priority === null ? {} : { priority }),
      ...(startAt === null ? {} : { startAt }),
    });
    return await handle.get();
  });
  if (options.watch) return watchRun(context, run.id, { json: options.json === true });
  if (options.json) return printJson(terminal, runListJson(run));
  terminal.out.line(run.id);
  const watching = terminal.err.paint.bold(`batuta runs watch ${run.id}`);
  terminal.err.line(`${run.name} of ${name} waits in queue ${run.queue}. To look at it: ${watching}`);
  return 0;
}

/** Texts are read as the flow's schema would have them; where the flow is not at hand, as JSON where they are JSON. */
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
