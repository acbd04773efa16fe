/** `batuta runs inspect`: all that is known of a run. */
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print-json.ts';
import { inspectionLines } from '../render/inspection.ts';
import { inspectionJson } from '../render/json.ts';

/** Prints the run. */
export async function inspectRun(context: CommandContext, id: string, options: { readonly json?: boolean }): Promise<ExitStatus> {
  const { terminal, clock, globals } = context;
  const inspection = await withClient(context, (client) => client.runs.inspect(id));
  if (options.json) return printJson(terminal, inspectionJson(inspection));
  const { out, cwd } = terminal;
  for (const line of inspectionLines(inspection, { paint: out.paint, width: out.columns, now: clock.now(), cwd, verbose: globals.verbose }))
    out.line(line);
  return 0;
}
