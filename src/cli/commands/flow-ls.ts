/** `batuta flow ls`: the flows of this project. */
import { loadFlows } from '../../define/load-flows.ts';
import { describeFlow } from '../../engine/submit/describe-flow.ts';
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { loadQuietly } from '../load-quietly.ts';
import { type FlowView, flowView } from '../flow-view.ts';
import { asksServer, openSettings, withClientOf } from '../open.ts';
import { printJson } from '../print-json.ts';
import { shownPath } from '../render/failure.ts';
import { type Column, tableLines } from '../render/table.ts';
import { oneLine } from '../render/width.ts';
import { reportError } from '../report-error.ts';

const columns: readonly Column[] = [
  { head: 'name', max: 40 },
  { head: 'class', max: 40, drop: 2 },
  { head: 'tasks', align: 'right' },
  { head: 'file' },
  { head: 'version', drop: 1 },
  { head: 'description', max: 60, drop: 3 },
];

/**
 * Prints the flows; what does not load is told on standard error, and the status is 1. Where a server is asked, those that it knows.
 *
 * With `--json` an array of `{ name, className, kind, version, description, tags, tasks, file, exportName }`.
 */
export async function listFlows(context: CommandContext, options: { readonly json?: boolean }): Promise<ExitStatus> {
  const { terminal } = context;
  const settings = await openSettings(context);
  if (asksServer(settings)) {
    const known = (await withClientOf(context, settings, (client) => client.flows.list())).map(flowView);
    if (options.json) return printJson(terminal, known.map(flowJson));
    if (known.length > 0) printTable(context, known);
    else terminal.err.line('The server knows no flows yet; workers tell it of theirs when they start.');
    return 0;
  }
  const { config } = settings;
  const loaded = await loadQuietly(context, () => loadFlows(config.flows, { cwd: terminal.cwd }));
  const { broken } = loaded;
  const flows = loaded.flows.map((flow) => flowView(describeFlow(flow, context.clock.now())));
  if (options.json) printJson(terminal, flows.map(flowJson));
  else if (flows.length > 0) printTable(context, flows);
  else if (broken.length === 0) terminal.err.line(`No flows in ${config.flows.join(', ')}. Make one: batuta init`);
  for (const { error } of broken) reportError(error, terminal, context.globals);
  return broken.length === 0 ? 0 : 1;
}

function printTable({ terminal: { out, cwd } }: CommandContext, flows: readonly FlowView[]): void {
  const rows = flows.map((flow) => [
    out.paint.bold(flow.name),
    flow.className,
    flow.kind === 'code' ? `${flow.tasks.length} + code` : String(flow.tasks.length),
    flow.file === null ? '' : shownPath(flow.file, cwd),
    out.paint.dim(flow.version),
    oneLine(flow.description ?? ''),
  ]);
  for (const line of tableLines(columns, rows, out.paint, out.isTty ? out.columns : undefined)) out.line(line);
}

function flowJson({ name, className, kind, version, description, tags, tasks, file, exportName }: FlowView): object {
  return {
    name,
    className,
    kind,
    version,
    description,
    tags,
    tasks: tasks.length,
    file,
    exportName,
  };
}
