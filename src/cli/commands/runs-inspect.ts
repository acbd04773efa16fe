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
  const { inspection, why } = await withClient(context, async (client) => {
    const found = await client.runs.inspect(id);
    return { inspection: found, why: await client.runs.why(found.run.id) };
  });
  if (options.json) return printJson(terminal, inspectionJson(inspection, why));
  const { out, cwd } = terminal;
  for (const line of inspectionLines(inspection, why, {
    paint: out.paint,
    width: out.columns,
    now: clock.now(),
    cwd,
    verbose: globals.verbose,
  }))
    out.line(line);
  return 0;
}
