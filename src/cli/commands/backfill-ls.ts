/** `batuta backfill ls`: backfills, newest first. */
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print-json.ts';
import { readLimit } from '../read-options.ts';
import { backfillJson, backfillLabel, progressText } from '../render/backfill-lines.ts';
import { shortId } from '../../model/ids.ts';
import { type Column, tableLines } from '../render/table.ts';
import { agoText } from '../render/times.ts';

const columns: readonly Column[] = [
  { head: 'state' },
  { head: 'deployment', max: 40 },
  { head: 'runs' },
  { head: 'from', drop: 2 },
  { head: 'to', drop: 2 },
  { head: 'begun', drop: 1 },
  { head: 'id' },
];

/** Prints the backfills. */
export async function listBackfills(
  context: CommandContext,
  options: { readonly deployment?: string; readonly limit: string; readonly json?: boolean },
): Promise<ExitStatus> {
  const { terminal, clock } = context;
  const { deployment } = options;
  const limit = readLimit(options.limit);
  const { items, next } = await withClient(context, ({ backfills }) =>
    backfills.list({ limit, ...(deployment === undefined ? {} : { deployment }) }),
  );
  if (options.json) return printJson(terminal, items.map(backfillJson));
  if (items.length === 0) {
    terminal.err.line('No backfills yet. Make one: batuta backfill <deployment> --from 2026-01-01 --to 2026-02-01');
    return 0;
  }
  const { out } = terminal;
  const rows = items.map((view) => [
    backfillLabel(view, out.paint),
    view.deployment,
    progressText(view, out.paint),
    dayText(view.fromAt),
    dayText(view.untilAt),
    agoText(view.createdAt, clock.now()),
    out.paint.dim(shortId(view.id)),
  ]);
  for (const line of tableLines(columns, rows, out.paint, out.isTty ? out.columns : undefined)) out.line(line);
  if (next !== null) terminal.err.line(terminal.err.paint.dim(`The newest ${items.length} are shown; --limit shows more.`));
  return 0;
}

/** In UTC, seconds only where there are any. */
function dayText(at: number): string {
  return new Date(at).toISOString().replace('T', ' ').replace('.000Z', 'Z').replace(':00Z', 'Z').replace(' 00:00Z', '');
}
