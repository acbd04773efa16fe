/** `batuta flow ls`: the flows of this project. */
import { loadFlows } from '../../define/load-flows.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { loadQuietly } from '../load-quietly.ts';
import { openSettings } from '../open.ts';
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
 * Prints the flows; what does not load is told on standard error, and the status is 1.
 *
 * With `--json` an array of `{ name, className, kind, version, description, tags, tasks, file, exportName }`.
 */
export async function listFlows(context: CommandContext, options: { readonly json?: boolean }): Promise<ExitStatus> {
  const { terminal } = context;
  const { config } = await openSettings(context);
  const { flows, broken } = await loadQuietly(context, () => loadFlows(config.flows, { cwd: terminal.cwd }));
  if (options.json) printJson(terminal, flows.map(flowJson));
  else if (flows.length > 0) printTable(context, flows);
  else if (broken.length === 0) terminal.err.line(`No flows in ${config.flows.join(', ')}. Make one: batuta init`);
  for (const { error } of broken) reportError(error, terminal, context.globals);
  return broken.length === 0 ? 0 : 1;
}

function printTable({ terminal: { out, cwd } }: CommandContext, flows: readonly FlowDefinition[]): void {
  const rows = flows.map((flow) => [
    out.paint.bold(flow.name),
    flow.className,
    flow.kind === 'code' ? `${flow.tasks.size} + code` : String(flow.tasks.size),
    flow.source === null ? '' : shownPath(flow.source.file, cwd),
    out.paint.dim(flow.version),
    oneLine(flow.description ?? ''),
  ]);
  for (const line of tableLines(columns, rows, out.paint, out.isTty ? out.columns : undefined)) out.line(line);
}

function flowJson({ name, className, kind, version, description, tags, tasks, source }: FlowDefinition): object {
  return {
    name,
    className,
    kind,
    version,
    description,
    tags,
    tasks: tasks.size,
    file: source?.file ?? null,
    exportName: source?.exportName ?? null,
  };
}
