/** `batuta runs cancel`: asks for the end of runs, wherever they run. */
import type { Run } from '../../model/run.ts';
import { isTerminal } from '../../model/state.ts';
import type { CommandContext } from '../context.ts';
import { forEachRun } from '../each-run.ts';
import type { ExitStatus } from '../exit-status.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print-json.ts';
import { shortId } from '../../model/ids.ts';
import { runListJson } from '../render/json.ts';
import { labelOf } from '../render/shapes.ts';
import { oneLine } from '../render/width.ts';
import { type BulkOptions, type BulkVerb, changeFiltered, choosesByFilter } from './runs-bulk.ts';

/** Cancels every run it can: those named, or those that fit the filters. The status tells whether all could be. */
export async function cancelRuns(
  context: CommandContext,
  ids: readonly string[],
  options: BulkOptions & { readonly message?: string },
): Promise<ExitStatus> {
  const { terminal } = context;
  const message = options.message ?? 'Cancelled from the command line.';
  if (choosesByFilter(ids, options)) {
    const change: BulkVerb['change'] = (client, wish) => client.runs.cancelMany({ ...wish, message });
    return changeFiltered(context, options, { infinitive: 'cancel', participle: 'cancelled', change });
  }
  const cancelled: Run[] = [];
  const status = await withClient(context, (client) =>
    forEachRun(context, ids, async (id) => {
      const run = await client.runs.cancel(id, message);
      cancelled.push(run);
      if (options.json) return;
      const later = isTerminal(run.state.type) ? '' : ' (its process ends it)';
      terminal.out.line(`${labelOf(run.state, terminal.out.paint)}  ${oneLine(run.name)}  ${shortId(run.id)}${later}`);
    }),
  );
  if (options.json) printJson(terminal, cancelled.map(runListJson));
  return status;
}
