/** `batuta deployment pause` and `resume`. */
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print-json.ts';
import { deploymentJson, nextTickOf } from '../render/deployment-json.ts';
import { agoText } from '../render/times.ts';

/** Pauses or resumes the deployment, or one schedule of it. With `--json` prints the deployment after it. */
export async function switchDeployment(
  context: CommandContext,
  verb: 'pause' | 'resume',
  name: string,
  options: { readonly schedule?: string; readonly json?: boolean },
): Promise<ExitStatus> {
  const { terminal, clock } = context;
  const view = await withClient(context, ({ deployments }) => deployments[verb](name, options.schedule));
  if (options.json) return printJson(terminal, deploymentJson(view));
  const { out } = terminal;
  const what = options.schedule === undefined ? view.name : `${view.name}, schedule ${options.schedule}`;
  const next = nextTickOf(view);
  if (verb === 'pause') out.line(`${out.paint.cyan('‖ paused')}  ${what}`);
  else out.line(`${out.paint.green('● active')}  ${what}${next === null ? '' : `  next tick ${agoText(next, clock.now())}`}`);
  if (verb === 'resume' && options.schedule !== undefined && view.pausedAt !== null)
    terminal.err.line(`The deployment itself is paused still. To resume it: batuta deployment resume ${view.name}`);
  return 0;
}
