/** `batuta flow graph`: what waits for what, as a drawing, as Mermaid or as JSON. */
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { findFlowView, type FlowView } from '../flow-view.ts';
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
  const flow = await findFlowView(context, target);
  if (format === 'json') return printJson(terminal, graphJson(flow));
  const picture = pictureOf(flow);
  const { out, err } = terminal;
  for (const line of format === 'mermaid' ? mermaidLines(picture) : graphLines(picture, out.isTty ? out.columns : pipeColumns))
    out.line(line);
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
