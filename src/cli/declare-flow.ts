/** The commands `flow …`. */
import type { Command } from 'commander';
import { makeGroup } from './make-group.ts';
import type { Perform } from './perform.ts';

/** Adds the commands. */
export function declareFlowCommands(program: Command, perform: Perform): void {
  const flow = makeGroup(program, 'flow', 'look at the flows of this project');
  flow
    .command('ls')
    .alias('list')
    .description('list the flows found where BATUTA_FLOWS says')
    .option('--json', 'print a JSON array')
    .action((options, command) => perform(command, async (context) => (await import('./commands/flow-ls.ts')).listFlows(context, options)));
  flow
    .command('inspect')
    .description('print the tasks of a flow, their options and the parameters')
    .argument('<flow>', 'a name or a file')
    .option('--json', 'print JSON')
    .action((target: string, options, command) =>
      perform(command, async (context) => (await import('./commands/flow-inspect.ts')).inspectFlow(context, target, options)),
    );
  flow
    .command('graph')
    .description('draw what waits for what')
    .argument('<flow>', 'a name or a file')
    .option('--format <format>', 'ascii, mermaid or json', 'ascii')
    .option('--json', 'the same as --format json')
    .action((target: string, options, command) =>
      perform(command, async (context) => (await import('./commands/flow-graph.ts')).drawFlow(context, target, options)),
    );
  flow
    .command('types')
    .description('write what flows take and give, so that starting them by name is checked by the compiler')
    .option('--out <file>', 'where to write it', 'batuta-flows.d.ts')
    .option('--check', 'write nothing; status 1 when the file is not up to date')
    .action((options, command) =>
      perform(command, async (context) => (await import('./commands/flow-types.ts')).writeFlowTypes(context, options)),
    );
}
