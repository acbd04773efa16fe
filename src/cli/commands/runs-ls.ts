/** `batuta runs ls`: runs, newest first. */
import { programName } from '../../base/program-name.ts';
import type { Client } from '../../client/client.ts';
import type { RunListItem } from '../../client/fleet-client.ts';
import type { Page, RunFilter } from '../../store/store.ts';
import type { CommandContext, ExitStatus } from '../context.ts';
import { withClient } from '../open.ts';
import { readLimit } from '../read-options.ts';
import { type FilterOptions, readRunFilter } from '../read-run-filter.ts';
import { shortIds } from '../../model/ids.ts';
import { runListJson } from '../render/json.ts';
import { countOf } from '../render/bar.ts';
import { whyFailed } from '../render/failure.ts';
import { labelOf, type Paint } from '../render/shapes.ts';
import { type Column, tableLines } from '../render/table.ts';
import { startText, tookText } from '../render/times.ts';
import { cut, oneLine } from '../render/width.ts';
import { printJson } from '../print.ts';

interface Options extends FilterOptions {
  readonly limit: string;
  readonly json?: boolean;
}

const columns: readonly Column[] = [
  { head: 'state' },
  { head: 'name', max: 40 },
  { head: 'flow', max: 32 },
  { head: 'started', drop: 2 },
  { head: 'duration', align: 'right', drop: 3 },
  { head: 'tasks', align: 'right', drop: 5 },
  { head: 'attempt', align: 'right', drop: 4 },
  { head: 'id' },
];

/** Before the id if some ran elsewhere: their reporter. */
const reporterColumn: Column = { head: 'from', max: 24, drop: 1 };
/** The same if some are pinned: to which version. */
const pinColumn: Column = { head: 'pinned to', max: 24, drop: 1 };

/** Prints the runs that match the filters. */
export async function listRuns(context: CommandContext, options: Options): Promise<ExitStatus> {
  const { terminal, clock } = context;
  const now = clock.now();
  const wanted = readRunFilter(options, now);
  const limit = readLimit(options.limit);
  const { items, next } = await withClient(context, (client) => listUpTo(client, wanted, limit));
  if (options.json)
    return printJson(
      terminal,
      items.map((run) => ({ ...runListJson(run), pinnedTo: run.pinnedTo })),
    );
  if (items.length === 0) {
    terminal.err.line(
      Object.keys(wanted).length > 0 ? 'No run fits these filters.' : `No runs yet. Start one: ${programName()} run <file|flow>`,
    );
    return 0;
  }
  const { out } = terminal;
  const ids = shortIds(items.map(({ id }) => id));
  const width = out.isTty ? out.columns : undefined;
  const areReported = items.some(({ owner }) => owner?.reporter !== undefined);
  const arePinned = items.some(({ pinnedTo }) => pinnedTo !== null);
  const rows = items.map((run) => [
    ...cellsOf(run, now, out.paint),
    ...(areReported ? [oneLine(run.owner?.reporter?.name ?? '')] : []),
    ...(arePinned ? [oneLine(run.pinnedTo ?? '')] : []),
    out.paint.dim(ids.get(run.id) ?? run.id),
  ]);
  const further = [...(areReported ? [reporterColumn] : []), ...(arePinned ? [pinColumn] : [])];
  const [head = '', ...lines] = tableLines([...columns.slice(0, -1), ...further, ...columns.slice(-1)], rows, out.paint, width);
  out.line(head);
  lines.forEach((line, at) => {
    out.line(line);
    const run = items[at];
    const why = run === undefined ? null : whyFailed(run, run.alike);
    if (why !== null) out.line(out.paint.dim(width === undefined ? `  ${why}` : cut(`  ${why}`, width)));
  });
  if (next !== null) terminal.err.line(terminal.err.paint.dim(`The newest ${items.length} are shown; --limit shows more.`));
  return 0;
}

/** A search may return pages that are not full: continues until enough are found or everything was searched. */
async function listUpTo(client: Client, filter: RunFilter, limit: number): Promise<Page<RunListItem>> {
  const items: RunListItem[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await client.figures.runs({ ...filter, limit: limit - items.length, ...(cursor === undefined ? {} : { cursor }) });
    items.push(...page.items);
    if (page.next === null || items.length >= limit) return { items, next: page.next };
    cursor = page.next;
  }
}

/** `437/500` and the number of failures: ended task runs of all, including upcoming items of mapped tasks. */
function tasksText({ total, ended, failed }: RunListItem['tasks'], paint: Paint): string {
  if (total === 0) return '';
  return `${countOf(ended)}/${countOf(total)}${failed > 0 ? paint.red(`, ${countOf(failed)} failed`) : ''}`;
}

/** Cells of one run, in the order of the columns, without its id. */
function cellsOf(run: RunListItem, now: number, paint: Paint): string[] {
  return [
    labelOf(run.state, paint),
    oneLine(run.name),
    oneLine(run.flow),
    startText(run, now),
    tookText(run, now),
    tasksText(run.tasks, paint),
    String(run.attempt),
  ];
}
