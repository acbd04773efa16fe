/** `batuta runs watch`: the live tree of a run that any process executes. */
import type { Client } from '../../client/client.ts';
import type { Run } from '../../model/run.ts';
import { isTerminal } from '../../model/state.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { Interrupt } from '../interrupt.ts';
import { withClient } from '../open.ts';
import { printJson } from '../print.ts';
import { printOutcome, RunDisplay } from '../run-display.ts';
import { runOutcomeJson } from '../render/json.ts';
import type { TreeShape } from '../render/run-tree.ts';
import { storedGraph } from '../../client/stored-graph.ts';

/** Watches until the run ends; leaving (Ctrl-C) does not affect the run. Status: 0 completed, 1 ended otherwise. */
export async function watchRun(context: CommandContext, id: string, options: JsonOption): Promise<ExitStatus> {
  return withClient(context, async (client) => {
    const display = new RunDisplay(context, { json: options.json === true });
    const interrupt = new Interrupt({ clock: context.clock, onFirst: () => display.end(), onSecond: async () => {} });
    try {
      const run = await follow(client, display, id, AbortSignal.any([context.terminal.gone, interrupt.signal]));
      display.end();
      if (!run) return interrupt.status ?? 0;
      const inspection = await client.runs.inspect(run.id);
      if (options.json) printJson(context.terminal, runOutcomeJson(inspection));
      else printOutcome(context, inspection);
      return run.state.type === 'COMPLETED' ? 0 : 1;
    } finally {
      display.end();
      interrupt.stop();
    }
  });
}

/** Shows the run until it ends; null when the watcher has left. */
async function follow(client: Client, display: RunDisplay, id: string, gone: AbortSignal): Promise<Run | null> {
  const { id: runId, flow } = await client.runs.get(id);
  const shape = await shapeOf(client, flow);
  let last: Run | null = null;
  for await (const { run, taskRuns } of client.runs.watch(runId, gone)) {
    display.show(run, taskRuns, shape);
    last = run;
  }
  return last && isTerminal(last.state.type) ? last : null;
}

async function shapeOf(client: Client, flow: string): Promise<TreeShape | null> {
  const stored = (await client.flows.list()).find(({ name }) => name === flow);
  const graph = stored?.kind === 'graph' ? storedGraph(stored.graph) : null;
  return graph && { names: graph.nodes.map(({ name }) => name), edges: graph.edges };
}
