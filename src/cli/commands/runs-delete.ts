/** `batuta runs delete`: removes runs with all that belongs to them. */
import type { CommandContext } from '../context.ts';
import { forEachRun } from '../each-run.ts';
import type { ExitStatus } from '../exit-status.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print-json.ts';
import { usage } from '../read-options.ts';
import { oneLine } from '../render/width.ts';
import { type BulkOptions, type BulkVerb, changeFiltered, choosesByFilter } from './runs-bulk.ts';

/** Deletes every run it can; the status tells whether all could be. With `--json` prints the deleted: `{ id, flow, name }`. */
export async function deleteRuns(
  context: CommandContext,
  ids: readonly string[],
  options: BulkOptions & { readonly force?: boolean },
): Promise<ExitStatus> {
  const { terminal } = context;
  if (choosesByFilter(ids, options)) {
    if (options.force === true) throw usage('--force takes ids. Cancel the runs that fit the filters first.');
    const change: BulkVerb['change'] = (client, wish) => client.runs.deleteMany(wish);
    return changeFiltered(context, options, { infinitive: 'delete', participle: 'deleted', change });
  }
  const deleted: object[] = [];
  const status = await withClient(context, (client) =>
    forEachRun(context, ids, async (given) => {
      const { id, flow, name } = await client.runs.get(given);
      await client.runs.delete(id, { force: options.force === true });
      deleted.push({ id, flow, name });
      if (!options.json) terminal.out.line(`deleted ${oneLine(flow)}  ${oneLine(name)}  ${id}`);
    }),
  );
  if (options.json) printJson(terminal, deleted);
  return status;
}
