/** `batuta flow ls|graph`: the flows of this project, and the graph of one. */
import { programName } from '../../base/program-name.ts';
import { loadFlows } from '../../define/load-flows.ts';
import { describeFlow } from '../../engine/submit/describe-flow.ts';
import type { StoredFlow } from '../../store/store.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { findFlowView, type FlowView, flowView } from '../flow-view.ts';
import { asksServer, openSettings, withClientOf } from '../open.ts';
import { loadQuietly } from '../output-capture.ts';
import { printJson, printLines, printList, reportError } from '../print.ts';
import { readWord } from '../read-options.ts';
import { shownPath } from '../render/failure.ts';
import { graphLines, type GraphPicture } from '../render/graph-ascii.ts';
import type { Paint } from '../render/shapes.ts';
import type { Column } from '../render/table.ts';
import { oneLine } from '../render/width.ts';

const columns: readonly Column[] = [
  { head: 'name', max: 40 },
  { head: 'class', max: 40, drop: 2 },
  { head: 'tasks', align: 'right' },
  { head: 'slots', align: 'right', drop: 4 },
  { head: 'file' },
  { head: 'version', drop: 1 },
  { head: 'description', max: 60, drop: 3 },
];

/**
 * Prints the flows of the project, or those the server knows. Files that do not load are reported on standard error, with status 1.
 *
 * With `--json` an array of `{ name, className, kind, version, description, tags, tasks, slots, file, exportName }`.
 */
export async function listFlows(context: CommandContext, options: JsonOption): Promise<ExitStatus> {
  const { terminal } = context;
  const settings = await openSettings(context);
  if (asksServer(settings)) {
    const known = await withClientOf(context, settings, (client) => client.flows.list());
    return printFlows(context, known, options, 'The server knows no flows yet; workers tell it of theirs when they start.');
  }
  const { flows } = settings.config;
  const { flows: loaded, broken } = await loadQuietly(context, () => loadFlows(flows, { cwd: terminal.cwd }));
  const described = loaded.map((flow) => describeFlow(flow, context.clock.now()));
  if (options.json || loaded.length > 0 || broken.length === 0)
    printFlows(context, described, options, `No flows in ${flows.join(', ')}. Make one: ${programName()} init`);
  for (const { error } of broken) reportError(error, terminal, context.globals);
  return broken.length === 0 ? 0 : 1;
}

function printFlows(context: CommandContext, flows: readonly StoredFlow[], options: JsonOption, empty: string): ExitStatus {
  const cells = (flow: FlowView, paint: Paint): string[] => [
    paint.bold(flow.name),
    flow.className,
    flow.kind === 'code' ? `${flow.tasks.length} + code` : String(flow.tasks.length),
    flow.slots === 1 ? '' : String(flow.slots),
    flow.file === null ? '' : shownPath(flow.file, context.terminal.cwd),
    paint.dim(flow.version),
    oneLine(flow.description ?? ''),
  ];
  return printList(context, flows.map(flowView), options, { columns, cells, json: flowJson, empty });
}

function flowJson({ name, className, kind, version, description, tags, tasks, slots, file, exportName }: FlowView): object {
  return { name, className, kind, version, description, tags, tasks: tasks.length, slots, file, exportName };
}

const pipeColumns = 160;

/** Prints the graph. With `--json` `{ flow, kind, nodes: [name], edges: [{ from, to, kind }] }`. */
export async function drawFlow(
  context: CommandContext,
  target: string,
  options: { readonly format: string; readonly json?: boolean },
): Promise<ExitStatus> {
  const { terminal } = context;
  const format = options.json ? 'json' : readWord('--format', options.format, ['ascii', 'mermaid', 'json']);
  const flow = await findFlowView(context, target);
  if (format === 'json') return printJson(terminal, graphJson(flow));
  const picture = pictureOf(flow);
  const { out, err } = terminal;
  printLines(out, format === 'mermaid' ? mermaidLines(picture) : graphLines(picture, out.isTty ? out.columns : pipeColumns));
  if (flow.kind === 'code') err.line(err.paint.dim('A code flow: run() decides which of these tasks run, and in which order.'));
  else if (format === 'ascii') for (const line of legendOf(flow)) err.line(err.paint.dim(line));
  return 0;
}

function pictureOf({ kind, tasks, edges }: FlowView): GraphPicture {
  const nodes = tasks.map(({ name, each, conditional }) => ({
    name,
    label: `${name}${each === null ? '' : '[]'}${conditional ? '?' : ''}`,
  }));
  return { nodes, edges: kind === 'code' ? [] : edges };
}

function legendOf({ tasks }: FlowView): string[] {
  return [
    ...(tasks.some(({ each }) => each !== null) ? ['[] runs once per item'] : []),
    ...(tasks.some(({ conditional }) => conditional) ? ['?  runs only when its condition holds'] : []),
  ];
}

function graphJson({ name, kind, tasks, edges }: FlowView): object {
  return { flow: name, kind, nodes: tasks.map((task) => task.name), edges: kind === 'code' ? [] : edges };
}

const arrows = { data: '-->', each: '==>', order: '-.->' } as const;

/** Lines of `flowchart LR`: plain arrows carry data, thick ones one item each, dotted ones only order. */
export function mermaidLines({ nodes, edges }: GraphPicture): string[] {
  const idOf = new Map(nodes.map(({ name }, at) => [name, /^[A-Za-z][A-Za-z0-9_]*$/.test(name) && name !== 'end' ? name : `n${at}_`]));
  const escaped = (text: string): string =>
    text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return [
    'flowchart LR',
    ...nodes.map(({ name, label }) => `  ${idOf.get(name)}["${escaped(label)}"]`),
    ...edges.map(({ from, to, kind }) => `  ${idOf.get(from)} ${arrows[kind]} ${idOf.get(to)}`),
  ];
}
