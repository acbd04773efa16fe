/** `batuta flow graph`: what waits for what, as a drawing, as Mermaid or as JSON. */
import { findFlow } from '../../define/find-flow.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import type { TaskDefinition } from '../../model/task.ts';
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { loadQuietly } from '../load-quietly.ts';
import { openSettings } from '../open.ts';
import { printJson } from '../print-json.ts';
import { readWord } from '../read-options.ts';
import { type GraphPicture, graphLines } from '../render/graph-ascii.ts';
import { mermaidLines } from '../render/graph-mermaid.ts';

const pipeColumns = 160;

/** Prints the graph. With `--json` `{ flow, kind, nodes: [name], edges: [{ from, to, kind }] }`. */
export async function drawFlow(
  context: CommandContext,
  target: string,
  options: { readonly format: string; readonly json?: boolean },
): Promise<ExitStatus> {
  const { terminal } = context;
  const format = options.json ? 'json' : readWord('--format', options.format, ['ascii', 'mermaid', 'json']);
  const { config } = await openSettings(context);
  const definition = await loadQuietly(context, () => findFlow(target, { flowsPath: config.flows, cwd: terminal.cwd }));
  if (format === 'json') return printJson(terminal, graphJson(definition));
  const picture = pictureOf(definition);
  const { out, err } = terminal;
  for (const line of format === 'mermaid' ? mermaidLines(picture) : graphLines(picture, out.isTty ? out.columns : pipeColumns))
    out.line(line);
  if (definition.kind === 'code') err.line(err.paint.dim('A code flow: run() decides which of these tasks run, and in which order.'));
  else if (format === 'ascii') for (const line of legendOf(definition)) err.line(err.paint.dim(line));
  return 0;
}

function pictureOf(definition: FlowDefinition): GraphPicture {
  const names = definition.kind === 'code' ? [...definition.tasks.keys()] : definition.graph.nodes;
  const nodes = names.map((name) => ({ name, label: labelOf(name, definition.tasks.get(name)) }));
  return { nodes, edges: definition.kind === 'code' ? [] : definition.graph.edges };
}

function labelOf(name: string, task: TaskDefinition | undefined): string {
  return `${name}${task?.each == null ? '' : '[]'}${task?.when == null ? '' : '?'}`;
}

function legendOf({ tasks }: FlowDefinition): string[] {
  const all = [...tasks.values()];
  return [
    ...(all.some((task) => task.each !== null) ? ['[] runs once per item'] : []),
    ...(all.some((task) => task.when !== null) ? ['?  runs only when its condition holds'] : []),
  ];
}

function graphJson({ name, kind, tasks, graph }: FlowDefinition): object {
  return kind === 'code'
    ? { flow: name, kind, nodes: [...tasks.keys()], edges: [] }
    : { flow: name, kind, nodes: graph.nodes, edges: graph.edges };
}
