/** Limits on what goes on at the same time. */
import type { Command } from 'commander';
import { makeGroup } from './make-group.ts';
import type { Perform } from './perform.ts';

/** Adds the commands. */
export function declareLimitCommands(program: Command, perform: Perform): void {
  const limit = makeGroup(program, 'limit', 'limits on what goes on at the same time');
  limit
    .command('ls')
    .alias('list')
    .description('list limits with who holds them and who waits')
    .option('--json', 'print a JSON array')
    .action((options, command) =>
      perform(command, async (context) => (await import('./commands/limit-ls.ts')).listLimits(context, options)),
    );
  limit
    .command('set')
    .argument('<name>', 'tag:<tag>, for tasks that have the tag')
    .argument('<slots>', 'how many may be executed at the same time, over all runs and processes; 0: none')
    .description('set a limit on the tasks of a tag')
    .option('--json', 'print the limit as JSON')
    .action((name, slots, options, command) =>
      perform(command, async (context) => (await import('./commands/limit-change.ts')).setLimit(context, name, slots, options)),
    );
  limit
    .command('delete')
    .argument('<name>', 'tag:<tag>')
    .description('take a limit away; whatever waits for it goes on')
    .action((name, _options, command) =>
      perform(command, async (context) => (await import('./commands/limit-change.ts')).deleteLimit(context, name)),
    );
}
