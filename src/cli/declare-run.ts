/** The command `run`. */
import type { Command } from 'commander';
import type { Perform } from './perform.ts';

const help = `
Values given with -p are text unless the flow's schema refuses text; then they are read as JSON.

  batuta run flows/hello.ts -p name=Ada
  batuta run flow-name --params '{"month":"01"}'
  batuta run flows/several.ts:Second --params @params.json --json`;

/** Adds the command. */
export function declareRunCommand(program: Command, perform: Perform): void {
  program
    .command('run')
    .description('run a flow here and now')
    .argument('<flow>', 'a file, or the name of a flow; `:Class` chooses among several in one file')
    .option('--params <json>', 'parameters as a JSON object, or @file')
    .option('-p, --param <key=value>', 'one parameter; may be repeated', collect, [])
    .option('--name <name>', 'name of the run for people')
    .option('--tag <tag>', 'tag of the run; may be repeated', collect, [])
    .option('--json', 'print one JSON object on standard output and nothing else')
    .addHelpText('after', help)
    .action((target: string, options, command) =>
      perform(command, async (context) => (await import('./commands/run.ts')).run(context, target, options)),
    );
}

/** Gathers an option that may be repeated. */
export function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
