/** `batuta runs cancel`: asks for the end of runs, wherever they run. */
import type { Run } from '../../model/run.ts';
import { isTerminal } from '../../model/state.ts';
import type { CommandContext } from '../context.ts';
import { forEachRun } from '../each-run.ts';
import type { ExitStatus } from '../exit-status.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print-json.ts';
import { shortId } from '../render/ids.ts';
import { runListJson } from '../render/json.ts';
import { labelOf } from '../render/shapes.ts';
import { oneLine } from '../render/width.ts';

/** Cancels every run it can; the status tells whether all could be. */
export async function cancelRuns(
  context: CommandContext,
  ids: readonly string[],
  options: { readonly message?: string; readonly json?: boolean },
): Promise<ExitStatus> {
  const { terminal } = context;
  const cancelled: Run[] = [];
  const status = await withClient(context, (client) =>
    forEachRun(context, ids, async (id) => {
      const run = await client.runs.cancel(id, options.message ?? 'Cancelled from the command line.');
      cancelled.push(run);
      if (options.json) return;
      const later = isTerminal(run.state.type) ? '' : ' (its process ends it)';
      terminal.out.line(`${labelOf(run.state, terminal.out.paint)}  ${oneLine(run.name)}  ${shortId(run.id)}${later}`);
    }),
  );
  if (options.json) printJson(terminal, cancelled.map(runListJson));
  return status;
}
