/** Commands about the cache of values. */
import type { Command } from 'commander';
import { makeGroup, type Perform } from './declare.ts';

/** Adds the commands. */
export function declareCacheCommands(program: Command, perform: Perform): void {
  const cache = makeGroup(program, 'cache', 'values of tasks that later runs take');
  withFilter(cache.command('ls').alias('list').description('list what is cached, last used first'))
    .option('--limit <n>', 'most entries, 1 to 1000', '50')
    .option('--json', 'print a JSON array')
    .action(perform(async () => (await import('./commands/cache.ts')).listCache));
  cache
    .command('show')
    .argument('<id>', 'id of the entry, or its beginning')
    .description('print one entry with its value')
    .option('--json', 'print JSON')
    .action(perform(async () => (await import('./commands/cache.ts')).showCache));
  withFilter(cache.command('clear').description('take values out of the cache; they are computed again on next use'))
    .option('--all', 'the whole cache')
    .option('--json', 'print JSON')
    .action(perform(async () => (await import('./commands/cache.ts')).clearCache));
}

function withFilter(command: Command): Command {
  return command
    .option('--flow <name>', 'of this flow')
    .option('--task <name>', 'of this task')
    .option('--key <text>', 'with this id, or made of something that holds this text')
    .option('--expired', 'whose time is over');
}
