/** `batuta runs delete`: removes runs with all that belongs to them. */
import type { CommandContext } from '../context.ts';
import { forEachRun } from '../each-run.ts';
import type { ExitStatus } from '../exit-status.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print-json.ts';
import { oneLine } from '../render/width.ts';

/** Deletes every run it can; the status tells whether all could be. With `--json` prints the deleted: `{ id, flow, name }`. */
export async function deleteRuns(
  context: CommandContext,
  ids: readonly string[],
  options: { readonly force?: boolean; readonly json?: boolean },
): Promise<ExitStatus> {
  const { terminal } = context;
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
