/** `batuta limit ls`: limits with who holds them and who waits. */
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print-json.ts';
import { limitCells, limitColumns, limitJson } from '../render/limit.ts';
import { tableLines } from '../render/table.ts';

/** Prints the limits by name. */
export async function listLimits(context: CommandContext, options: { readonly json?: boolean }): Promise<ExitStatus> {
  const { terminal, clock } = context;
  const limits = await withClient(context, (client) => client.limits.list());
  if (options.json) return printJson(terminal, limits.map(limitJson));
  if (limits.length === 0) {
    terminal.err.line('No limits. Set one on the tasks of a tag: batuta limit set tag:db 10');
    return 0;
  }
  const { out } = terminal;
  const rows = limits.map((limit) => limitCells(limit, clock.now(), out.paint));
  for (const line of tableLines(limitColumns, rows, out.paint, out.isTty ? out.columns : undefined)) out.line(line);
  return 0;
}
