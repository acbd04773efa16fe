/** `batuta flow stats`: how often the tasks of a flow ran and failed, and how long they took, by process. */
import { formatDuration } from '../../base/duration.ts';
import type { TaskWorkerView } from '../../client/fleet-client.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { withClient } from '../open.ts';
import { printList } from '../print.ts';
import { readSince } from '../read-options.ts';
import type { Paint } from '../render/shapes.ts';
import type { Column } from '../render/table.ts';
import { oneLine } from '../render/width.ts';

const columns: readonly Column[] = [
  { head: 'task', max: 60 },
  { head: 'host', max: 40 },
  { head: 'process', align: 'right' },
  { head: 'ran', align: 'right' },
  { head: 'failed', align: 'right' },
  { head: 'mean', align: 'right' },
];

/** Prints a row per task and process. */
export async function listStats(
  context: CommandContext,
  flow: string,
  options: JsonOption & { readonly since?: string },
): Promise<ExitStatus> {
  const sinceAt = options.since === undefined ? {} : { sinceAt: readSince('--since', options.since, context.clock.now()) };
  const rows = await withClient(context, (client) => client.figures.taskWorkers(flow, sinceAt));
  return printList(context, rows, options, {
    columns,
    cells: cellsOf,
    json: (row) => row,
    empty: `No run of ${oneLine(flow)} has ended since.`,
  });
}

function cellsOf({ task, host, pid, runs, failures, meanMs }: TaskWorkerView, paint: Paint): string[] {
  return [
    oneLine(task),
    oneLine(host ?? '–'),
    pid === null ? '–' : String(pid),
    String(runs),
    failures === 0 ? '0' : paint.red(String(failures)),
    formatDuration(Math.round(meanMs)),
  ];
}
