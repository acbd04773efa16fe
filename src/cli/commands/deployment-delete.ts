/** `batuta deployment delete`. */
import type { CommandContext } from '../context.ts';
import { forEachRun } from '../each-run.ts';
import type { ExitStatus } from '../exit-status.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print-json.ts';

/** Deletes every one it can; the status tells whether all could be. With `--json` prints the names of those it deleted. */
export async function deleteDeployments(
  context: CommandContext,
  names: readonly string[],
  options: { readonly json?: boolean },
): Promise<ExitStatus> {
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
